"""What baselines share: whole stretches, windows of them, and draws that do not depend on their number."""

from __future__ import annotations

__all__ = [
    "differenced",
    "draws",
    "flat_windows",
    "in_levels",
    "integrated",
    "joined_rows",
    "wandering",
    "whole_stretches",
]

from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.randomness import derive_seed

Array = NDArray[np.floating[Any]]

_LEVEL, _LEAST_FOR_A_TEST, _MOST_FOR_A_TEST = 0.05, 50, 5_000


def draws(seed: int, name: str) -> np.random.Generator:
    """A generator for one kind of numbers.

    Arrays are filled sample after sample, so the first samples do not depend on how many there are, as
    long as each kind of numbers has a generator of its own and the samples are the first axis.
    """
    return np.random.default_rng(derive_seed(seed, name))


def whole_stretches(series: list[Array], least: int, who: str) -> list[Array]:
    """The stretches without missing values, cut where a row has one, each of at least so many rows.

    Args:
        series: stretches, each (T, C).
        least: rows that a stretch must have to be of use.
        who: the baseline, for the message.

    Raises:
        DataError: if none is long enough.
    """
    found: list[Array] = []
    for stretch in series:
        rows = np.asarray(stretch, float)
        if rows.ndim != 2:
            raise DataError(f"{who}: a training stretch has shape {rows.shape}: expected (T, C)")
        holes = np.flatnonzero(~np.isfinite(rows).all(1))
        pieces = np.split(rows, holes) if len(holes) else [rows]
        found += [piece[np.isfinite(piece).all(1)] for piece in pieces]
    longest = max((len(piece) for piece in found), default=0)
    found = [piece for piece in found if len(piece) >= least]
    if not found:
        raise DataError(
            f"{who} needs a training stretch of {least:,} rows without missing values, the longest has "
            f"{longest:,}: give longer series, data.missing: interpolate, or another baseline"
        )
    return found


def joined_rows(series: list[Array], who: str) -> tuple[Array, NDArray[np.bool_]]:
    """All whole rows, (T, C), and which of them end a stretch, (T,)."""
    stretches = whole_stretches(series, 1, who)
    rows = np.concatenate(stretches)
    last = np.zeros(len(rows), bool)
    last[np.cumsum([len(s) for s in stretches]) - 1] = True
    return rows, last


def flat_windows(series: list[Array], length: int, most: int, who: str) -> Array:
    """Whole windows of a length, flattened, (N, L·C); at even distances where there are more than `most`.

    Raises:
        DataError: if no stretch is long enough.
    """
    stretches = whole_stretches(series, length, who)
    views = [sliding_window_view(s, length, axis=0).swapaxes(1, 2) for s in stretches]
    counts = np.array([len(view) for view in views])
    total = int(counts.sum())
    if total < 2:
        raise DataError(
            f"{who} needs two training windows of {length} rows, there is one: give longer series"
        )
    chosen = np.unique(np.linspace(0, total - 1, min(total, most)).astype(np.int64))
    ends = np.cumsum(counts)
    of_each = np.split(chosen, np.searchsorted(chosen, ends[:-1]))
    parts = [
        view[mine - (end - len(view))].reshape(len(mine), -1)
        for view, mine, end in zip(views, of_each, ends, strict=True)
    ]
    return np.concatenate(parts)


def integrated(stretches: list[Array], column: int) -> bool:
    """Whether a column wanders: whether a unit root is not refused at 5 % (augmented Dickey-Fuller).

    Only the longest stretch is looked at, and of a very long one its first 5,000 rows; of fewer than 50
    rows nothing is concluded, and the column is taken as stationary.
    """
    from statsmodels.tsa.stattools import adfuller

    x = max(stretches, key=len)[:_MOST_FOR_A_TEST, column]
    if len(x) < _LEAST_FOR_A_TEST or np.ptp(x) == 0.0:
        return False
    lags = int(12 * (len(x) / 100) ** 0.25)  # Schwert's rule
    test = adfuller(x, maxlag=min(lags, len(x) // 4), autolag=None, result_object=True)
    return float(test.pvalue) > _LEVEL


def wandering(stretches: list[Array], differences: Literal["auto"] | bool) -> NDArray[np.bool_]:
    """Which columns a model takes in differences, (C,); "auto": those that wander."""
    channels = stretches[0].shape[1]
    if differences == "auto":
        return np.array([integrated(stretches, c) for c in range(channels)])
    return np.full(channels, differences)


def differenced(stretches: list[Array], which: NDArray[np.bool_]) -> list[Array]:
    """The rows of stretches but the first, some columns in differences."""
    return [np.where(which, np.diff(s, axis=0), s[1:]) for s in stretches]


def in_levels(steps: Array, levels: Array, which: NDArray[np.bool_]) -> Array:
    """Windows (n, L, C), the columns in differences summed up from their levels (n, C) before the window."""
    found: Array = np.where(which, levels[:, None] + np.cumsum(steps, axis=1), steps)
    return found
