"""Daily prices of the S&P 500 index, 1999-01-04 to 2018-12-31, from the package `arch` (offline).

Licence of the package: NCSA. Prices in index points, volume in shares.
"""

from __future__ import annotations

__all__ = ["SP500Source"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ..shipped import shipped_table


@register("dataset", "sp500")
@dataclass(frozen=True, kw_only=True)
class SP500Source(BaseSource):
    """S&P 500, daily: date, open, high, low, close, adj_close, volume; 5,031 trading days."""

    roles: ClassVar[dict[str, str]] = {"time": "date"}

    def load(self) -> pd.DataFrame:
        """The whole table, oldest first."""
        return shipped_table("sp500")
