"""Every component swapped into one base config, on data with known answers.

    AR(1)            the Gaussian 2-Wasserstein distance to the exact law, in closed form
    sines, jumps     the sliced Wasserstein distance to fresh draws of the generator
    S&P 500          the same to the held-out fifth

Windows of 24 steps. The sliced distance is taken on the windows and their increments side by side,
each in its own standard deviations. All distances are in units of their floor, the distance of as
many real windows; 1 is as good as real. Each variant is trained from scratch on every data set for
the same number of steps, once a seed; the table gives the means, and the spread over seeds in the
JSON file. `step` is a training step's time over the base's, taken alternately in one run.

    python benchmarks/components.py [--seeds 2] [--steps 600] [--only WORD] [--threads 2]
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from typing import Any, NamedTuple

import numpy as np
import torch

from common import alternate, ratio, table, write
from undula import DiffusionModel, Registry
from undula.core.errors import IncompatibleError
from undula.data.options import DataOptions
from undula.data.prepare import PreparedData, prepare
from undula.diffusion.loss import DiffusionLoss
from undula.model.fitting import training_batch

LENGTH, DRAWN, PROJECTIONS = 24, 4000, 500
Spec = dict[str, Any]

BASE: dict[str, Spec] = {
    "preprocessing": {"type": "raw"},
    "architecture": {
        "type": "transformer",
        "params": {"model_dim": 48, "num_heads": 4, "num_layers": 2, "patch_size": 2},
    },
    "noise": {"type": "standard"},
    "sde": {"type": "rectified"},
    "objective": {"type": "flow_matching"},
    "sampler": {"type": "dpm", "params": {"num_steps": 20}},
}  # fmt: skip
VARIANTS: dict[str, list[Spec]] = {
    "preprocessing": [
        {"type": "quantile"},
        {"type": "difference"},
        {"type": "wavelet", "params": {"wavelet": "db4", "level": 3}},
        {"type": "fourier"},
        {"type": "multi_scale", "params": {"scales": [1, 7, 30]}},
        {"type": "decorrelate"},
        {"type": "decorrelate", "params": {"strength": 0.5}},
    ],
    "architecture": [
        {"type": "mlp", "params": {"model_dim": 160, "num_layers": 3}},
        {"type": "unet", "params": {"channels": [24, 48], "embedding_dim": 64}},
        {"type": "cnn"},
        {"type": "gru"},
        {"type": "lstm"},
        {"type": "hybrid"},
        {"type": "ensemble", "params": {"models": ["transformer", "cnn", "rnn"]}},
    ],
    "noise": [
        {"type": "correlated", "params": {"ar": 0.9, "floor": 0.1}},
        {"type": "correlated", "params": {"power_law": 1.0, "floor": 0.1}},
        {"type": "structured"},
        {"type": "adaptive"},
        {"type": "standard", "params": {"schedule": "cosine"}},
    ],
    "sde": [{"type": name} for name in ("vpsde", "subvpsde", "vesde", "cosine")],
    "objective": [
        {"type": "denoising"},
        {"type": "edm"},
        {"type": "variational_bound"},
        {"type": "flow_matching", "params": {"loss": "huber"}},
        {"type": "flow_matching", "params": {"prediction": "v", "loss_weight": "sigmoid"}},
    ],
    "sampler": [
        {"type": "euler", "params": {"num_steps": 20}},
        {"type": "euler", "params": {"num_steps": 1000}},
        {"type": "ddim", "params": {"num_steps": 20}},
        {"type": "ddpm", "params": {"num_steps": 100}},
        {"type": "heun", "params": {"num_steps": 10}},
        {"type": "pc", "params": {"num_steps": 50}},
        {"type": "unipc", "params": {"num_steps": 20}},
        {"type": "adaptive"},
    ],
}


class Problem(NamedTuple):
    """Data to train on, and fresh real windows (N, L, C) or the exact covariance of a window."""

    data: PreparedData
    fresh: np.ndarray
    covariance: np.ndarray | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--only", default="")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    chosen = [("base", "", {})]
    chosen += [(kind, _name(spec), {kind: spec}) for kind, specs in VARIANTS.items() for spec in specs]
    chosen = [row for row in chosen if arguments.only in f"{row[0]} {row[1]}"]
    base = {
        seed: {name: _fit({}, p, seed, arguments.steps) for name, p in problems().items()}
        for seed in range(arguments.seeds)
    }
    rows = []
    for kind, name, change in chosen:
        start = time.perf_counter()
        row, spread = _row(kind, name, change, base, arguments.steps)
        rows.append(row | {"spread": spread, "seconds": round(time.perf_counter() - start, 1)})
        table([row])
    print()
    table([{k: v for k, v in row.items() if k not in ("spread", "seconds")} for row in rows])
    write("components", {"length": LENGTH, "steps": arguments.steps, "seeds": arguments.seeds, "rows": rows})


def _row(kind: str, name: str, change: dict[str, Spec], base: Any, steps: int) -> tuple[dict[str, Any], Any]:
    """One line of the table: distances, calls, the step's time; and the spread over seeds."""
    row: dict[str, Any] = {"kind": kind, "component": name}
    found: dict[str, list[float]] = {problem: [] for problem in problems()}
    try:
        for seed, models in base.items():
            for problem, data in problems().items():
                model = models[problem]
                if change and kind != "sampler":
                    model = _fit(change, data, seed, steps)
                sampler = change.get("sampler")
                samples = np.asarray(model.sample(DRAWN, seed=seed + 100, sampler=sampler))
                found[problem].append(distance(samples, data) / floor(problem))
    except IncompatibleError as error:
        return {**row, **dict.fromkeys(problems(), "refused"), "calls": 0, "step": 0.0}, str(error)
    row |= {problem: statistics.mean(values) for problem, values in found.items()}
    chosen = Registry.resolve("sampler", change.get("sampler", BASE["sampler"]))
    row["calls"] = chosen.calls
    row["step"] = 1.0 if not change or kind == "sampler" else step_ratio(model, base[0]["sp500"])
    return row, found


def _fit(change: dict[str, Spec], problem: Problem, seed: int, steps: int) -> DiffusionModel:
    training = {"max_steps": steps, "num_epochs": None, "batch_size": 128, "learning_rate": 2e-3}
    return DiffusionModel(**{**BASE, **change}, training=training, seed=seed).fit(problem.data)


def step_ratio(model: DiffusionModel, base: DiffusionModel) -> float:
    """A training step's time over the base's: loss, gradients, without the optimiser."""
    problem = problems()["sp500"]

    def step_of(chosen: DiffusionModel) -> Any:
        parts = chosen.parts_
        loss = DiffusionLoss(
            chosen.denoiser_, parts.objective, parts.preprocessing, 0, parts.architecture.condition_dropout
        )
        batch = training_batch(chosen.collator_, problem.data.parts.train.batch(np.arange(128)))
        place = torch.arange(128)

        def step() -> None:
            loss.zero_grad()
            loss(batch, 0, place, 128).mean().backward()

        return step

    seconds = alternate({"variant": step_of(model), "base": step_of(base)}, rounds=15, warmup=2)
    return ratio(seconds, "variant", "base")


# -- data and distances ----------------------------------------------------------------------------


@functools.cache
def problems() -> dict[str, Problem]:
    """The four data sets."""
    ar1 = Registry.get("dataset", "ar1")
    sp500 = prepare(
        _options(
            "sp500", columns=["close"], transform="log_return", split={"train": 0.8, "val": 0.0, "test": 0.2}
        )
    )
    return {
        "ar1": Problem(prepare(_options("ar1")), np.empty(0), ar1.covariance(LENGTH)),
        "sines": Problem(
            prepare(_options({"type": "sines", "params": {"num_columns": 2}})), _fresh("sines", 1)
        ),
        "jumps": Problem(prepare(_options("jump_diffusion", transform="log_return")), _fresh("jumps", 1)),
        "sp500": Problem(sp500, sp500.parts.test.futures()),
    }


def _options(dataset: Any, **others: Any) -> DataOptions:
    split = {"train": 1.0, "val": 0.0, "test": 0.0}
    return DataOptions.model_validate({"dataset": dataset, "predict_len": LENGTH, "split": split, **others})


def _fresh(name: str, seed: int) -> np.ndarray:
    """Windows of a generator under another seed."""
    if name == "sines":
        return _windows("sines", {"num_columns": 2, "seed": seed}, {})
    return _windows("jump_diffusion", {"seed": seed, "num_steps": 40 * DRAWN}, {"transform": "log_return"})


def _windows(source: str, params: Spec, options: Spec) -> np.ndarray:
    prepared = prepare(_options({"type": source, "params": params}, **options, stride=LENGTH))
    return _spread(prepared.parts.train.futures())


def _spread(windows: np.ndarray) -> np.ndarray:
    return windows[np.linspace(0, len(windows) - 1, min(len(windows), DRAWN)).astype(int)]


def distance(samples: np.ndarray, problem: Problem) -> float:
    """Of samples to the problem's law."""
    if problem.covariance is not None:
        return bures(samples[..., 0], problem.covariance)
    return sliced(samples, problem.fresh)


@functools.cache
def floor(name: str) -> float:
    """The distance of real windows, as many as are drawn."""
    problem = problems()[name]
    if problem.covariance is not None:
        exact = np.random.default_rng(5).multivariate_normal(
            np.zeros(LENGTH), problem.covariance, (10, DRAWN)
        )
        return float(np.mean([bures(draw, problem.covariance) for draw in exact]))
    if name == "sp500":  # the training part against the held-out part: what a resampler would reach
        return sliced(_spread(problem.data.parts.train.futures()), problem.fresh)
    return sliced(_fresh(name, seed=2), problem.fresh)


def bures(samples: np.ndarray, covariance: np.ndarray) -> float:
    """The 2-Wasserstein distance of the samples' Gaussian to N(0, covariance)."""
    mean, own = samples.mean(0), np.cov(samples.T)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.sqrt(np.linalg.eigvalsh(root @ own @ root).clip(0)).sum()
    return float(np.sqrt(max(0.0, mean @ mean + np.trace(own) + np.trace(covariance) - 2 * cross)))


def sliced(samples: np.ndarray, real: np.ndarray) -> float:
    """The sliced 2-Wasserstein distance of windows with their increments, in standard deviations."""

    def features(windows: np.ndarray) -> np.ndarray:
        steps = np.diff(windows, axis=1)
        return np.concatenate(
            [
                (part / scale).reshape(len(windows), -1)
                for part, scale in ((windows - centre, spread), (steps, spread_of_steps))
            ],
            axis=1,
        )

    centre, spread = real.mean((0, 1)), real.std((0, 1))
    spread_of_steps = np.diff(real, axis=1).std((0, 1))
    a, b = features(samples), features(real)
    directions = np.random.default_rng(0).standard_normal((a.shape[1], PROJECTIONS))
    directions /= np.linalg.norm(directions, axis=0)
    levels = (np.arange(1000) + 0.5) / 1000
    first, second = (np.quantile(x @ directions, levels, axis=0) for x in (a, b))
    return float(np.sqrt(((first - second) ** 2).mean()))


def _name(spec: Spec) -> str:
    params = ", ".join(f"{k} {v}" for k, v in spec.get("params", {}).items() if not isinstance(v, dict))
    return f"{spec['type']} ({params})" if params else spec["type"]


if __name__ == "__main__":
    main()
