"""Every component swapped into one base config, on data with known answers.

    AR(1)            the Gaussian 2-Wasserstein distance to the exact law, in closed form
    sines, jumps     the sliced Wasserstein distance to fresh draws of the generator
    S&P 500          the same to held-out years: the model is trained on every other one

Windows of 24 steps. The sliced distance is taken on the windows, their increments and their absolute
values side by side, each in its own standard deviations. All distances are in units of their floor,
the distance of as many real windows (of S&P 500 that of the training years to the held-out ones); 1
is as good as real. Each variant is trained from scratch on every data set for the same number of
steps, once a seed; the table gives the means, and the spread over seeds in the JSON file. `log_return`
and `technical` are trained on prices, and their samples judged as log returns. `step` is a training
step's time over the base's, taken alternately in one run.

    python benchmarks/components.py [--seeds 2] [--steps 300] [--only WORD] [--workers 2]
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import statistics
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
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

LENGTH, DRAWN, PROJECTIONS = 24, 2000, 500
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
NETWORKS: dict[str, Spec] = {
    "cnn": {"type": "cnn", "params": {"model_dim": 48, "num_layers": 4}},
    "gru": {"type": "gru", "params": {"model_dim": 48, "num_layers": 2}},
    "lstm": {"type": "lstm", "params": {"model_dim": 48, "num_layers": 2}},
    "hybrid": {"type": "hybrid", "params": {"model_dim": 48, "num_layers": 1}},
}
PRICED = ("log_return", "technical")  # trained on prices; their samples are judged as log returns
REGULARISERS = ("moments", "spectrum", "increments")
SHORT_INDICATORS = {
    **{name: [5] for name in ("volatility", "rsi", "bollinger", "momentum", "sma", "ema")},
    "macd": [3, 6, 3],
    "atr": [],
}
VARIANTS: dict[str, list[Spec]] = {
    "preprocessing": [
        {"type": "quantile"},
        {"type": "difference"},
        {"type": "wavelet", "params": {"wavelet": "db4", "level": 3}},
        {"type": "fourier"},
        {"type": "multi_scale", "params": {"scales": [1, 7, 30]}},
        {"type": "decorrelate"},
        {"type": "decorrelate", "params": {"strength": 0.5}},
        {"type": "pipeline", "params": {"steps": ["quantile", "wavelet"]}},
        {"type": "log_return"},
        {"type": "technical", "params": {"mode": "channels", "price": "log_return"} | SHORT_INDICATORS},
    ],
    "architecture": [
        {"type": "mlp", "params": {"model_dim": 160, "num_layers": 3}},
        {"type": "unet", "params": {"channels": [24, 48], "embedding_dim": 64}},
        *NETWORKS.values(),
        {"type": "ensemble", "params": {"models": [BASE["architecture"], NETWORKS["cnn"], NETWORKS["gru"]]}},
    ],
    "noise": [
        {"type": "correlated", "params": {"ar": 0.9, "floor": 0.1}},
        {"type": "correlated", "params": {"power_law": 1.0, "floor": 0.1}},
        {"type": "structured"},
        {"type": "structured", "params": {"pattern": "block", "block": 6}},
        {
            "type": "adaptive",
            "with": {"objective": {"type": "flow_matching", "params": {"density": "uniform"}}},
        },
        {"type": "standard", "params": {"schedule": "cosine"}},
    ],
    "sde": [{"type": name} for name in ("vpsde", "subvpsde", "vesde", "cosine")],
    "objective": [
        {"type": "denoising"},
        {"type": "edm"},
        {"type": "variational_bound"},
        {"type": "flow_matching", "params": {"loss": "huber"}},
        {"type": "flow_matching", "params": {"prediction": "v", "loss_weight": "sigmoid"}},
        *({"type": "flow_matching", "params": {"regularisers": [name]}} for name in REGULARISERS),
    ],
    "sampler": [
        {"type": "euler", "params": {"num_steps": 20}},
        {"type": "euler", "params": {"num_steps": 200}},
        {"type": "ddim", "params": {"num_steps": 20}},
        {"type": "dpm", "params": {"num_steps": 20, "order": 3}},
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
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--only", default="")
    parser.add_argument("--workers", type=int, default=2, help="processes of one thread each")
    arguments = parser.parse_args()
    chosen = [("base", "", {})]
    chosen += [(kind, _name(spec), _change(kind, spec)) for kind, specs in VARIANTS.items() for spec in specs]
    chosen = [row for row in chosen if arguments.only in f"{row[0]} {row[1]}"]
    rows = []
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, spawn, torch.set_num_threads, (1,)) as pool:
        for row in pool.map(_row, chosen, repeat(arguments.seeds), repeat(arguments.steps)):
            rows.append(row)
            table([_shown(row)])
            result = {"length": LENGTH, "steps": arguments.steps, "seeds": arguments.seeds, "rows": rows}
            write("components", result)
    print()
    table([_shown(row) for row in rows])


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("spread", "seconds")}


def _row(row: tuple[str, str, dict[str, Spec]], seeds: int, steps: int) -> dict[str, Any]:
    """One line of the table: distances, calls, the step's time, and the spread over seeds."""
    kind, name, change = row
    start = time.perf_counter()
    priced = change.get("preprocessing", {}).get("type") in PRICED
    training_data = prices() if priced else {name: p.data for name, p in problems().items()}
    found: dict[str, list[float]] = {problem: [] for problem in training_data}
    retrained = bool(change) and kind != "sampler"
    try:
        for seed in range(seeds):
            for problem, data in training_data.items():
                model = _fit(change, data, seed, steps) if retrained else base_model(problem, seed, steps)
                samples = np.asarray(model.sample(DRAWN, seed=seed + 100, sampler=change.get("sampler")))
                samples = np.diff(np.log(samples), axis=1) if priced else samples
                found[problem].append(distance(samples, problems()[problem]) / floor(problem))
    except IncompatibleError as error:
        cells = {**dict.fromkeys(problems(), "refused"), "calls": 0, "step": 0.0, "spread": str(error)}
    else:
        cells = {name: statistics.mean(found[name]) if name in found else "-" for name in problems()}
        cells["calls"] = round(model.calls_)
        base = base_model("sp500", 0, steps)
        cells["step"] = step_ratio(model, training_data["sp500"], base) if retrained else 1.0
        cells["spread"] = found
    return {"kind": kind, "component": name, **cells, "seconds": round(time.perf_counter() - start, 1)}


@functools.cache
def base_model(problem: str, seed: int, steps: int) -> DiffusionModel:
    """The base, trained on a problem."""
    return _fit({}, problems()[problem].data, seed, steps)


def _fit(change: dict[str, Spec], data: PreparedData, seed: int, steps: int) -> DiffusionModel:
    training = {"max_steps": steps, "num_epochs": None, "batch_size": 128, "learning_rate": 2e-3}
    return DiffusionModel(**{**BASE, **change}, training=training, seed=seed).fit(data)


def step_ratio(model: DiffusionModel, data: PreparedData, base: DiffusionModel) -> float:
    """A training step's time over the base's: loss, gradients, without the optimiser."""

    def step_of(chosen: DiffusionModel, data: PreparedData) -> Any:
        parts = chosen.parts_
        loss = DiffusionLoss(
            chosen.denoiser_, parts.objective, parts.preprocessing, 0, parts.architecture.condition_dropout
        )
        batch = training_batch(chosen.collator_, data.parts.train.batch(np.arange(128)))
        place = torch.arange(128)

        def step() -> None:
            loss.zero_grad()
            loss(batch, 0, place, 128).mean().backward()

        return step

    steps = {"variant": step_of(model, data), "base": step_of(base, problems()["sp500"].data)}
    seconds = alternate(steps, rounds=15, warmup=2)
    return ratio(seconds, "variant", "base")


def _change(kind: str, spec: Spec) -> dict[str, Spec]:
    """The components that a variant exchanges."""
    return {kind: {k: v for k, v in spec.items() if k != "with"}, **spec.get("with", {})}


# -- data and distances ----------------------------------------------------------------------------


@functools.cache
def problems() -> dict[str, Problem]:
    """The four data sets."""
    sines = Problem(prepare(_options({"type": "sines", "params": {"num_columns": 2}})), _fresh("sines", 1))
    returns, held_out = alternating_years()
    return {
        "ar1": Problem(
            prepare(_options("ar1")), np.empty(0), Registry.get("dataset", "ar1").covariance(LENGTH)
        ),
        "sines": sines,
        "jumps": Problem(prepare(_options("jump_diffusion", transform="log_return")), _fresh("jumps", 1)),
        "sp500": Problem(
            prepare(_options(None, transform="log_return"), returns),
            prepare(_options(None, transform="log_return"), held_out).parts.train.futures(),
        ),
    }


@functools.cache
def prices() -> dict[str, PreparedData]:
    """Windows of prices with as many log returns, of the data sets that have prices."""
    return {
        "jumps": prepare(_options("jump_diffusion", predict_len=LENGTH + 1)),
        "sp500": prepare(_options(None, predict_len=LENGTH + 1), alternating_years()[0]),
    }


def alternating_years() -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Closing prices of the S&P 500, years of trading (253 prices) to train on and to judge by in turn.

    A fifth at the end, the usual held-out part, is so calm that even white noise of the training part's
    variance is as near to it as the training part is: it would not tell components apart.
    """
    close = Registry.get("dataset", "sp500").load()["close"].to_numpy()
    years = [close[i : i + 253, None] for i in range(0, len(close) - 253, 252)]
    return years[::2], years[1::2]


def _options(dataset: Any, **others: Any) -> DataOptions:
    split = {"train": 1.0, "val": 0.0, "test": 0.0}
    return DataOptions.model_validate(
        {"dataset": dataset, "predict_len": LENGTH, "split": split, "transform": "none", **others}
    )


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
    """The sliced 2-Wasserstein distance of windows, their increments and sizes, in standard deviations.

    Along directions with 1, 2, 4 and 8 entries that are not zero: a sum of many values is nearly normal
    whatever their tails are.
    """

    def features(windows: np.ndarray) -> np.ndarray:
        values = (windows - centre) / spread
        steps, sizes = np.diff(values, axis=1) / spread_of_steps, (np.abs(values) - size) / spread_of_sizes
        return np.concatenate([part.reshape(len(windows), -1) for part in (values, steps, sizes)], axis=1)

    centre, spread = real.mean((0, 1)), real.std((0, 1))
    standard = (real - centre) / spread
    spread_of_steps = np.diff(standard, axis=1).std((0, 1))
    size, spread_of_sizes = np.abs(standard).mean((0, 1)), np.abs(standard).std((0, 1))
    a, b = features(samples), features(real)
    rng = np.random.default_rng(0)
    directions = rng.standard_normal((a.shape[1], PROJECTIONS))
    ranks = rng.permuted(np.tile(np.arange(a.shape[1])[:, None], PROJECTIONS), axis=0)
    directions *= ranks < 2 ** (np.arange(PROJECTIONS) % 4)
    directions /= np.linalg.norm(directions, axis=0)
    levels = (np.arange(1000) + 0.5) / 1000
    first, second = (np.sort(x @ directions, axis=0)[(levels * len(x)).astype(int)] for x in (a, b))
    return float(np.sqrt(((first - second) ** 2).mean()))


def _name(spec: Spec) -> str:
    if "models" in spec.get("params", {}):
        return f"{spec['type']} (of {', '.join(one['type'] for one in spec['params']['models'])})"
    params = ", ".join(f"{k} {v}" for k, v in spec.get("params", {}).items() if k not in SHORT_INDICATORS)
    return f"{spec['type']} ({params})" if params else spec["type"]


if __name__ == "__main__":
    main()
