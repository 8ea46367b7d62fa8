"""The S&P 500 and the VIX at the close of the same days: the user's file or files, or Yahoo Finance.

The package ships no joint record. One file (`data.path`) has date, sp500_close and vix_close, in these
or similar names (yfinance's file of ^GSPC and ^VIX too); or two files have a date and a close each.
Without a file, ^GSPC and ^VIX are fetched once by the package yfinance, the extra `undula[download]`.
Units: index points; per cent a year.
"""

from __future__ import annotations

__all__ = ["VixSP500Source"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.errors import DataError
from ...core.registry import register
from ...core.source import BaseSource
from ..cache import cached
from ..fetching import yahoo_table
from ..prices import closes, joined
from ..reading import read_file

_NAMES = ("sp500_close", "vix_close")
_SPELLINGS = {
    "sp500_close": (
        "sp500_close",
        "close_^gspc",
        "spx_close",
        "gspc_close",
        "sp500",
        "spx",
        "^gspc",
        "close",
    ),
    "vix_close": ("vix_close", "close_^vix", "vixcls", "vix", "^vix"),
}
_DATES = ("date", "observation_date", "time", "day")
_OWN_FILE = (
    "give your own file (--set data.path=FILE, with the columns date, sp500_close, vix_close), or two files "
    "with date and close (--set 'data.dataset={type: vix_sp500, params: {path: SPX.csv, vix_path: VIX.csv}}')"
)


@register("dataset", "vix_sp500")
@dataclass(frozen=True, kw_only=True)
class VixSP500Source(BaseSource):
    """S&P 500 and VIX, daily: date, sp500_close, vix_close; from a file, two files, or Yahoo Finance.

    Args:
        path: a file with both, or the one with the S&P 500; null: Yahoo Finance's tables, kept.
        vix_path: the file with the VIX, if it is another one.
    """

    roles: ClassVar[dict[str, str]] = {"time": "date"}

    path: str | None = None
    vix_path: str | None = None

    def load(self) -> pd.DataFrame:
        """The whole table; DataError if a file has not both columns."""
        if self.path is None:
            if self.vix_path is not None:
                raise DataError(f"vix_sp500: vix_path is given without path: {_OWN_FILE}")
            return cached(self)
        if self.vix_path is not None:
            return joined(closes(self.path, "vix_sp500"), closes(self.vix_path, "vix_sp500"), _NAMES)
        return _named(self.path)

    def download(self) -> pd.DataFrame:
        """Both indices from Yahoo Finance, on the days that both have; DataError if they cannot be had."""
        tables = [yahoo_table(symbol, "vix_sp500", _OWN_FILE) for symbol in ("^GSPC", "^VIX")]
        return joined(tables[0], tables[1], _NAMES)


def _named(path: str) -> pd.DataFrame:
    """The file's table with the names of this data set."""
    table = read_file(path)
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"file {path!r} holds windows: the data set vix_sp500 needs a table with dates")
    found = {str(column).strip().lower().replace(" ", "_"): str(column) for column in table.columns}
    wanted = {"date": _DATES, **_SPELLINGS}
    names = {}
    for name, spellings in wanted.items():
        spelling = next((s for s in spellings if s in found), None)
        if spelling is None:
            has = ", ".join(map(str, table.columns))
            raise DataError(f"file {path!r} has no column {name} (it has {has}): {_OWN_FILE}")
        names[found[spelling]] = name
    return table[list(names)].rename(columns=names)
