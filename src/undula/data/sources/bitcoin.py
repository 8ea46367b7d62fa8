"""Daily prices of Bitcoin in US dollars: the user's own file, or Yahoo Finance's table.

The package ships no prices. A file (`data.path`) has one row a day with its date and the columns
open, high, low, close and volume, in any order and spelling, or some of them; further columns stay.
Without a file, the table is fetched once (symbol BTC-USD, from September 2014 on) by the package
yfinance, the extra `undula[download]`, and kept in the user's cache.
"""

from __future__ import annotations

__all__ = ["BitcoinSource"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.errors import DataError
from ...core.registry import register
from ...core.source import BaseSource
from ..cache import cached
from ..fetching import yahoo_table
from ..layouts import price_table
from ..reading import read_file

_SPARE = ("end",)  # the date of the row's end, beside that of its start
_SYMBOL = "BTC-USD"
_OWN_FILE = (
    "give your own file of daily prices (--set data.path=bitcoin.csv, with the columns date, open, high, "
    "low, close, volume)"
)


@register("dataset", "bitcoin")
@dataclass(frozen=True, kw_only=True)
class BitcoinSource(BaseSource):
    """Bitcoin in US dollars, daily: date, open, high, low, close, volume; from a file or Yahoo Finance.

    Args:
        path: the user's file, .csv or .parquet; null: Yahoo Finance's table, fetched once and kept.
    """

    roles: ClassVar[dict[str, str]] = {"time": "date"}

    path: str | None = None

    def load(self) -> pd.DataFrame:
        """The whole table, as the file has it."""
        if self.path is None:
            return cached(self)
        table = read_file(self.path)
        if not isinstance(table, pd.DataFrame):
            raise DataError(
                f"file {self.path!r} holds windows: the data set bitcoin needs a table with dates"
            )
        remedy = "rename its columns, or take the file as it is: --set data.dataset=null"
        table = price_table(table, f"file {self.path!r}", remedy)
        return table.drop(columns=[name for name in _SPARE if name in table.columns])

    def download(self) -> pd.DataFrame:
        """The whole history from Yahoo Finance; DataError if it cannot be had."""
        return yahoo_table(_SYMBOL, "bitcoin", _OWN_FILE)
