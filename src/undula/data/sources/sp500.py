"""Daily prices of the S&P 500 index, 1999-01-04 to 2018-12-31, from the package `arch` (offline).

Licence of the package: NCSA. Prices in index points, volume in shares.
"""

from __future__ import annotations

__all__ = ["SP500Source"]

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd

from ...core.errors import DataError
from ...core.registry import register
from ...core.source import BaseSource


@register("dataset", "sp500")
@dataclass(frozen=True, kw_only=True)
class SP500Source(BaseSource):
    """S&P 500, daily: date, open, high, low, close, adj_close, volume; 5,031 trading days."""

    roles: ClassVar[dict[str, str]] = {"time": "date"}

    def load(self) -> pd.DataFrame:
        """The whole table, oldest first."""
        spec = importlib.util.find_spec("arch")  # found, not imported: the import takes a second
        if spec is None or spec.origin is None:
            raise DataError("the data set sp500 comes with the package arch: pip install arch")
        path = Path(spec.origin).parent / "data" / "sp500" / "sp500.csv.gz"
        table = pd.read_csv(path, parse_dates=["Date"])
        return table.rename(columns=lambda name: name.lower().replace(" ", "_"))
