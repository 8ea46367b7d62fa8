"""Layouts in which prices are published: Yahoo Finance, yfinance, investing.com, Nasdaq, FRED.

A table is told apart by the names of its columns. What that changes (numbers that are written as text,
days without a value, a header of several rows) is said in a sentence each, under `attrs["notes"]`.
"""

from __future__ import annotations

__all__ = ["flat_header", "notes_of", "price_table", "understood", "with_note"]

import re

import numpy as np
import pandas as pd

from ..core.errors import DataError

_THOUSANDS = r"\s*[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?\s*"
_AMOUNT = re.compile(r"\s*([+-]?)\s*\$?\s*([\d,]*\.?\d+)\s*([KMBT%]?)\s*")
_UNITS = {"": 1.0, "%": 1.0, "K": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
_NAMES = {"close/last": "close", "vol.": "volume", "vol": "volume", "change %": "change_percent",
          "adjusted close": "adj_close", "last": "close"}  # fmt: skip
_DATES = ("date", "time", "timestamp", "datetime", "observation_date", "start", "day")
_PRICES = ("open", "high", "low", "close", "volume")


def notes_of(table: pd.DataFrame) -> list[str]:
    """What was recognised in a table, a sentence each."""
    return list(table.attrs.get("notes", []))


def with_note(table: pd.DataFrame, note: str) -> pd.DataFrame:
    """The same table with one more sentence."""
    table.attrs = {**table.attrs, "notes": [*notes_of(table), note]}
    return table


def flat_header(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose header has one row: of several (price and ticker, as yfinance has them) one name.

    The ticker is part of the name where there are several.
    """
    header = table.columns
    if not isinstance(header, pd.MultiIndex):
        return table
    tickers = list(dict.fromkeys(header.get_level_values("Ticker"))) if "Ticker" in header.names else []
    tickers = [str(ticker) for ticker in tickers if str(ticker)]
    levels = [i for i, name in enumerate(header.names) if name != "Ticker" or len(tickers) > 1]
    names = ["_".join(str(name[i]) for i in levels if str(name[i])) for name in header]
    flat = table.set_axis(names, axis=1)
    flat = flat if flat.index.name is None else flat.reset_index()
    flat.attrs = dict(table.attrs)
    of = f" of {', '.join(tickers)}" if tickers else ""
    return with_note(flat, f"a header of several rows{of}, as yfinance writes it")


def understood(table: pd.DataFrame) -> pd.DataFrame:
    """A table with its numbers as numbers, and without the rows of days that have no price.

    Args:
        table: with one row of names. What is none of the layouts stays as it is, but for commas that
            separate thousands.
    """
    if table.attrs.get("understood"):
        return table
    table = _without_row_numbers(table)
    names = {str(column): str(column).strip().rstrip("*").lower() for column in table.columns}
    known = set(names.values())
    if {"price", "open", "high", "low"} <= known and known & {"vol.", "change %"}:
        how = "as investing.com writes prices; Price is the close; K, M, B are thousands, millions, billions"
        table = _amounts(table, names)
    elif "close/last" in known:
        how = "as Nasdaq writes prices, with $"
        table = _amounts(table, names)
    elif {"open", "high", "low", "close"} <= known:
        how = "as Yahoo Finance writes prices" if known & {"adj close", "adj_close"} else "prices"
    elif len(known) == 2 and known & {"observation_date", "date"} and _has_points(table):
        how = "as FRED writes series, with a point for a missing value"
        table = table.replace(".", np.nan)
        table = table.assign(
            **{c: pd.to_numeric(table[c]) for c, name in names.items() if name not in _DATES}
        )
    else:
        return _without_commas(table)
    table = with_note(table.copy(), f"columns {', '.join(names)}: {how}")
    table = _without_empty_days(_without_commas(table), names)
    table.attrs = {**table.attrs, "understood": True}
    return table


def _without_row_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """A table without the nameless first column of row numbers that pandas writes."""
    if not len(table.columns) or str(table.columns[0]) not in ("", "Unnamed: 0"):
        return table
    if not np.array_equal(table.iloc[:, 0].to_numpy(), np.arange(len(table))):
        return table
    return with_note(table.iloc[:, 1:], "the first column has no name and holds row numbers: left out")


def _has_points(table: pd.DataFrame) -> bool:
    return any(bool((table[column] == ".").any()) for column in table.columns if _is_text(table[column]))


def _is_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _amounts(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    """Text such as 1.23B, -1.90%, $1,234.50 and - (missing) as numbers, in columns where it is all that."""
    table = table.copy()
    for column, name in names.items():
        given = table[column].dropna()
        if name in _DATES or not _is_text(given):
            continue
        if given.map(lambda text: str(text).strip() == "-" or bool(_AMOUNT.fullmatch(str(text)))).all():
            table[column] = given.map(lambda text: _amount(str(text))).reindex(table.index)
    return table


def _amount(text: str) -> float:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return float("nan")
    sign, digits, unit = found.groups()
    return float(f"{sign}{digits.replace(',', '')}") * _UNITS[unit]


def _without_commas(table: pd.DataFrame) -> pd.DataFrame:
    """Columns whose every value is a number with commas between thousands, as numbers."""
    table = table.copy()
    for name in table.columns:
        given = table[name].dropna()
        if not _is_text(table[name]) or not given.map(lambda value: isinstance(value, str)).all():
            continue
        with_commas = given[given.str.contains(",")]
        if with_commas.empty or not given.str.fullmatch(_THOUSANDS).all():
            continue
        first = with_commas.iloc[0].strip()
        table[name] = pd.to_numeric(given.str.replace(",", "")).reindex(table.index)
        note = (
            f"column {name!r}: commas separate thousands ({first!r} is {float(first.replace(',', '')):.12g})"
        )
        table = with_note(table, note)
    return table


def _without_empty_days(table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    values = [column for column, name in names.items() if name not in _DATES]
    empty = table[values].isna().all(axis=1)
    if not empty.any():
        return table
    count = "1 row without any value" if empty.sum() == 1 else f"{int(empty.sum()):,} rows without any value"
    return with_note(table[~empty].reset_index(drop=True), f"{count} left out")


def price_table(table: pd.DataFrame, where: str, remedy: str = "rename its columns") -> pd.DataFrame:
    """A table of prices with the names date, open, high, low, close, volume.

    Args:
        table: in any of the layouts, with some of the prices; other columns stay, in small letters.
        where: what to call it in messages.
        remedy: what the user does if its columns are not understood.

    Raises:
        DataError: if it has no date or no price.
    """
    table = understood(flat_header(table))
    names = [str(column).strip().rstrip("*").lower() for column in table.columns]
    names = [_NAMES.get(name, name).replace(" ", "_") for name in names]
    if "close" not in names:
        names = ["close" if name == "price" else name for name in names]
    dates = [name for name in _DATES if name in names]
    if not dates or not set(names) & set(_PRICES):
        missing = "a column with the date" if not dates else f"any of the columns {', '.join(_PRICES)}"
        raise DataError(f"{where} has not {missing} (it has {', '.join(names)}): {remedy}")
    named = table.set_axis(["date" if name == dates[0] else name for name in names], axis=1)
    named.attrs = dict(table.attrs)
    return named
