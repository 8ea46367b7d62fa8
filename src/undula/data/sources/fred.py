"""Any series of the Federal Reserve Bank of St. Louis: `fred:VIXCLS`.

Fetched once as plain CSV (`undula data download fred:VIXCLS`) and kept in the user's cache. Units are
the series' own; days without a value are left out.

References:
    Federal Reserve Bank of St. Louis, FRED. https://fred.stlouisfed.org
"""

from __future__ import annotations

__all__ = ["FredSource"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ..cache import cached
from ..fetching import fred_table


@register("dataset", "fred")
@dataclass(frozen=True, kw_only=True)
class FredSource(BaseSource):
    """A series of FRED: date, and the value under the series' id in small letters; `fred:VIXCLS`.

    Args:
        series: the id, such as VIXCLS (VIX), DGS10 (ten-year yield), DCOILWTICO (oil).
    """

    roles: ClassVar[dict[str, str]] = {"time": "date"}
    short: ClassVar[str | None] = "series"

    series: str

    def load(self) -> pd.DataFrame:
        """The whole table, oldest first."""
        return cached(self)

    def download(self) -> pd.DataFrame:
        """The whole history; DataError if it cannot be had."""
        return fred_table(
            self.series,
            f"fred:{self.series}",
            "give the series as your own file (data.path=series.csv in place of data.dataset)",
        )
