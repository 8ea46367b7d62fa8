"""The demo's marks: quality over several seeds, speed of sampling.

Each seed trains the preset sp500 anew. The marks, each on the worst seed:

* autocorrelation of |r| inside the held-out interval, or within 30 % of its nearer edge;
* excess kurtosis at least half the real one (held-out and training part);
* Wasserstein distance at most 1.5 times the larger floor, and 1.3 times the training part's own;
* nearer than the Gaussian on kurtosis, tails and |r|-autocorrelation, and than the i.i.d. bootstrap
  on the autocorrelations (tails in standard deviations, both together: the held-out part's upper
  tail happens to be nearly a Gaussian's, the training part's is not, so both comparisons stand);
* no sign of copying; 256 windows in at most 2.5 s with 20 network calls; training in 3 minutes.

    python benchmarks/demo.py [--seeds 3] [--threads 2]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from typing import Any

import torch

from common import table, verdict, write
from undula import DiffusionModel, ExperimentRunner

GAUSSIAN_LACKS = ("kurtosis", "acf_abs")
TAILS = ("tail_0.1%", "tail_99.9%")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows, marks = [], []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(arguments.seeds):
            runner = ExperimentRunner.from_config(
                "sp500",
                [f"experiment.seed={seed}", f"training.threads={arguments.threads}"],
                out=folder,
                quiet=True,
            )
            result = runner.run()
            assert result is not None
            row, mark = judged(seed, result.results)
            mark["seconds for 256 windows, 20 calls"] = (sampling_seconds(str(result.folder)), 2.5)
            rows.append(row)
            marks.append(mark)
            table(rows[-1:])
    table(rows)
    figures = []
    for what, (_, bound) in marks[0].items():
        figures.append(verdict(what, max(mark[what][0] for mark in marks), bound))
    write("demo", {"rows": rows, "figures": figures})


def judged(seed: int, results: dict[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[float, float]]]:
    """A row of numbers, and each mark's figure with its bound (met at or below)."""
    metrics = results["metrics"]
    numbers = {name: metrics[name].get("statistic", {}) for name in metrics}
    acf, kurtosis, distance = numbers["acf_abs"], numbers["kurtosis"], metrics["wasserstein"]
    outside = max(acf["low"] - acf["generated"], acf["generated"] - acf["high"], 0.0)
    edge = acf["low"] if acf["generated"] < acf["low"] else acf["high"]
    real = max(kurtosis["held_out"], kurtosis["train"])
    worst = {
        base: max(metrics[m]["value"] / metrics[m]["baselines"][base] for m in names)
        for base, names in (("gaussian", GAUSSIAN_LACKS), ("iid_bootstrap", ("acf", "acf_abs")))
    }
    tails = sum(metrics[m]["value"] for m in TAILS) / sum(metrics[m]["baselines"]["gaussian"] for m in TAILS)
    train_tails = sum(abs(numbers[m]["generated"] - numbers[m]["train"]) for m in TAILS) / sum(
        abs(numbers[m]["gaussian"] - numbers[m]["train"]) for m in TAILS
    )
    row = {
        "seed": seed,
        "kurtosis": kurtosis["generated"],
        "train": kurtosis["train"],
        "acf_abs": acf["generated"],
        "interval": f"[{acf['low']:.3f}, {acf['high']:.3f}]",
        "wasserstein": distance["value"],
        "shift": distance["floors"]["shift"],
        "copying": metrics["copying"]["value"],
        "train s": results["timing"]["train_s"],
    }
    marks = {
        "|r| acf: distance outside the interval over its edge": (outside / edge, 0.30),
        "real kurtosis over the samples'": (real / kurtosis["generated"], 2.0),
        "Wasserstein over the larger floor": (distance["value"] / distance["floor"], 1.5),
        "Wasserstein over the training part's": (distance["value"] / distance["floors"]["shift"], 1.3),
        "difference over the Gaussian's: kurtosis, |r| acf": (worst["gaussian"], 1.0),
        "difference over the Gaussian's: both tails in sd": (tails, 1.0),
        "the same, from the training part": (train_tails, 1.0),
        "difference over the i.i.d. bootstrap's: acf, |r| acf": (worst["iid_bootstrap"], 1.0),
        "share of copies": (metrics["copying"]["value"], 0.02),
        "training seconds": (results["timing"]["train_s"], 180.0),
    }
    return row, marks


def sampling_seconds(folder: str) -> float:
    model = DiffusionModel.load(folder)
    seconds = []
    for seed in range(4):
        start = time.perf_counter()
        model.sample(256, seed=seed, num_steps=20)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
