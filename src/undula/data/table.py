"""From a raw table to clean series: roles, order, types, missing values, gaps.

Nothing is changed silently: every step that does something leaves a line in `notes`.
"""

from __future__ import annotations

__all__ = ["Panel", "Series", "clean_table", "panel_of_windows", "transformed"]

import itertools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError, MissingValuesError
from .calendar import calendar_features, calendar_names
from .columns import numeric, parsed_time, require_columns, target_columns, time_role, with_time_column
from .options import DataOptions, Transform
from .reading import Windows

_LONG_STEP_REGULAR, _LONG_STEP_IRREGULAR = 1.5, 5.0


@dataclass
class Series:
    """One unbroken stretch of one series.

    Args:
        name: of the series in a panel.
        values: the target columns, (T, C), in units after `transform`; NaN where missing.
        features: the other columns, (T, K); see `Panel.feature_names`.
        time: time stamps, numbers, or None, (T,).
    """

    name: str
    values: NDArray[np.floating[Any]]
    features: NDArray[np.floating[Any]]
    time: pd.Index | None


@dataclass
class Panel:
    """All series of a data set, with the names of their columns.

    Args:
        series: unbroken stretches, oldest first.
        columns: names of the C target columns.
        known: features known for the future: covariates and calendar.
        past: features known for the history only.
        static: features constant within a series.
        notes: what was found and done, a sentence each.
        independent: whether the series are windows that somebody else has cut.
    """

    series: list[Series]
    columns: list[str]
    known: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    static: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    independent: bool = False

    @property
    def feature_names(self) -> list[str]:
        """Names of the K features, in order."""
        return [*self.known, *self.past, *self.static]


def panel_of_windows(windows: Windows) -> Panel:
    """Windows that somebody else has cut, each a series of its own; the array is not copied."""
    n, length, channels = windows.values.shape
    note = f"{n:,} windows of {length} steps and {channels} columns, taken as independent"
    whole = Series("windows", windows.values.reshape(-1, channels), np.empty((n * length, 0)), None)
    return Panel([whole], windows.columns, notes=[note], independent=True)


def clean_table(table: pd.DataFrame, options: DataOptions) -> Panel:
    """Assign roles, check, sort, transform and cut at gaps.

    Args:
        table: the raw table; a time index counts as a column.
        options: the user's.

    Raises:
        DataError: naming the row and column that is wrong, and what to do.
    """
    notes: list[str] = []
    table = with_time_column(table)
    time = time_role(table, options, notes)
    target = target_columns(table, options, time, notes)
    roles = options.roles
    others = [*roles.known_covariates, *roles.past_covariates, *roles.static]
    require_columns(table, [*target, *others, *([roles.series] if roles.series else [])])
    for name in [*target, *others]:
        table[name] = numeric(table[name], name)
    if time is not None:
        stamps = parsed_time(table[time], time)
        if pd.api.types.is_numeric_dtype(table[time]) and not pd.api.types.is_numeric_dtype(stamps):
            notes.append(f"numbers in {time!r} are read as dates YYYYMMDD")
        table[time] = stamps

    groups = [("", table)]
    if roles.series is not None:
        _refuse_nameless(table[roles.series], roles.series)
        groups = [(str(key), rows) for key, rows in table.groupby(roles.series, sort=True)]
        notes.append(f"{len(groups):,} series by {roles.series!r}")
    unit = "" if options.transform == "none" else f"_{options.transform}"
    panel = Panel(
        [],
        [f"{name}{unit}" for name in target],
        known=[*roles.known_covariates, *calendar_names(list(roles.calendar))],
        past=list(roles.past_covariates),
        static=list(roles.static),
        notes=notes,
    )
    changed = _Changes()
    for name, group in groups:
        rows = _sorted(group, time, name, changed)
        panel.series += _stretches(rows, name, time, target, options, changed)
    notes += changed.notes(options, time, len(groups))
    if not panel.series:
        raise DataError("no rows are left after cleaning: check roles, missing and gaps")
    return panel


def _refuse_nameless(column: pd.Series, name: str) -> None:
    """Rows of no series would vanish when the table is taken apart."""
    nameless = column.isna().to_numpy()
    if nameless.any():
        count = "1 row has" if nameless.sum() == 1 else f"{int(nameless.sum()):,} rows have"
        raise DataError(
            f"{count} no value in the series column {name!r}, the first is row "
            f"{int(np.flatnonzero(nameless)[0]) + 1}: fill it in, or remove these rows"
        )


# -- order, gaps, missing values -------------------------------------------------------------------


@dataclass
class _Changes:
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


def _sorted(rows: pd.DataFrame, time: str | None, series: str, changed: _Changes) -> pd.DataFrame:
    if time is None:
        return rows
    stamps = rows[time]
    if not stamps.is_monotonic_increasing:
        if stamps.is_monotonic_decreasing:
            changed.reversed += 1
        else:
            changed.shuffled += 1
        rows = rows.sort_values(time, kind="stable")
    if rows[time].duplicated().any():
        before = len(rows)
        rows = rows.drop_duplicates()
        changed.duplicates += before - len(rows)
        repeated = rows[time].duplicated()
        if repeated.any():
            stamp = _stamp(rows[time][repeated].iloc[0])
            where = f" of series {series!r}" if series else ""
            raise DataError(
                f"two different rows{where} have the time {stamp}: correct them, or if the file holds "
                "several series, name the column that tells them apart in roles.series"
            )
    return rows


def _stretches(
    rows: pd.DataFrame,
    name: str,
    time: str | None,
    target: list[str],
    options: DataOptions,
    changed: _Changes,
) -> list[Series]:
    roles = options.roles
    for column in roles.static:
        if rows[column].nunique() > 1:
            raise DataError(f"static column {column!r} varies within series {name!r}: it is not static")
    others = [*roles.known_covariates, *roles.past_covariates, *roles.static]
    rows = _filled(rows, [*target, *others], time, options, changed)
    values, features = rows[target].to_numpy(float), rows[others].to_numpy(float)
    stamps = pd.Index(rows[time]) if time is not None else None
    if roles.calendar:
        if not isinstance(stamps, pd.DatetimeIndex):
            raise DataError("roles.calendar needs a time column of dates, this one has numbers")
        known = len(roles.known_covariates)
        calendar = calendar_features(stamps, list(roles.calendar))
        features = np.concatenate([features[:, :known], calendar, features[:, known:]], axis=1)

    cuts = _gap_positions(stamps)
    if stamps is not None:
        changed.gaps += [(stamps[i - 1], stamps[i]) for i in cuts]
    bounds = [0, *(cuts if options.gaps == "break" else []), len(values)]
    found = []
    for start, end in itertools.pairwise(bounds):
        part = slice(start, end)
        series = Series(name, values[part], features[part], None if stamps is None else stamps[part])
        series = _transformed(series, options, target)
        if len(series.values):
            found.append(series)
    return found


def _filled(
    rows: pd.DataFrame,
    columns: list[str],
    time: str | None,
    options: DataOptions,
    changed: _Changes,
) -> pd.DataFrame:
    missing = rows[columns].isna()
    count = int(missing.to_numpy().sum())
    if not count:
        return rows
    first = next(c for c in columns if missing[c].any())
    row = rows.index[int(np.flatnonzero(missing[first].to_numpy())[0])]
    when = f" ({_stamp(rows[time].loc[row])})" if time is not None else ""
    if options.missing == "error":
        raise MissingValuesError(
            f"{_missing(count)}, the first in column {first!r}, row {row + 1}{when}: choose "
            "data.missing: interpolate (linear in time), drop (leave out windows that have any), or "
            "mask (train with a masked loss)"
        )
    roles = options.roles
    for name in (*roles.known_covariates, *roles.past_covariates, *roles.static):
        if options.missing == "mask" and missing[name].any():
            raise DataError(
                f"missing: mask covers the columns to generate, and covariate {name!r} has missing "
                "values too: fill them, or use missing: interpolate"
            )
    changed.missing += count
    if options.missing == "interpolate":
        changed.interpolated += count
        rows = rows.copy()
        rows[columns] = _interpolated(rows[columns], None if time is None else rows[time])
    return rows


def _interpolated(values: pd.DataFrame, time: pd.Series | None) -> pd.DataFrame:
    """Linear in time; the ends keep their nearest value."""
    x = np.arange(len(values), dtype=float) if time is None else time.to_numpy().astype(float)
    filled = values.copy()
    for name in values.columns:
        y = values[name].to_numpy(float)
        given = ~np.isnan(y)
        if not given.any():
            raise DataError(f"column {name!r} has no values at all: leave it out")
        filled[name] = np.interp(x, x[given], y[given])
    return filled


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


def _transformed(series: Series, options: DataOptions, target: list[str]) -> Series:
    if options.transform == "none":
        return series
    values = transformed(series.values, options.transform, target)
    time = None if series.time is None else series.time[1:]
    return Series(series.name, values, series.features[1:], time)


def transformed(values: NDArray[Any], transform: Transform, columns: list[str]) -> NDArray[Any]:
    """Log returns or differences of values (..., T, C); the first row has none and is dropped.

    Raises:
        DataError: if a value has no logarithm.
    """
    if transform == "none":
        return values
    if transform == "log_return":
        if (values <= 0).any():
            place = tuple(np.argwhere(values <= 0)[0])
            raise DataError(
                f"transform: log_return needs positive values, column {columns[place[-1]]!r} has "
                f"{values[place]:g}: use difference, or leave the column out"
            )
        values = np.log(values)
    return np.diff(values, axis=-2)
