r"""Load and generation by the clock: daily and weekly profiles, daily peaks; they need time stamps.

    daily profile   m_h = mean of the values whose hour is h, h = 0 … 23
    weekly profile  m_{d,h}, d = 0 (Monday) … 6
    a day's peak    its largest value, and the hour in which it begins

Local time is meant: values are grouped by the stamps as they are.

References:
    Hong, Fan (2016). Probabilistic electric load forecasting: a tutorial review.
    doi:10.1016/j.ijforecast.2015.11.011
"""

from __future__ import annotations

__all__ = ["Peaks", "daily_peaks", "daily_profile", "hours_of_week", "means_by", "weekly_profile"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ...core.errors import DataError

Array = NDArray[np.floating[Any]]

_EPOCH = 3 * 24
"""1970 began on a Thursday."""


@dataclass(frozen=True)
class Peaks:
    """The peaks of complete days.

    Args:
        days: the days, (D,), in order.
        values: their largest values, (D,), in the data's units.
        hours: the hours of these, (D,), 0 to 23; of several the first.
    """

    days: NDArray[np.datetime64]
    values: Array
    hours: NDArray[np.int64]


def daily_profile(values: Array, times: NDArray[np.datetime64]) -> Array:
    """Means by the hour of the day, (24,); NaN for hours without values.

    Args:
        values: of any shape; NaN are left out.
        times: stamps of the same shape.

    Raises:
        DataError: if the shapes differ.
    """
    flat, stamps = _flat(values, times)
    return means_by(flat, hours_of_week(stamps.to_numpy()) % 24, 24)


def weekly_profile(values: Array, times: NDArray[np.datetime64]) -> Array:
    """Means by the day of the week (Monday first) and the hour, (7, 24); NaN where there are no values.

    Args:
        values: of any shape; NaN are left out.
        times: stamps of the same shape.

    Raises:
        DataError: if the shapes differ.
    """
    flat, stamps = _flat(values, times)
    return means_by(flat, hours_of_week(stamps.to_numpy()), 7 * 24).reshape(7, 24)


def daily_peaks(values: Array, times: NDArray[np.datetime64]) -> Peaks:
    """The largest value of each complete day, and its hour.

    Args:
        values: of any shape, each time once; days with more or fewer values than most do not count.
        times: stamps of the same shape.

    Raises:
        DataError: if the shapes differ, or a time occurs twice, as in overlapping windows.
    """
    flat, stamps = _flat(values, times)
    order = np.argsort(stamps, kind="stable")
    flat, stamps = flat[order], stamps[order]
    twice = np.flatnonzero(stamps[1:] == stamps[:-1])
    if len(twice):
        raise DataError(
            f"daily_peaks: the time {stamps[twice[0]]} occurs twice: take windows that do not overlap, such "
            "as those of data.stride = 24"
        )
    days, firsts, counts = np.unique(stamps.to_numpy("datetime64[D]"), return_index=True, return_counts=True)
    usual = int(np.bincount(counts).argmax()) if len(counts) else 0
    whole = counts == usual
    rows = firsts[whole][:, None] + np.arange(usual)
    highest = flat[rows].argmax(axis=1) if whole.any() else np.empty(0, np.int64)
    at = firsts[whole] + highest
    return Peaks(days[whole], flat[at], stamps.hour.to_numpy()[at].astype(np.int64))


def _flat(values: Array, times: NDArray[np.datetime64]) -> tuple[Array, pd.DatetimeIndex]:
    """The values that are there, and their stamps."""
    if values.shape != times.shape:
        raise DataError(
            f"values of shape {values.shape} have times of shape {times.shape}: expected one for each"
        )
    there = ~np.isnan(values)
    return values[there], pd.DatetimeIndex(times[there])


def hours_of_week(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """The hour of the week of time stamps of any shape: 0 is Monday from midnight, 167 Sunday's last."""
    hours = times.astype("datetime64[h]").astype(np.int64)
    return (hours + _EPOCH) % (7 * 24)


def means_by(values: Array, groups: NDArray[np.integer[Any]], count: int) -> Array:
    """Means of values by group, (count,); NaN for groups without values.

    Args:
        values: flat.
        groups: of each value, 0 to count − 1.
        count: of groups.
    """
    size = np.bincount(groups, minlength=count)
    total = np.bincount(groups, weights=values, minlength=count)
    means: Array = np.where(size > 0, total / np.maximum(size, 1), np.nan)
    return means
