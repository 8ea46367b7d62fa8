"""From the rows of a series to its unbroken stretches: order, repeated rows, missing values, gaps.

Series are taken from a table by row numbers, as plain arrays: a panel may have many thousands.
"""

from __future__ import annotations

__all__ = ["Changes", "Columns", "Series", "rows_by_series", "unbroken", "usual_step"]

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError, MissingValuesError, RepeatedTimesError
from .calendar import calendar_features
from .options import DataOptions
from .transforms import ColumnTransforms

_LONG_STEP_REGULAR, _LONG_STEP_IRREGULAR = 1.5, 5.0
_MOST_DECIMALS, _EVIDENCE = 8, 20


@dataclass
class Series:
    """One unbroken stretch of one series.

    Args:
        name: of the series in a panel.
        values: the target columns, (T, C), in units after `transform`; NaN where missing.
        features: the other columns, (T, K); see `Panel.feature_names`.
        time: time stamps, numbers, or None, (T,).
        before: the columns of roles.at_start, one row before each row, and after the last, (T + 1, A);
            None: there are none.
        rows: the rows' numbers in the table as it was given, (T,); None: they come from no table.
    """

    name: str
    values: NDArray[np.floating[Any]]
    features: NDArray[np.floating[Any]]
    time: pd.Index | None
    before: NDArray[np.floating[Any]] | None = None
    rows: NDArray[np.int64] | None = None


@dataclass
class Changes:
    """What was changed in the series, to be told in a few sentences."""

    reversed: int = 0
    shuffled: int = 0
    duplicates: int = 0
    interpolated: int = 0
    missing: int = 0
    gaps: list[tuple[Any, Any]] = field(default_factory=list)

    def notes(self, options: DataOptions, time: str | None, count: int) -> list[str]:
        """A sentence for everything that happened."""
        found = []
        if self.reversed:
            found.append(f"rows were newest first, sorted by {time!r}")
        if self.shuffled:
            found.append(f"rows were not in order, sorted by {time!r}")
        if self.duplicates:
            found.append(f"{self.duplicates:,} repeated rows dropped")
        if self.gaps:
            start, end = max(self.gaps, key=lambda gap: gap[1] - gap[0])
            effect = "no window crosses it" if options.gaps == "break" else "windows cross it"
            which = (
                f"{len(self.gaps):,} gaps in time, the longest" if len(self.gaps) > 1 else "a gap in time,"
            )
            found.append(f"{which} from {_stamp(start)} to {_stamp(end)}: {effect}")
        if self.interpolated:
            found.append(f"{_missing(self.interpolated)} interpolated")
        elif self.missing:
            does = {"drop": "windows that have any are left out", "mask": "masked in the loss"}
            found.append(f"{_missing(self.missing)}, {does.get(options.missing, '')}")
        return found


def _missing(count: int) -> str:
    return "1 missing value" if count == 1 else f"{count:,} missing values"


def _stamp(time: Any) -> str:
    if isinstance(time, pd.Timestamp):
        return str(time.date()) if time == time.normalize() else str(time)
    return f"{time:g}"


@dataclass(frozen=True)
class Columns:
    """The columns that count as arrays of all rows; a panel of many series is taken apart by row numbers.

    Args:
        table: all columns.
        time: stamps; None: the rows' order is all there is.
        clock: the same as a plain array.
        names: of the columns of `numbers`: target, known and past covariates, static.
        numbers: (T, len(names)), not a number where missing.
        target: how many of them are to be generated.
        start: the columns of roles.at_start, (T, A), not a number where missing.
    """

    table: pd.DataFrame
    time: pd.Index | None
    clock: NDArray[Any] | None
    names: list[str]
    numbers: NDArray[np.float64]
    target: int
    start: NDArray[np.float64]

    @classmethod
    def of(cls, table: pd.DataFrame, time: str | None, target: list[str], options: DataOptions) -> Columns:
        """The columns of a table whose roles are known."""
        roles = options.roles
        names = [*target, *roles.known_covariates, *roles.past_covariates, *roles.static]
        stamps = None if time is None else pd.Index(table[time])
        clock = None if stamps is None else stamps.to_numpy()
        start = table[roles.at_start].to_numpy(float)
        return cls(table, stamps, clock, names, table[names].to_numpy(float), len(target), start)


def rows_by_series(keys: pd.Series) -> dict[str, NDArray[np.int64]]:
    """Row numbers of each series, in the table's order; the series in the order of their names."""
    codes, names = pd.factorize(keys, sort=True)
    parts = np.split(np.argsort(codes, kind="stable"), np.cumsum(np.bincount(codes))[:-1])
    return {str(name): rows for name, rows in zip(names, parts, strict=True)}


def _in_order(rows: NDArray[np.int64], columns: Columns, series: str, changed: Changes) -> NDArray[np.int64]:
    """The rows of a series by time, each once."""
    if columns.time is None or columns.clock is None:
        return rows
    at = columns.clock[rows]
    if not (at[1:] >= at[:-1]).all():
        if (at[1:] <= at[:-1]).all():
            changed.reversed += 1
        else:
            changed.shuffled += 1
        rows = rows[np.argsort(at, kind="stable")]
        at = columns.clock[rows]
    if (at[1:] == at[:-1]).any():
        repeated = columns.table.iloc[rows].duplicated().to_numpy()
        changed.duplicates += int(repeated.sum())
        rows = rows[~repeated]
        at = columns.clock[rows]
        twice = np.flatnonzero(at[1:] == at[:-1])
        if len(twice):
            stamp = _stamp(columns.time[rows[twice[0]]])
            where = f" of series {series!r}" if series else ""
            raise RepeatedTimesError(
                f"two different rows{where} have the time {stamp}: correct them, or if the file holds "
                "several series, name the column that tells them apart in roles.series"
            )
    return rows


def unbroken(
    rows: NDArray[np.int64], columns: Columns, name: str, options: DataOptions, changed: Changes
) -> list[Series]:
    """The stretches of a series between its gaps, in order, filled and transformed.

    Args:
        rows: of the series, in the table's order.
        columns: of the table.
        name: of the series.
        options: the user's.
        changed: where to note what was done.

    Raises:
        DataError: naming the row and column that is wrong, and what to do.
    """
    rows = _in_order(rows, columns, name, changed)
    numbers = columns.numbers[rows]
    for j in range(len(columns.names) - len(options.roles.static), len(columns.names)):
        given = numbers[~np.isnan(numbers[:, j]), j]
        if (given != given[:1]).any():
            raise DataError(
                f"static column {columns.names[j]!r} varies within series {name!r}: it is not static"
            )
    numbers = _filled(numbers, rows, columns, options, changed)
    values, features = numbers[:, : columns.target], numbers[:, columns.target :]
    start = _given_start(rows, columns, options)
    stamps = None if columns.time is None else columns.time[rows]
    if options.roles.calendar:
        if not isinstance(stamps, pd.DatetimeIndex):
            raise DataError("roles.calendar needs a time column of dates, this one has numbers")
        known = len(options.roles.known_covariates)
        calendar = calendar_features(stamps, list(options.roles.calendar))
        features = np.concatenate([features[:, :known], calendar, features[:, known:]], axis=1)

    cuts = _gap_positions(stamps)
    if stamps is not None:
        changed.gaps += [(stamps[i - 1], stamps[i]) for i in cuts]
    transforms = ColumnTransforms.of(options.transform, columns.names[: columns.target])
    bounds = [0, *(cuts if options.gaps == "break" else []), len(values)]
    found = []
    for first, last in itertools.pairwise(bounds):
        part = transforms(values[first:last])
        if len(part):
            kept = slice(last - len(part), last)
            times = None if stamps is None else stamps[kept]
            before = None if start is None else _row_before(start[first:last])[-len(part) - 1 :]
            found.append(Series(name, part, features[kept], times, before, rows[kept]))
    return found


def _filled(
    numbers: NDArray[np.float64],
    rows: NDArray[np.int64],
    columns: Columns,
    options: DataOptions,
    changed: Changes,
) -> NDArray[np.float64]:
    """The numbers of a series with missing ones as `options.missing` says."""
    missing = np.isnan(numbers)
    count = int(missing.sum())
    if not count:
        return numbers
    holed = np.asarray(missing.any(axis=0))
    first = int(holed.argmax())
    row = int(rows[missing[:, first].argmax()])
    if options.missing == "error":
        when = "" if columns.time is None else f" ({_stamp(columns.time[row])})"
        raise MissingValuesError(
            f"{_missing(count)}, the first in column {columns.names[first]!r}, row {row + 1}{when}: choose "
            "data.missing: interpolate (linear in time), drop (leave out windows that have any), or "
            "mask (train with a masked loss)"
        )
    if options.missing == "mask" and holed[columns.target :].any():
        name = columns.names[columns.target + int(holed[columns.target :].argmax())]
        raise DataError(
            f"missing: mask covers the columns to generate, and covariate {name!r} has missing "
            "values too: fill them, or use missing: interpolate"
        )
    changed.missing += count
    if options.missing == "interpolate":
        changed.interpolated += count
        return _interpolated(numbers, rows, columns)
    return numbers


def _given_start(
    rows: NDArray[np.int64], columns: Columns, options: DataOptions
) -> NDArray[np.float64] | None:
    """The columns of roles.at_start; what is missing there is never filled in from later rows."""
    names = options.roles.at_start
    if not names:
        return None
    start = columns.start[rows]
    missing = np.isnan(start)
    if missing.any() and options.missing == "error":
        column = int(missing.any(axis=0).argmax())
        row = int(rows[missing[:, column].argmax()])
        when = "" if columns.time is None else f" ({_stamp(columns.time[row])})"
        raise MissingValuesError(
            f"{_missing(int(missing.sum()))} at the start, the first in column {names[column]!r}, row "
            f"{row + 1}{when}: fill them in, or choose data.missing: drop (windows that begin there are left "
            "out)"
        )
    return start


def _row_before(start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows one later, (T, A) → (T + 1, A): nothing is known before the first."""
    return np.concatenate([np.full((1, start.shape[1]), np.nan), start])


def _interpolated(
    numbers: NDArray[np.float64], rows: NDArray[np.int64], columns: Columns
) -> NDArray[np.float64]:
    """Linear in time, rounded to values that the column could have; the ends keep their nearest value."""
    x = (np.arange(len(rows)) if columns.clock is None else columns.clock[rows]).astype(float)
    filled = numbers.copy()
    for y, name in zip(filled.T, columns.names, strict=True):
        given = ~np.isnan(y)
        if not given.any():
            raise DataError(f"column {name!r} has no values at all: leave it out")
        y[~given] = _possible(np.interp(x[~given], x[given], y[given]), np.unique(y[given]), int(given.sum()))
    return filled


def _possible(filled: NDArray[np.float64], values: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Filled values as the column could have taken them.

    Where its values come again and again, the nearest of them; else as many decimals as they have. Of a
    few values nothing is concluded.
    """
    if count < _EVIDENCE:
        return filled
    if 2 * len(values) <= count:
        place = np.searchsorted(values, filled)
        low, high = values[np.maximum(place - 1, 0)], values[np.minimum(place, len(values) - 1)]
        nearest: NDArray[np.float64] = np.where(np.abs(filled - low) <= np.abs(high - filled), low, high)
        return nearest
    for decimals in range(_MOST_DECIMALS + 1):
        if np.isclose(np.round(values, decimals), values, rtol=1e-12, atol=0).all():
            rounded: NDArray[np.float64] = np.round(filled, decimals)
            return rounded
    return filled


def usual_step(series: Sequence[Series]) -> float | None:
    """The median distance of neighbouring rows, in seconds where times are dates; None: no times."""
    steps = [np.diff(one.time.to_numpy()) for one in series if one.time is not None and len(one.time) > 1]
    if not steps:
        return None
    found = np.concatenate(steps)
    if np.issubdtype(found.dtype, np.timedelta64):
        found = found / np.timedelta64(1, "s")
    return float(np.median(found))


def _gap_positions(time: pd.Index | None) -> list[int]:
    """Positions before which a step is too long: 1.5 usual steps if regular, else 5."""
    if time is None or len(time) < 3:
        return []
    numbers = time.to_numpy()
    steps = np.diff(numbers).astype(float)
    usual = float(np.median(steps))
    regular = np.mean(np.isclose(steps, usual, rtol=1e-3)) > 0.95
    longest = usual * (_LONG_STEP_REGULAR if regular else _LONG_STEP_IRREGULAR)
    return [int(i) + 1 for i in np.flatnonzero(steps > longest)]
