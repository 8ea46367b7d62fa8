"""The VIX at the close, 2014-01-03 to 2019-01-03, from the package `arch` (offline).

The index is the market's expected volatility of the S&P 500 over 30 days, in per cent a year. Licence
of the package: NCSA; days without a value are left out. A longer record: `fred:VIXCLS`, `yahoo:^VIX`.
"""

from __future__ import annotations

__all__ = ["VIXSource"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ..shipped import shipped_table


@register("dataset", "vix")
@dataclass(frozen=True, kw_only=True)
class VIXSource(BaseSource):
    """VIX, daily: date, vix (at the close); 1,259 trading days."""

    roles: ClassVar[dict[str, str]] = {"time": "date"}

    def load(self) -> pd.DataFrame:
        """The whole table, oldest first."""
        return shipped_table("vix").dropna().reset_index(drop=True)
