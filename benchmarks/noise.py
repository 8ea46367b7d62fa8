"""Which noise suits correlated data? AR(1) windows of 32 steps, one small network, equal training.

The distance of the samples' covariance to the exact one, φ^|i−j|: over the whole matrix
(‖Ĉ − C‖/‖C‖, Frobenius), and in the variance of the increments, which is where smooth noise could
leave the data undestroyed (relative error, signed). "exact" is as many exact draws, "training" the
training windows. Mean and standard deviation over seeds (of the training and of the samples).

    python benchmarks/noise.py [--seeds 3] [--steps 600] [--samples 8000]
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import torch

from common import table, write
from undula import DiffusionModel

PHI, LENGTH = 0.9, 32
NOISES = {
    "standard": "standard",
    "correlated, ar 0.9": {"type": "correlated", "params": {"ar": 0.9}},
    "correlated, ar 0.9, floor 0.5": {"type": "correlated", "params": {"ar": 0.9, "floor": 0.5}},
    "correlated, power_law 1": {"type": "correlated", "params": {"power_law": 1.0}},
    "adaptive": "adaptive",
    "adaptive, floor 0.1": {"type": "adaptive", "params": {"floor": 0.1}},
}
SETTINGS = {
    "flow_matching, uniform, rectified": {
        "objective": {"type": "flow_matching", "params": {"density": "uniform"}},
        "sde": "rectified",
    },
    "score_matching (eps), vpsde": {"objective": "score_matching", "sde": "vpsde"},
    "score_matching (v), vpsde": {
        "objective": {"type": "score_matching", "params": {"prediction": "v"}},
        "sde": "vpsde",
    },
}


def distances(x: np.ndarray) -> tuple[float, float]:
    """Of windows (N, 32): the covariance's, and the increments' variance's."""
    steps = np.arange(LENGTH)
    exact = PHI ** np.abs(steps[:, None] - steps)
    found = x.T @ x / len(x)
    increments = np.diff(x, axis=1).var() / (2 * (1 - PHI)) - 1
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact)), float(increments)


def trained(noise: object, setting: dict[str, object], seed: int, steps: int) -> DiffusionModel:
    return DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 128, "num_layers": 2, "embedding_dim": 64}},
        noise=noise,
        **setting,
        sampler={"type": "heun", "params": {"num_steps": 20}},
        data={
            "dataset": {"type": "ar1", "params": {"phi": PHI, "num_steps": 200_000}},
            "predict_len": LENGTH,
            "split": {"train": 1.0, "val": 0.0, "test": 0.0},
        },
        training={"batch_size": 256, "max_steps": steps, "learning_rate": 2e-3, "sample_every": None},
        seed=seed,
    ).fit()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--samples", type=int, default=8000)
    arguments = parser.parse_args()
    torch.set_num_threads(1)

    rows: list[dict[str, str]] = []
    results: list[dict[str, object]] = []

    def add(setting: str, noise: str, found: list[tuple[float, float]], seconds: float) -> None:
        whole, increments = np.array(found).T
        result = {
            "setting": setting,
            "noise": noise,
            "covariance": float(whole.mean()),
            "covariance_sd": float(whole.std(ddof=1)) if len(whole) > 1 else 0.0,
            "increments": float(increments.mean()),
            "increments_sd": float(increments.std(ddof=1)) if len(whole) > 1 else 0.0,
            "train_s": seconds,
        }
        results.append(result)
        rows.append(
            {
                "path": setting,
                "noise": noise,
                "covariance": f"{result['covariance']:.3f} ± {result['covariance_sd']:.3f}",
                "increments": f"{result['increments']:+.3f} ± {result['increments_sd']:.3f}",
                "train s": f"{seconds:.1f}",
            }
        )
        print(*rows[-1].values(), sep="  ", flush=True)

    steps = np.arange(LENGTH)
    root = np.linalg.cholesky(PHI ** np.abs(steps[:, None] - steps))
    draws = [
        np.random.default_rng(seed).normal(size=(arguments.samples, LENGTH)) @ root.T
        for seed in range(arguments.seeds)
    ]
    add("-", "exact", [distances(x) for x in draws], 0.0)
    for name, setting in SETTINGS.items():
        for noise, spec in NOISES.items():
            found, seconds = [], 0.0
            for seed in range(arguments.seeds):
                start = time.perf_counter()
                model = trained(spec, setting, seed, arguments.steps)
                seconds += time.perf_counter() - start
                found.append(distances(model.sample(arguments.samples, seed=seed, batch_size=1000)[..., 0]))
            add(name, noise, found, seconds / arguments.seeds)
    table(rows)
    write("noise", {"seeds": arguments.seeds, "steps": arguments.steps, "rows": results})


if __name__ == "__main__":
    main()
