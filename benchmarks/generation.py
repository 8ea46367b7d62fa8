"""Generation at length 24 with one recipe for all sets, beside the floor, baselines and published rows.

The recipe is the preset `windows`: columns that never cross become gaps, each is modelled at the power on
which its increments do not depend on its level, marginals become nearly normal by a smooth map (levels that
wander keep to a straight line), the principal components of windows are scaled towards white, and a residual
network on the flattened window learns flow matching, at times whose density reaches down to the noise at
which the smallest components are decided. Possible values and the order of columns are restored in the
samples, and their spectrum is that of the training windows. Nothing is tuned by data set but the minutes.
Protocol: the literature's, train = test, as many samples as windows.

    python benchmarks/generation.py [google_stock etth1 energy sines] [--minutes 20] [--seeds 0 1 2]
        [--variants recipe …] [--threads 2] [--calls]

`--variants` names what is left out or put in (see VARIANTS); `--calls` measures quality and time against the
sampler's network calls; `--keep FOLDER` keeps each model's samples and takes those that are there, so that
seeds may be trained side by side (`--only-train`) and judged together. Trained on all windows; those of long
files are judged every fourth row (stated in the result).
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from common import real_windows, table, verdict, write
from undula import DiffusionModel, Registry
from undula.config.loading import load_config
from undula.evaluation.blocks import RealWindows
from undula.evaluation.boosting import boosting_scores
from undula.evaluation.memorisation import copying_check
from undula.evaluation.pairs import Pair
from undula.evaluation.scores import REPEATS, SCORES

LENGTH = 24
STRIDES = {"google_stock": 1, "etth1": 4, "energy": 4, "sines": 1}
METRICS = (
    "context_fid",
    "discriminative",
    "discriminative_gru32",
    "boosting",
    "boosting_plain",
    "correlational",
)
MARKS = {
    "google_stock": {
        "context_fid": 0.015,
        "discriminative": 0.02,
        "boosting": 0.72,
        "boosting_plain": 0.72,
        "discriminative_gru32": 0.05,
    },
    "etth1": {"context_fid": 0.02, "discriminative": 0.015, "boosting": 0.85, "boosting_plain": 0.85},
    "energy": {"context_fid": 0.15, "discriminative": 0.13},
    "sines": {"context_fid": 0.01, "discriminative": 0.01},
}
PUBLISHED = {
    "context_fid": {
        "TimeGAN": {"sines": 0.101, "google_stock": 0.103, "etth1": 0.300, "energy": 0.767},
        "TimeVAE": {"sines": 0.307, "google_stock": 0.215, "etth1": 0.805, "energy": 1.631},
        "Diffusion-TS": {"sines": 0.006, "google_stock": 0.147, "etth1": 0.116, "energy": 0.089},
        "FlowTS (re-run)": {"google_stock": 0.017, "etth1": 0.025, "energy": 0.042},
        "Wavelet FM": {"google_stock": 0.005, "etth1": 0.005, "energy": 0.010},
    },
    "discriminative": {
        "TimeGAN": {"sines": 0.011, "google_stock": 0.102, "etth1": 0.114, "energy": 0.236},
        "Diffusion-TS": {"sines": 0.006, "google_stock": 0.067, "etth1": 0.061, "energy": 0.122},
        "PaD-TS": {"sines": 0.013, "google_stock": 0.055, "energy": 0.078},
        "FlowTS (re-run)": {"google_stock": 0.014, "etth1": 0.008, "energy": 0.079},
        "Wavelet FM": {"google_stock": 0.012, "etth1": 0.005, "energy": 0.098},
    },
}
"""Of the papers, on whole files; ours are on the first four fifths of each."""

PRESET = load_config("windows")
RECIPE: dict[str, Any] = {
    kind: spec
    for kind, spec in PRESET.component_specs().items()
    if kind in ("preprocessing", "architecture", "objective", "sampler")
}
VALUES, ORDER, POWER, NORMAL, WHITER = RECIPE["preprocessing"]["params"]["steps"]
"""The steps; every variant leaves one out, or has another in its place."""


def changed(step: dict[str, Any], **params: Any) -> dict[str, Any]:
    """A step with other parameters."""
    return {**step, "params": {**step["params"], **params}}


STANDARD = {"type": "raw", "params": {"method": "standardise", "snap": False}}
VARIANTS: dict[str, dict[str, Any]] = {
    "recipe": {},
    "no half-whitening": {"preprocessing": [VALUES, ORDER, POWER, NORMAL]},
    "whitened by column and frequency": {
        "preprocessing": [VALUES, ORDER, POWER, NORMAL, changed(WHITER, over="both")]
    },
    "fully whitened": {"preprocessing": [VALUES, ORDER, POWER, NORMAL, changed(WHITER, strength=1.0)]},
    "not calibrated": {"preprocessing": [VALUES, ORDER, POWER, NORMAL, changed(WHITER, calibrate=False)]},
    "no quantile-normal": {"preprocessing": [VALUES, ORDER, POWER, STANDARD, WHITER]},
    "bent maps": {"preprocessing": [VALUES, ORDER, POWER, changed(NORMAL, wander=0.0), WHITER]},
    "no power": {"preprocessing": [VALUES, ORDER, NORMAL, WHITER]},
    "no order": {"preprocessing": [VALUES, POWER, NORMAL, WHITER]},
    "no value grids": {"preprocessing": [ORDER, POWER, NORMAL, WHITER]},
    "standard times": {"objective": "flow_matching"},
    "no products": {"architecture": changed(RECIPE["architecture"], activation="silu")},
    "no dropout": {"architecture": changed(RECIPE["architecture"], dropout=0.0)},
    "gaussianised": {
        "preprocessing": [
            VALUES,
            ORDER,
            POWER,
            NORMAL,
            {"type": "gaussianise", "params": {"strength": 0.5}},
            changed(WHITER, strength=0.3),
        ]
    },
    "min-max": {"preprocessing": [{"type": "raw", "params": {"method": "minmax", "snap": False}}]},
}


def plain_features(windows: np.ndarray) -> np.ndarray:
    """Values, differences over time and means: what the trees saw that set the marks."""
    parts = (windows, np.diff(windows, axis=1), windows.mean(1, keepdims=True))
    return np.concatenate([part.reshape(len(windows), -1) for part in parts], axis=1)


ALL_SCORES = {**SCORES, "boosting_plain": functools.partial(boosting_scores, features=plain_features)}


def train(windows: np.ndarray, variant: str, seed: int, minutes: float, threads: int) -> DiffusionModel:
    """A model of all windows."""
    return DiffusionModel(
        **copy.deepcopy({**RECIPE, **VARIANTS[variant]}),
        data={"predict_len": LENGTH, "split": {"train": 1.0, "val": 0.0, "test": 0.0}},
        training={
            **PRESET.training.model_dump(exclude_unset=True),
            "max_time": 60 * minutes,
            "device": "cpu",
            "threads": threads,
        },
        seed=seed,
    ).fit(windows)  # fmt: skip


def scores(pairs: dict[str, Pair], metrics: tuple[str, ...]) -> dict[str, dict[str, list[float]]]:
    """Each metric of each set, over repeats."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in pairs}
    for metric in metrics:
        values = ALL_SCORES[metric](list(pairs.values()), REPEATS.get(metric, 5), 0)
        for name, row in zip(pairs, values, strict=True):
            found[name][metric] = row.tolist()
    return found


def copies(samples: np.ndarray, windows: np.ndarray) -> dict[str, Any]:
    """The copying check against the training windows."""
    check = copying_check(samples, RealWindows(windows, np.arange(len(windows))))
    return {"share": check.value, "verdict": check.verdict, "median_ratio": check.median_ratio}


def kept(
    path: Path | None, make: Callable[[], tuple[np.ndarray, dict[str, Any]]]
) -> tuple[np.ndarray, dict[str, Any]]:
    """Samples and what is told of their model, from a file or made and written there."""
    if path is not None and path.exists():
        with np.load(path) as stored:
            return stored["samples"], json.loads(str(stored["made"]))
    samples, made = make()
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, samples=samples, made=json.dumps(made))
    return samples, made


def study(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """All variants, seeds and baselines of one data set."""
    stride = STRIDES[name]
    trained_on, series = real_windows(name, LENGTH, 1)
    windows = trained_on[::stride]
    n = len(windows)
    print(f"{name}: {windows.shape}, every {stride}th of {len(trained_on)}", flush=True)
    sets: dict[str, np.ndarray] = {}
    made: dict[str, Any] = {}
    for variant in arguments.variants:
        for seed in arguments.seeds if variant == "recipe" else arguments.seeds[:1]:
            label = f"{variant}, seed {seed}"
            path = arguments.keep and arguments.keep / f"{name}, {label}.npz"

            def make(variant: str = variant, seed: int = seed) -> tuple[np.ndarray, dict[str, Any]]:
                start = time.perf_counter()
                model = train(trained_on, variant, seed, arguments.minutes, arguments.threads)
                about = {
                    "train_s": time.perf_counter() - start,
                    "notes": model.notes(),
                    "steps": model.outcome_.steps,
                    "parameters": model.num_parameters_,
                }
                if arguments.calls and variant == "recipe" and not seed:
                    about["calls"] = against_calls(model, windows)
                return np.asarray(model.sample(n, seed=1)), about

            sets[label], made[label] = kept(path, make)
            print(
                f"  {label}: {made[label]['steps']} steps, {'; '.join(made[label]['notes'][-1:])}", flush=True
            )
    if arguments.only_train:
        return {"made": made}
    stretches = [series] if name != "sines" else list(windows)
    for baseline in ("gaussian_mixture", "block_bootstrap"):
        sets[baseline] = Registry.get("baseline", baseline).fit(stretches, LENGTH).sample(n)
    pairs = {label: Pair.of(samples, windows) for label, samples in sets.items()}
    for k in range(3):
        order = np.random.default_rng(k).permutation(n)
        pairs[f"floor {k}"] = Pair.of(windows[order[: n // 2]], windows[order[n // 2 : 2 * (n // 2)]])
    found = scores(pairs, tuple(arguments.metrics))
    for label, samples in sets.items():
        found[label]["copying"] = copies(samples, trained_on) if name != "sines" else None
    show(name, found)
    return {"windows": list(windows.shape), "stride": stride, "made": made, "scores": found,
            "verdicts": verdicts(name, found)}  # fmt: skip


def against_calls(model: DiffusionModel, windows: np.ndarray) -> list[dict[str, float]]:
    """Seconds of 1000 windows, and Context-FID of all, at 5, 10, 20 and 50 network calls."""
    rows = []
    for calls in (5, 10, 20, 50):
        sampler = {"type": "dpm", "params": {"num_steps": calls, "grid": "log_snr"}}
        start = time.perf_counter()
        model.sample(1000, seed=2, sampler=sampler)
        seconds = time.perf_counter() - start
        samples = np.asarray(model.sample(len(windows), seed=1, sampler=sampler))
        fid = SCORES["context_fid"]([Pair.of(samples, windows)], 1, 0)
        rows.append({"calls": model.calls_, "s_per_1000": seconds, "context_fid": float(fid[0, 0])})
    table(rows)
    return rows


def show(name: str, found: dict[str, Any]) -> None:
    """The table of a data set, published rows below."""
    rows = []
    for label, metrics in found.items():
        numbers = {
            m: f"{np.mean(metrics[m]):.4f} ± {np.std(metrics[m]):.4f}" for m in METRICS if m in metrics
        }
        check = metrics.get("copying")
        rows.append(
            {"row": label, **numbers, "copies": f"{check['share']:.1%} {check['verdict']}" if check else ""}
        )
    for who in PUBLISHED["context_fid"] | PUBLISHED["discriminative"]:
        numbers = {
            m: PUBLISHED.get(m, {}).get(who, {}).get(name, "")
            for m in METRICS
            if m in found["gaussian_mixture"]
        }
        rows.append({"row": f"{who} (printed)", **numbers, "copies": ""})
    table(rows)


def verdicts(name: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """The recipe's means over seeds and repeats against the marks."""
    runs = [metrics for label, metrics in found.items() if label.startswith("recipe")]
    return [
        verdict(f"{name}: {metric}", float(np.mean([np.mean(r[metric]) for r in runs])), mark)
        for metric, mark in MARKS[name].items()
        if runs and metric in runs[0]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", default=list(STRIDES))
    parser.add_argument("--minutes", type=float, default=20.0, help="of training, a model")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--variants", nargs="*", default=["recipe"], choices=VARIANTS)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--calls", action="store_true")
    parser.add_argument("--metrics", nargs="*", default=METRICS, choices=METRICS)
    parser.add_argument("--keep", type=Path, help="folder of samples to keep and to take")
    parser.add_argument("--only-train", action="store_true", help="judge nothing: another run will")
    parser.add_argument("--out", default="generation", help="name of the result file")
    arguments = parser.parse_args()
    if arguments.only_train and not arguments.keep:
        parser.error("--only-train needs --keep FOLDER for the samples")
    torch.set_num_threads(arguments.threads)
    result = {
        "minutes": arguments.minutes,
        "threads": arguments.threads,
        "recipe": RECIPE,
        "published": PUBLISHED,
    }
    result["sets"] = {name: study(name, arguments) for name in arguments.data}
    if not arguments.only_train:
        write(arguments.out, result)


if __name__ == "__main__":
    main()
