"""The held-out protocol on the literature's sets: train on the first four fifths, judge on the last fifth.

The recipe of `generation.py` and two baselines see the first four fifths of the rows only. The judge has the
last fifth: floors are halves of it (sampling) and the training part against it (shift), and intervals come
from a block bootstrap. What the literature prints with train = test looks different here, for everybody.

    python benchmarks/held_out.py [google_stock etth1 energy] [--minutes 5] [--repeats 2]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch

from common import real_windows, table, write
from generation import LENGTH, RECIPE, train
from undula import evaluate

METRICS = (
    "wasserstein", "ks", "std", "kurtosis", "acf", "acf_abs", "increments", "psd", "cross_correlation",
    "copying", "energy_distance", "boosting", "context_fid", "discriminative",
)  # fmt: skip
SHARE = 0.8
BASELINES = ("gaussian_mixture", "block_bootstrap")


def study(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one data set."""
    _, rows = real_windows(name, LENGTH)
    cut = round(SHARE * len(rows))
    windows = np.lib.stride_tricks.sliding_window_view(rows[:cut], LENGTH, axis=0).swapaxes(1, 2)
    model = train(windows, "recipe", 0, arguments.minutes, arguments.threads)
    samples = np.asarray(model.sample(len(rows) - cut - LENGTH + 1, seed=1))
    print(f"{name}: trained on {len(windows)} windows, {model.outcome_.steps} steps", flush=True)
    found = evaluate(
        rows[cut:],
        samples,
        rows[:cut],
        length=LENGTH,
        metrics=METRICS,
        baselines=BASELINES,
        repeats=arguments.repeats,
    ).as_json()
    show(found["metrics"])
    return found


def show(metrics: dict[str, Any]) -> None:
    """Each figure beside its floors and the baselines'."""

    def number(value: Any) -> str:
        return f"{value:.4g}" if isinstance(value, int | float) else "–"

    table(
        [
            {
                "metric": metric,
                "diffusion": number(figure.get("value")),
                **{b: number(figure.get("baselines", {}).get(b)) for b in BASELINES},
                **{f"floor ({k})": number(figure.get("floors", {}).get(k)) for k in ("sampling", "shift")},
            }
            for metric, figure in metrics.items()
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", default=["google_stock", "etth1", "energy"])
    parser.add_argument("--minutes", type=float, default=5.0, help="of training")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", default="held_out", help="name of the result file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sets = {name: study(name, arguments) for name in arguments.data}
    write(arguments.out, {"recipe": RECIPE, "minutes": arguments.minutes, "sets": sets})


if __name__ == "__main__":
    main()
