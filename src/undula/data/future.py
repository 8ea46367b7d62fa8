"""Rows to come: a table that ends with the present, and the rows that a forecast fills in."""

from __future__ import annotations

__all__ = ["Ahead", "with_future"]

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.errors import DataError
from .columns import parsed_time, require_columns, time_role, with_time_column
from .options import DataOptions

_RECENT = 100


@dataclass(frozen=True)
class Ahead:
    """A table with empty rows at the end of each series.

    Args:
        table: all rows, the time parsed.
        time: name of the time column; None: there is none.
        last: the last known row of the targets of each series, by its name ("": the only one), (C,).
        given: rows of the future that the user gave, the fewest of any series.
    """

    table: pd.DataFrame
    time: str | None
    last: dict[str, np.ndarray]
    given: int


def with_future(table: pd.DataFrame, options: DataOptions, targets: list[str], rows: int) -> Ahead:
    """Rows without targets, as many of each series, after its last known row.

    Rows of the future that are in the table already (their targets are empty) are kept with their known
    covariates. Others go on in the series' own steps; their covariates are those of the last row.

    Args:
        table: history, and known covariates of the future.
        options: the model's.
        targets: names of the columns to generate.
        rows: how many.

    Raises:
        DataError: if a series has no known row, or more rows of the future than are asked for.
    """
    table = with_time_column(table)
    require_columns(table, targets)
    time = time_role(table, options, [])
    if time is not None:
        table[time] = parsed_time(table[time], time)
    name = options.roles.series
    groups = {"": table} if name is None else {str(key): part for key, part in table.groupby(name, sort=True)}
    parts, last, given = [], {}, rows
    for key, part in groups.items():
        ordered = part if time is None else part.sort_values(time, kind="stable")
        known = ordered[targets].notna().any(axis=1).to_numpy()
        where = f"series {key!r} of the history" if key else "the history"
        if not known.any():
            raise DataError(f"{where} has no values of {', '.join(targets)}")
        end = int(np.flatnonzero(known)[-1]) + 1
        ahead = len(ordered) - end
        ordered = ordered[: end + rows]
        given = min(given, ahead)
        last[key] = ordered[targets].ffill().iloc[end - 1].to_numpy(float)
        if ahead < rows:
            more = pd.concat([ordered[-1:]] * (rows - ahead), ignore_index=True)
            more[targets] = np.nan
            if time is not None:
                more[time] = _following(pd.Index(ordered[time]), rows - ahead)
            ordered = pd.concat([ordered, more], ignore_index=True)
        for past in options.roles.past_covariates:
            ordered[past] = np.where(np.arange(len(ordered)) < end, ordered[past], 0.0)
        parts.append(ordered)
    return Ahead(pd.concat(parts, ignore_index=True), time, last, given)


def _following(stamps: pd.Index, count: int) -> pd.Index:
    """Stamps that go on in the steps of the last ones; weekdays where there were no others."""
    recent = stamps[-_RECENT:]
    if len(recent) < 2:
        raise DataError("one row has no step: give a history of at least 2 rows")
    if not isinstance(recent, pd.DatetimeIndex):
        numbers = recent.to_numpy(float)
        return pd.Index(numbers[-1] + np.median(np.diff(numbers)) * np.arange(1, count + 1))
    return pd.date_range(recent[-1], periods=count + 1, freq=_frequency(recent))[1:]


def _frequency(stamps: pd.DatetimeIndex) -> str | pd.Timedelta:
    """Weekdays, months by their first or last day, or the usual distance."""
    usual = pd.Timedelta(np.median(np.diff(stamps.to_numpy())))
    if usual == pd.Timedelta(days=1) and (stamps.day_of_week < 5).all():
        return "B"
    if pd.Timedelta(days=28) <= usual <= pd.Timedelta(days=31):
        for frequency, where in (("MS", stamps.is_month_start), ("ME", stamps.is_month_end)):
            if where.all():
                return frequency
    return usual
