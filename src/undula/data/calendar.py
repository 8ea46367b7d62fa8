"""Features of a time stamp: each periodic quantity as a sine and a cosine."""

from __future__ import annotations

__all__ = ["calendar_features", "calendar_names"]

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_PERIODS = {"hour": 24.0, "day_of_week": 7.0, "day_of_month": 31.0, "day_of_year": 366.0, "month": 12.0}


def calendar_names(features: list[str]) -> list[str]:
    """Names of the channels that `calendar_features` gives."""
    return [f"{feature}_{wave}" for feature in features for wave in ("sin", "cos")]


def calendar_features(time: pd.DatetimeIndex, features: list[str]) -> NDArray[np.float64]:
    """Sines and cosines of the named quantities, (T, 2·features).

    Args:
        time: T time stamps.
        features: of hour, day_of_week, day_of_month, day_of_year, month.
    """
    values = {
        "hour": time.hour + time.minute / 60.0 + time.second / 3600.0,
        "day_of_week": time.day_of_week,
        "day_of_month": time.day - 1,
        "day_of_year": time.day_of_year - 1,
        "month": time.month - 1,
    }
    angles = [2.0 * np.pi * np.asarray(values[f], dtype=float) / _PERIODS[f] for f in features]
    waves = [wave for angle in angles for wave in (np.sin(angle), np.cos(angle))]
    return np.stack(waves, axis=1) if waves else np.empty((len(time), 0))
