"""The literature's protocol on sets whose answer is known: what its figures are worth.

For a data set's windows of 24 (train = test), against all of them:

    halves      random halves of the real windows against each other: the floor
    jitter      the real windows with noise of 0.01 of each column's range: a copy
    shuffled    every column's values in random order: right marginals, no dynamics
    mixture     the baseline gaussian_mixture
    bootstrap   the baseline block_bootstrap, which copies too

Discriminative (GRU of half the columns, GRU of 32, LSTM of 32), predictive, Context-FID and correlational
scores, five repeats each, and boosted trees, two; each with its standard deviation over repeats. `seconds` is
what the literature's four scores of one set cost, alone.

    python benchmarks/literature.py [google_stock etth1] [--others boosting] [--quick]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

from common import real_windows, table, verdict, write
from undula import Registry
from undula.evaluation.pairs import Pair
from undula.evaluation.scores import REPEATS, SCORES

LITERATURE = ("discriminative", "predictive", "context_fid", "correlational")
OTHERS = ("discriminative_gru32", "discriminative_lstm32", "boosting")
JITTER = 0.01


def sets_of(windows: np.ndarray, series: np.ndarray) -> dict[str, Pair]:
    """The pairs that are judged."""
    n, length, columns = windows.shape
    rng = np.random.default_rng(0)
    order = rng.permutation(n)
    span = np.ptp(windows, axis=(0, 1))
    shuffled = [rng.permutation(windows[:, :, c].ravel()).reshape(n, length) for c in range(columns)]
    made = {
        "jitter": windows + JITTER * span * rng.normal(size=windows.shape),
        "shuffled": np.stack(shuffled, 2),
    }
    for name, baseline in (("mixture", "gaussian_mixture"), ("bootstrap", "block_bootstrap")):
        made[name] = Registry.get("baseline", baseline).fit([series], length).sample(n)
    halves = Pair.of(windows[order[: n // 2]], windows[order[n // 2 : 2 * (n // 2)]])
    return {"halves": halves, **{name: Pair.of(w, windows) for name, w in made.items()}}


def judged(
    pairs: dict[str, Pair], repeats: int, others: list[str], options: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """Every score of every set."""
    found: dict[str, Any] = {name: {} for name in pairs}
    for metric in (*LITERATURE, *others):
        start = time.perf_counter()
        # the encoder of Context-FID is trained on the first pair's real windows: all of them
        order = sorted(pairs, key=lambda name: name == "halves")
        count = min(repeats, REPEATS.get(metric, repeats))
        scores = SCORES[metric]([pairs[name] for name in order], count, 0, **options.get(metric, {}))
        for name, values in zip(order, scores, strict=True):
            found[name][metric] = {"mean": float(values.mean()), "sd": float(values.std(ddof=int(count > 1)))}
        print(f"  {metric}: {time.perf_counter() - start:.0f} s for {len(pairs)} sets", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", default=["google_stock", "etth1"])
    parser.add_argument("--others", nargs="*", default=OTHERS, choices=OTHERS, help="judges beside them")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="few steps: whether it runs at all")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    options: dict[str, dict[str, Any]] = {}
    if arguments.quick:
        options = {name: {"steps": 20} for name in (*LITERATURE[:3], *OTHERS[:2])}
    result: dict[str, Any] = {"sets": {}, "seconds": {}, "windows": {}, "verdicts": []}
    for name in arguments.data:
        windows, series = real_windows(name, 24)
        print(f"{name}: {windows.shape}")
        pairs = sets_of(windows, series)
        start = time.perf_counter()
        for metric in LITERATURE:
            SCORES[metric]([pairs["mixture"]], 5, 0, **options.get(metric, {}))
        seconds = time.perf_counter() - start
        found = judged(pairs, 5, arguments.others, options)
        rows = [
            {"set": which, **{m: f"{s['mean']:.4f} ± {s['sd']:.4f}" for m, s in scores.items()}}
            for which, scores in found.items()
        ]
        table(rows)
        result["sets"][name], result["seconds"][name] = found, seconds
        result["windows"][name] = list(windows.shape)
        result["verdicts"].append(
            verdict(f"{name}: literature's four scores, five repeats, min", seconds / 60, 12)
        )
    if not arguments.quick:
        write("literature", result)


if __name__ == "__main__":
    main()
