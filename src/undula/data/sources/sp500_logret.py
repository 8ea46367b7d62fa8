r"""Daily log returns of the S&P 500 at the close, r_t = log(close_t / close_{t−1}).

Of the prices that come with the package `arch` (1999 to 2018, offline), or of a file of the user's in
any of the usual layouts: Yahoo Finance's, yfinance's, investing.com's, Kaggle's copies of these. The
return over days on which the exchange was closed (September 2001) is among them.
"""

from __future__ import annotations

__all__ = ["SP500LogReturns"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ..prices import closes, log_returns
from ..shipped import shipped_table


@register("dataset", "sp500_logret")
@dataclass(frozen=True, kw_only=True)
class SP500LogReturns(BaseSource):
    """S&P 500, daily log returns: date, close_log_return; 5,030 days, or those of a file of prices.

    Args:
        path: the user's file of prices, .csv or .parquet; null: the prices that come with arch.
    """

    roles: ClassVar[dict[str, str]] = {"time": "date"}

    path: str | None = None

    def load(self) -> pd.DataFrame:
        """The whole table, oldest first; DataError if a file has no dates and closes."""
        return log_returns(shipped_table("sp500") if self.path is None else closes(self.path, "sp500_logret"))
