"""Daily prices of Bitcoin in US dollars: the user's own file, or Yahoo Finance's table.

The package ships no prices. A file (`data.path`) has one row a day with its date and the columns
open, high, low, close and volume, in any order and spelling, or some of them; further columns stay.
Without a file, the table is fetched once (symbol BTC-USD, from September 2014 on) by the package
yfinance, the extra `undula[download]`, and kept in the user's cache.
"""

from __future__ import annotations

__all__ = ["BitcoinSource"]

import logging
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from ...core.errors import DataError
from ...core.registry import register
from ...core.source import BaseSource
from ..cache import cached
from ..reading import read_file

_COLUMNS = ("open", "high", "low", "close", "volume")
_DATES = ("date", "time", "timestamp", "datetime", "start", "day")
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
        return _named(table, f"file {self.path!r}")

    def download(self) -> pd.DataFrame:
        """The whole history from Yahoo Finance.

        Raises:
            DataError: if yfinance is missing, fails, or has no rows.
        """
        try:
            import yfinance
        except ImportError:
            raise DataError(
                f"the data set bitcoin is not shipped with undula: {_OWN_FILE}, or install the download: "
                "pip install 'undula[download]' and run `undula data download bitcoin`"
            ) from None
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what goes wrong is said below
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table: Any = yfinance.download(
                    _SYMBOL,
                    period="max",
                    interval="1d",
                    auto_adjust=True,
                    progress=False,
                    multi_level_index=False,
                )
        except Exception as error:  # yfinance lets through whatever its network library raises
            raise DataError(
                f"the download of {_SYMBOL} from Yahoo Finance failed ({error}): {_retry()}"
            ) from error
        if table is None or not len(table):
            raise DataError(f"Yahoo Finance gave no rows for {_SYMBOL}: {_retry()}")
        return _named(table.reset_index(), "Yahoo Finance's table")


def _retry() -> str:
    return f"check the connection and repeat `undula data download bitcoin`, or {_OWN_FILE}"


def _named(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """The table with columns in small letters, and its date called `date`."""
    table = table.rename(columns=lambda name: str(name).strip().lower().replace(" ", "_"))
    dates = [name for name in _DATES if name in table.columns]
    prices = [name for name in _COLUMNS if name in table.columns]
    if not dates or not prices:
        missing = "a column with the date" if not dates else f"any of the columns {', '.join(_COLUMNS)}"
        raise DataError(
            f"{where} has not {missing} (it has {', '.join(table.columns)}): rename its columns, or "
            "take the file as it is: --set data.dataset=null"
        )
    table = table.rename(columns={dates[0]: "date"})
    return table.drop(columns=[name for name in _SPARE if name in table.columns])
