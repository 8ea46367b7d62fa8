"""From a raw table to clean series: the columns' roles and types, then each series.

Nothing is changed silently: every step that does something leaves a line in `notes`.
"""

from __future__ import annotations

__all__ = ["Panel", "clean_table", "panel_of_windows"]

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from ..core.errors import DataError
from .calendar import calendar_names
from .columns import numeric, parsed_time, require_columns, target_columns, time_role, with_time_column
from .layouts import notes_of
from .options import DataOptions, StartScale
from .reading import Windows
from .stretches import Changes, Columns, Series, rows_by_series, unbroken
from .transforms import ColumnTransforms


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
        start: columns whose value in the row before a window is told.
        start_scale: what of them is standardised.
        changes: what was found and changed in the rows, counted.
    """

    series: list[Series]
    columns: list[str]
    known: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    static: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    independent: bool = False
    start: list[str] = field(default_factory=list)
    start_scale: StartScale = "linear"
    changes: Changes = field(default_factory=Changes)

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
    notes = notes_of(table)
    table = with_time_column(table)
    time = time_role(table, options, notes)
    target = target_columns(table, options, time, notes)
    roles = options.roles
    others = [*roles.known_covariates, *roles.past_covariates, *roles.static]
    require_columns(table, [*target, *others, *roles.at_start, *([roles.series] if roles.series else [])])
    for name in dict.fromkeys([*target, *others, *roles.at_start]):
        table[name] = numeric(table[name], name)
    if time is not None:
        stamps = parsed_time(table[time], time)
        notes += _how_read(table[time], stamps)
        if pd.api.types.is_numeric_dtype(table[time]) and not pd.api.types.is_numeric_dtype(stamps):
            notes.append(f"numbers in {time!r} are read as dates YYYYMMDD")
        table[time] = stamps

    groups = {"": np.arange(len(table))}
    if roles.series is not None:
        _refuse_nameless(table[roles.series], roles.series)
        groups = rows_by_series(table[roles.series])
        notes.append(f"{len(groups):,} series by {roles.series!r}")
    transforms = ColumnTransforms.of(options.transform, target)
    notes += transforms.notes
    panel = Panel(
        [],
        transforms.names,
        known=[*roles.known_covariates, *calendar_names(list(roles.calendar))],
        past=list(roles.past_covariates),
        static=list(roles.static),
        notes=notes,
        start=list(roles.at_start),
        start_scale=options.at_start_scale,
    )
    changed = panel.changes
    columns = Columns.of(table, time, target, options)
    for name, rows in groups.items():
        panel.series += unbroken(rows, columns, name, options, changed)
    notes += changed.notes(options, time, len(groups))
    if not panel.series:
        raise DataError("no rows are left after cleaning: check roles, missing and gaps")
    return panel


def _how_read(column: pd.Series, stamps: pd.Series) -> list[str]:
    """How dates that do not begin with the year are read."""
    first = column.iloc[0] if len(column) else None
    if not isinstance(first, str) or first.strip()[:4].isdigit():
        return []
    return [f"dates such as {first!r} are read as {stamps.iloc[0].date()}"]


def _refuse_nameless(column: pd.Series, name: str) -> None:
    """Rows of no series would vanish when the table is taken apart."""
    nameless = column.isna().to_numpy()
    if nameless.any():
        count = "1 row has" if nameless.sum() == 1 else f"{int(nameless.sum()):,} rows have"
        raise DataError(
            f"{count} no value in the series column {name!r}, the first is row "
            f"{int(np.flatnonzero(nameless)[0]) + 1}: fill it in, or remove these rows"
        )
