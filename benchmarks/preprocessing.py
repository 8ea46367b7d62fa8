"""Does the space in which it is diffused matter? One small network, one objective, several maps.

Gaussian windows with exact covariance C, so that the answer is known. Per map and problem, over trainings
with several seeds: `distance`, the Fréchet distance of 2,000 samples to N(0, C) as a share of tr C; and
`spectrum`, the mean |log ratio| of the samples' variances along the eigenvectors of C, in which the small
ones count as much as the large. The floor is that of 2,000 exact draws.

    python benchmarks/preprocessing.py [--seeds 2] [--steps 300] [--threads 1]
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np
import torch
from scipy.linalg import sqrtm

from common import table, write
from undula import DiffusionModel

LENGTH, SAMPLES = 56, 2000
MAPS = {
    "raw": {"type": "raw"},
    "difference": {"type": "difference"},
    "wavelet": {"type": "wavelet"},
    "fourier": {"type": "fourier"},
    "multi_scale": {"type": "multi_scale", "params": {"scales": [1, 7, 28]}},
    "decorrelate": {"type": "decorrelate"},
    "decorrelate 0.5": {"type": "decorrelate", "params": {"strength": 0.5}},
}


def covariances() -> dict[str, np.ndarray]:
    n = np.arange(LENGTH)
    lag = np.abs(n[:, None] - n)
    walk = 25.0 + 1.0 + np.minimum(n[:, None], n)  # a level of sd 5, then steps of sd 1
    week = np.cos(2 * np.pi * lag / 7) + 0.3 * 0.9**lag + 0.02 * (lag == 0)
    return {"random walk": walk, "week and AR(1)": week}


def errors(samples: np.ndarray, covariance: np.ndarray) -> tuple[float, float]:
    found = np.cov(samples.T)
    cross = np.real(sqrtm(sqrtm(covariance) @ found @ sqrtm(covariance)))
    squared = np.square(samples.mean(0)).sum() + np.trace(covariance + found - 2 * cross)
    values, vectors = np.linalg.eigh(covariance)
    ratio = np.diag(vectors.T @ found @ vectors) / values
    return float(squared / np.trace(covariance)), float(np.abs(np.log(ratio)).mean())


def trained(spec: dict[str, object], x: np.ndarray, steps: int, seed: int) -> np.ndarray:
    model = DiffusionModel(
        preprocessing=spec,
        architecture={
            "type": "transformer",
            "params": {"model_dim": 48, "num_heads": 4, "num_layers": 2, "patch_size": 7},
        },
        sampler={"type": "heun", "params": {"num_steps": 10}},
        data={"predict_len": LENGTH},
        training={
            "max_steps": steps,
            "batch_size": 64,
            "learning_rate": 2e-3,
            "num_epochs": 1000,
            "ema_decay": 0.99,
        },
        seed=seed,
    )
    return np.asarray(model.fit(x[..., None]).sample(SAMPLES, seed=seed, batch_size=2000))[..., 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for problem, covariance in covariances().items():
        root = np.linalg.cholesky(covariance)
        exact = np.random.default_rng(99).normal(size=(SAMPLES, LENGTH)) @ root.T
        floor = errors(exact, covariance)
        rows.append(
            {
                "problem": problem,
                "map": "exact draws",
                "distance": floor[0],
                "sd": 0.0,
                "spectrum": floor[1],
                "sd ": 0.0,
            }
        )
        for name, spec in MAPS.items():
            found = []
            for seed in range(arguments.seeds):
                x = np.random.default_rng(seed).normal(size=(4000, LENGTH)) @ root.T
                found.append(errors(trained(spec, x, arguments.steps, seed), covariance))
            distance, spectrum = zip(*found, strict=True)
            rows.append({
                "problem": problem, "map": name,
                "distance": statistics.mean(distance), "sd": statistics.pstdev(distance),
                "spectrum": statistics.mean(spectrum), "sd ": statistics.pstdev(spectrum),
            })  # fmt: skip
            print(rows[-1], flush=True)
    table(rows)
    write("preprocessing", {"seeds": arguments.seeds, "steps": arguments.steps, "rows": rows})


if __name__ == "__main__":
    main()
