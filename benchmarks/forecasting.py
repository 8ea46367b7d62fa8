"""Probabilistic forecasts of the shared sets from rolling origins of their test part, beside forecasters.

One network for all sets (a residual MLP that is told history and covariates), sizes and minutes by set.
Origins lie evenly in the last tenth of the rows, windows do not overlap; forecasters are fitted on the
training part. *calibrated* is after `model.calibrate()` on the tenth before. `wql` is the mean weighted
quantile loss (levels .1 to .9, 2 Σ pinball / Σ|y|), `crps` and `energy` are in training standard deviations.

    python benchmarks/forecasting.py [exchange_rate gefcom2014_load solar etth1 bitcoin] [--minutes 10]
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import torch

from common import shared, table, verdict, write
from undula import DiffusionModel
from undula.experiments.backtest import Backtest, backtest

CALLS, DRAWS = 16, 100


def network(width: int, dropout: float) -> dict[str, Any]:
    """A residual MLP."""
    params = {"model_dim": width, "num_layers": 4, "activation": "swiglu", "dropout": dropout}
    return {"type": "mlp", "params": params}


def after(trend: Any) -> list[dict[str, Any]]:
    """Residuals of a trend, standardised."""
    scaled = {"type": "raw", "params": {"method": "standardise", "snap": False}}
    return [{"type": "residual", "params": {"trend": trend}}, scaled]


def period(name: str, steps: int) -> dict[str, Any]:
    """A component with a period."""
    return {"type": name, "params": {"period": steps}}


CALENDAR = ["hour", "day_of_week", "day_of_year"]
SETS: dict[str, dict[str, Any]] = {
    "exchange_rate": {
        "file": "exchange_rate/exchange_rate.parquet",
        "data": {"history_len": 20, "predict_len": 30},
        "preprocessing": "log_return",
        "architecture": network(64, 0.5),
        "epochs": 3,
        "forecasters": ["naive", "drift", "residual_bootstrap"],
        "marks": [("wql", min, ("naive", "drift", "residual_bootstrap"), 1.02)],
    },
    "gefcom2014_load": {
        "file": "gefcom2014/gefcom2014_e.parquet",
        "data": {
            "history_len": 168,
            "predict_len": 24,
            "roles": {
                "time": "time",
                "target": ["load_mw"],
                "known_covariates": ["temp_f"],
                "calendar": CALENDAR,
            },
        },
        "preprocessing": {"type": "raw", "params": {"method": "standardise"}},
        "architecture": network(384, 0.1),
        "epochs": 60,
        "forecasters": [period("seasonal_naive", 168), "residual_bootstrap", "quantile_regression"],
        "marks": [("wql", min, ("seasonal_naive",), 0.7), ("wql", min, ("quantile_regression",), 0.95)],
    },
    "solar": {
        "file": "gefcom2014/gefcom2014_solar.parquet",
        "data": {
            "history_len": 48,
            "predict_len": 24,
            "roles": {"time": "time", "calendar": ["hour", "day_of_year"]},
        },
        "preprocessing": {"type": "quantile", "params": {}},
        "architecture": network(256, 0.3),
        "epochs": 12,
        "forecasters": [period("climatology", 24), period("seasonal_naive", 24), "residual_bootstrap"],
        "marks": [("wql", min, ("climatology",), 0.75)],
    },
    "etth1": {
        "file": "ett/etth1.parquet",
        "data": {
            "history_len": 168,
            "predict_len": 24,
            "roles": {"time": "date", "calendar": ["hour", "day_of_week"]},
        },
        "preprocessing": after("linear"),
        "architecture": network(192, 0.3),
        "epochs": 8,
        "forecasters": [period("seasonal_naive", 24), "naive", "residual_bootstrap"],
        "marks": [("wql", min, ("seasonal_naive",), 0.85)],
    },
    "bitcoin": {
        "file": "bitcoin/bitcoin_daily.parquet",
        "data": {"history_len": 63, "predict_len": 21, "columns": ["close"], "transform": "log_return"},
        "preprocessing": {"type": "quantile", "params": {"knots": 101}},
        "architecture": network(128, 0.3),
        "epochs": 12,
        "forecasters": ["garch", "residual_bootstrap", "climatology"],
        "marks": [("crps", min, ("garch",), 1.02)],
    },
}


def study(name: str, arguments: argparse.Namespace, seed: int) -> dict[str, Any]:
    """One training and its scores."""
    given = SETS[name]
    model = DiffusionModel(
        preprocessing=given["preprocessing"],
        architecture=given["architecture"],
        objective="flow_matching",
        sampler={"type": "dpm", "params": {"num_steps": CALLS, "grid": "log_snr"}},
        data={
            **given["data"],
            "path": str(shared(given["file"])),
            "split": {"train": 0.8, "val": 0.1, "test": 0.1},
        },
        training={
            "num_epochs": given["epochs"],
            "max_time": 60 * arguments.minutes,
            "batch_size": 256,
            "learning_rate": 1e-3,
            "device": "cpu",
            "threads": arguments.threads,
        },
        seed=seed,
    )
    start = time.perf_counter()
    model.fit()
    seconds = time.perf_counter() - start
    forecasters = given["forecasters"] if seed == arguments.seeds[0] else []
    found: Backtest = backtest(model, None, arguments.origins, DRAWS, forecasters, seed)
    model.calibrate(num_samples=DRAWS, seed=seed + 1)
    again = backtest(model, None, arguments.origins, DRAWS, (), seed)
    scores = {"undula": None, "undula, calibrated": again.scores()["undula"], **found.scores()}
    return {"scores": scores, "train_s": seconds, "steps": model.outcome_.steps, "notes": found.notes}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", nargs="*", default=list(SETS))
    parser.add_argument("--minutes", type=float, default=15.0, help="of training, at most")
    parser.add_argument("--origins", type=int, default=100)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", default="forecasting", help="name of the result file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    results: dict[str, Any] = {}
    verdicts = []
    for name in arguments.data:
        seeds = {seed: study(name, arguments, seed) for seed in arguments.seeds}
        first = seeds[arguments.seeds[0]]["scores"]
        own = {m: float(np.mean([s["scores"]["undula"][m] for s in seeds.values()])) for m in ("wql", "crps")}
        print(f"{name}: {first['undula']['origins']} origins, {len(seeds)} seeds")
        table(
            [
                {
                    "method": method,
                    "wql": score["wql"],
                    "crps": score["crps"],
                    "energy": score["energy_score"],
                    **{f"{level} %": score["coverage"][f"{level / 100:g}"] for level in (50, 80, 90, 95)},
                    "joint 90 %": score["joint_coverage_90"],
                }
                for method, score in first.items()
            ]
        )
        for metric, of, rivals, bound in SETS[name]["marks"]:
            best = of(first[rival][metric] for rival in rivals)
            verdicts.append(
                verdict(f"{name}: {metric} over that of {' / '.join(rivals)}", own[metric] / best, bound)
            )
        results[name] = {str(seed): found for seed, found in seeds.items()}
    write(arguments.out, {"origins": arguments.origins, "sets": results, "verdicts": verdicts})


if __name__ == "__main__":
    main()
