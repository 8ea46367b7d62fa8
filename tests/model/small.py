"""A small model of small data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from undula import DataOptions, DiffusionModel

SMALL = {"type": "transformer", "params": {"model_dim": 16, "num_heads": 2, "num_layers": 1, "patch_size": 2}}
QUICK = {"batch_size": 32, "max_steps": 12, "log_every": 5, "validate_every": 6}


def frame(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(rows) / 5)
    return pd.DataFrame(
        {
            "date": pd.date_range("2020-01-01", periods=rows),
            "price": 250.0 + 10 * wave + rng.normal(size=rows),
            "volume": 1e6 * (2 + wave + 0.1 * rng.normal(size=rows)),
        }
    )


def model(**changes: Any) -> DiffusionModel:
    settings: dict[str, Any] = {
        "architecture": SMALL,
        "objective": "flow_matching",
        "sampler": {"type": "ddim", "params": {"num_steps": 4}},
        "data": DataOptions(predict_len=8),
        "training": QUICK,
    }
    return DiffusionModel(**{**settings, **changes})
