"""Filling in values that were taken out of held-out windows, beside interpolation and climatology.

A model of windows of 48 hours that is told nothing, trained on the first eight tenths of ETTh1; of windows
of the last tenth 30, 50, 70 and 90 % of the values are taken out at random, as blocks of hours of all
columns, or as one whole column, and drawn 50 times given the rest. CRPS in training standard deviations;
that of an answer without spread is its absolute error.

    python benchmarks/imputation.py [--minutes 10]
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import pandas as pd
import torch

from common import shared, table, verdict, write
from undula import DiffusionModel, Observation
from undula.data.prepare import prepare
from undula.evaluation.probabilistic import coverage, crps
from undula.model.origins import apart

LENGTH, DRAWS, WINDOWS = 48, 50, 28
SHARES = (0.3, 0.5, 0.7, 0.9)


def holes(kind: str, share: float, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """True where a value is taken out, (N, L, C)."""
    if kind == "random":
        return rng.random(shape) < share
    taken = np.zeros(shape, bool)
    if kind == "column":
        taken[np.arange(shape[0]), :, rng.integers(0, shape[2], shape[0])] = True
        return taken
    width = round(share * shape[1])
    for n, start in enumerate(rng.integers(0, shape[1] - width + 1, shape[0])):
        taken[n, start : start + width] = True
    return taken


def interpolated(values: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Linear in time within a window; a column without any value: the training mean."""
    filled = [pd.DataFrame(w).interpolate(limit_direction="both").fillna(pd.Series(mean)) for w in values]
    return np.stack([f.to_numpy() for f in filled])


def climatology(
    train: np.ndarray, first_hour: np.ndarray, length: int, rng: np.random.Generator
) -> np.ndarray:
    """Draws of training values of the same hour of the day, (S, N, L, C)."""
    hours = (first_hour[:, None] + np.arange(length)) % 24
    days = rng.integers(0, len(train) // 24 - 1, (DRAWS, len(first_hour)))
    return train[days[..., None] * 24 + hours]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10.0, help="of training, at most")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--guidance", default="posterior")
    parser.add_argument("--out", default="imputation", help="name of the result file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    params = {"model_dim": 512, "num_layers": 4, "activation": "swiglu", "dropout": 0.1}
    model = DiffusionModel(
        preprocessing={"type": "raw", "params": {"method": "standardise", "snap": False}},
        architecture={"type": "mlp", "params": params},
        objective={"type": "flow_matching", "params": {"density_mean": -1.2, "density_std": 1.6}},
        sampler={"type": "dpm", "params": {"num_steps": 20, "grid": "log_snr"}},
        data={"path": str(shared("ett/etth1.parquet")), "predict_len": LENGTH, "roles": {"time": "date"}},
        training={
            "num_epochs": 100, "max_time": 60 * arguments.minutes, "batch_size": 256, "learning_rate": 1e-3,
            "device": "cpu", "threads": arguments.threads,
        },
    ).fit()  # fmt: skip
    parts = prepare(model._options).parts
    assert parts.test is not None
    batch = parts.test.batch(apart(parts.test, WINDOWS))
    times = parts.test.times()
    assert times is not None
    chosen = apart(parts.test, WINDOWS)
    first_hour = np.array([pd.Timestamp(times[i][0]).hour for i in chosen])
    truth = batch.future.astype(float)
    train = np.concatenate(parts.train.stretches())
    scale, mean = train.std(0), train.mean(0)
    whole_days = train[: len(train) // 24 * 24]  # the record begins at midnight
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    verdicts = []
    for kind, share in [
        *(("random", s) for s in SHARES),
        *(("block", s) for s in SHARES[:3]),
        ("column", 1.0),
    ]:
        taken = holes(kind, share, truth.shape, rng)
        seen = np.where(taken, np.nan, truth)
        samples = np.asarray(
            model.sample(
                DRAWS * len(truth), seed=1, observation=Observation(seen), guidance=arguments.guidance,
                batch_size=700,
            )
        ).reshape(DRAWS, *truth.shape)  # fmt: skip
        line = interpolated(seen, mean)
        drawn = climatology(whole_days, first_hour, LENGTH, rng)
        own = float((crps(samples, truth) / scale)[taken].mean())
        others = {
            "interpolation": float((np.abs(line - truth) / scale)[taken].mean()),
            "climatology": float((crps(drawn, truth) / scale)[taken].mean()),
        }
        inside = coverage(samples[:, taken], truth[taken])
        rows.append({"holes": f"{kind} {share:.0%}", "undula": own, **others, "90 % coverage": inside})
        print(rows[-1], flush=True)
        if kind == "random":
            verdicts.append(
                verdict(
                    f"{kind} {share:.0%}: CRPS over the better of the two", own / min(others.values()), 1.0
                )
            )
    table(rows)
    outcome = model.outcome_
    write(
        arguments.out,
        {"rows": rows, "verdicts": verdicts, "steps": outcome.steps if outcome else None,
         "guidance": arguments.guidance, "minutes": arguments.minutes},
    )  # fmt: skip


if __name__ == "__main__":
    main()
