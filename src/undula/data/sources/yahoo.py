"""Daily prices of any symbol from Yahoo Finance: `yahoo:^GSPC`.

Fetched once (`undula data download yahoo:^GSPC`, with the extra `undula[download]`) and kept in the
user's cache. Prices are adjusted for splits and dividends, in the symbol's currency or in index points.
"""

from __future__ import annotations

__all__ = ["YahooSource"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ..cache import cached
from ..fetching import yahoo_table


@register("dataset", "yahoo")
@dataclass(frozen=True, kw_only=True)
class YahooSource(BaseSource):
    """A symbol of Yahoo Finance, daily: date, open, high, low, close, volume; `yahoo:^GSPC`.

    Args:
        symbol: such as ^GSPC (S&P 500), ^VIX, EURUSD=X.
    """

    roles: ClassVar[dict[str, str]] = {"time": "date"}
    short: ClassVar[str | None] = "symbol"

    symbol: str

    def load(self) -> pd.DataFrame:
        """The whole table, oldest first."""
        return cached(self)

    def download(self) -> pd.DataFrame:
        """The whole history; DataError if it cannot be had."""
        return yahoo_table(
            self.symbol,
            f"yahoo:{self.symbol}",
            "give your own file of daily prices (data.path=prices.csv in place of data.dataset)",
        )
