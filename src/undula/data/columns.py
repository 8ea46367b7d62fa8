"""Columns of a raw table: which is the time, which are generated, and their numbers."""

from __future__ import annotations

__all__ = [
    "numeric",
    "parsed_time",
    "refuse_two_targets",
    "require_columns",
    "target_columns",
    "time_role",
    "with_time_column",
]

import warnings

import numpy as np
import pandas as pd

from ..core.errors import DataError, did_you_mean
from .options import DataOptions

_TIME_NAMES = ("time", "date", "datetime", "timestamp", "day", "ds", "period", "step")
_NUMERIC_DATE = r"^\s*(\d{1,2})[/.-](\d{1,2})[/.-](?:\d{4}|\d{2})\b"


def with_time_column(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a time index made a column, and names as text."""
    table = table.rename(columns=str)
    if isinstance(table.index, pd.DatetimeIndex):
        name = str(table.index.name or "time")
        return table.rename_axis(index=name).reset_index()
    return table.reset_index(drop=True)


def time_role(table: pd.DataFrame, options: DataOptions, notes: list[str]) -> str | None:
    """The time column: the user's, or found by its type, name or content; None if there is none."""
    if options.roles.time is not None:
        require_columns(table, [options.roles.time])
        return options.roles.time
    roles = options.roles
    others = {*roles.known_covariates, *roles.past_covariates, *roles.static, *roles.at_start}
    taken = {*(options.target or []), roles.series, *others}
    for name in table.columns:
        known_name = name.strip().lower() in _TIME_NAMES
        is_time = pd.api.types.is_datetime64_any_dtype(table[name])
        if name not in taken and (is_time or (known_name and _looks_like_time(table[name]))):
            notes.append(f"time column: {name!r}")
            return str(name)
    for name in table.columns:
        if name not in taken and _is_text(table[name]) and _looks_like_time(table[name]):
            notes.append(f"time column: {name!r}")
            return str(name)
    if options.roles.calendar:
        raise DataError("roles.calendar needs a time column: name it in roles.time")
    notes.append("no time column: rows are taken as they stand, oldest first")
    return None


def target_columns(
    table: pd.DataFrame, options: DataOptions, time: str | None, notes: list[str]
) -> list[str]:
    """The columns to generate: the user's, or every numeric column without another role."""
    roles = options.roles
    refuse_two_targets(options, [str(c) for c in table.columns])
    if options.target is not None:
        if not options.target:
            raise DataError("columns is empty: name at least one column to generate, or leave it out")
        return list(options.target)
    others = {*roles.known_covariates, *roles.past_covariates, *roles.static, *roles.at_start}
    taken = {time, roles.series, *others}
    found = []
    for name in table.columns:
        if name in taken:
            continue
        if _is_text(table[name]) and not _mostly_numbers(table[name]):
            notes.append(f"column {name!r} is text: not used")
        else:
            found.append(str(name))
    if not found:
        raise DataError(f"no numeric column among {list(table.columns)}: name one in roles.target")
    return found


def require_columns(table: pd.DataFrame, names: list[str]) -> None:
    """Refuse names that are not columns; the message gives the nearest one to each."""
    known = [str(c) for c in table.columns]
    unknown = [f"no column {name!r}{did_you_mean(name, known)}" for name in names if name not in known]
    if unknown:
        raise DataError(f"{', '.join(unknown)} (columns: {', '.join(known)})")


def refuse_two_targets(options: DataOptions, known: list[str]) -> None:
    """Refuse `columns` and `roles.target` that differ; a name that is no column is told first."""
    columns, target = options.columns, options.roles.target
    if columns is None or target is None or columns == target:
        return
    require_columns(
        pd.DataFrame(columns=known), [*columns, *(name for name in target if name not in columns)]
    )
    raise DataError(
        f"data.columns = [{', '.join(columns)}] and data.roles.target = [{', '.join(target)}] name different "
        "columns: give one of them"
    )


def _is_text(column: pd.Series) -> bool:
    return not pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_datetime64_any_dtype(column)


def _mostly_numbers(column: pd.Series) -> bool:
    given = column.dropna()
    return len(given) > 0 and pd.to_numeric(given, errors="coerce").notna().mean() > 0.5


def _looks_like_time(column: pd.Series) -> bool:
    if not _is_text(column):
        return True
    head = column.dropna().head(50)
    if len(head) == 0 or _mostly_numbers(head):
        return False
    return bool(_to_datetime(head, bool(_day_first(head))).notna().mean() > 0.9)


# -- values ----------------------------------------------------------------------------------------


def numeric(column: pd.Series, name: str) -> pd.Series:
    """The column as numbers; the message names the first row that is none."""
    numbers = pd.to_numeric(column, errors="coerce").astype(float)
    wrong = numbers.isna() & column.notna()
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        more = f" (and {int(wrong.sum()) - 1} more)" if wrong.sum() > 1 else ""
        raise DataError(
            f"column {name!r}, row {row + 1}: {column.iloc[row]!r} is not a number{more}: "
            "correct it, leave it empty (see data.missing), or leave the column out of roles.target"
        )
    infinite = np.isinf(numbers.to_numpy())
    if infinite.any():
        row = int(np.flatnonzero(infinite)[0])
        raise DataError(f"column {name!r}, row {row + 1} is infinite: correct it or leave it empty")
    return numbers


def _to_datetime(column: pd.Series, day_first: bool = False) -> pd.Series:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        parsed = pd.to_datetime(column, errors="coerce", utc=False, dayfirst=day_first)
        if bool((parsed.isna() & column.astype(str).str.contains("[A-Za-z]{3}")).any()):
            # a format guessed from "May 24, 2019" is one of full names of months
            parsed = pd.to_datetime(column, errors="coerce", format="mixed", dayfirst=day_first)
    if isinstance(parsed.dtype, pd.DatetimeTZDtype):
        return parsed.dt.tz_convert("UTC").dt.tz_localize(None)
    return parsed


def _day_first(column: pd.Series) -> bool | None:
    """Whether dates such as 31/12/2020 begin with the day; None if no value shows it."""
    first = column.dropna().head(1).astype(str)
    if not _is_text(column) or not first.str.match(_NUMERIC_DATE).all():
        return False
    parts = column.astype(str).str.extract(_NUMERIC_DATE).dropna().astype(int)
    if (parts[0] > 12).any():
        return True
    return None if (parts[0] != parts[1]).any() and not (parts[1] > 12).any() else False


def _of_digits(column: pd.Series) -> pd.Series | None:
    """Dates from numbers YYYYMMDD; None if they are other numbers."""
    if not column.between(1000_01_01, 9999_12_31).all() or (column % 1 != 0).any():
        return None
    dates = pd.to_datetime(column.astype(np.int64).astype(str), format="%Y%m%d", errors="coerce")
    return dates if dates.notna().mean() > 0.9 else None


def parsed_time(column: pd.Series, name: str) -> pd.Series:
    """The column as time stamps or numbers; the message names the first row that is neither.

    Numbers YYYYMMDD are dates. Whether the day or the month of 01/02/2020 comes first is decided by
    any value that shows it.

    Raises:
        DataError: if a value is no time, or no value shows the order of day and month.
    """
    if pd.api.types.is_numeric_dtype(column):
        dates = _of_digits(column)
        parsed = column.astype(float) if dates is None else dates
    else:
        day_first = _day_first(column)
        if day_first is None:
            example = column.dropna().iloc[0]
            raise DataError(
                f"time column {name!r}: no value shows whether the day or the month comes first in dates "
                f"such as {example!r}: write them as YYYY-MM-DD"
            )
        parsed = _to_datetime(column, day_first)
    wrong = parsed.isna()
    if wrong.any():
        row = int(np.flatnonzero(wrong.to_numpy())[0])
        raise DataError(
            f"time column {name!r}, row {row + 1}: {column.iloc[row]!r} is not a time: "
            "correct it, or name another column in roles.time"
        )
    return parsed
