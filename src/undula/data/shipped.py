"""Tables that the package `arch` brings along (licence NCSA), read without importing it."""

from __future__ import annotations

__all__ = ["shipped_table"]

import importlib.util
from pathlib import Path

import pandas as pd

from ..core.errors import DataError


def shipped_table(name: str) -> pd.DataFrame:
    """A table of `arch.data`: `date` and the others in small letters, oldest first.

    Args:
        name: of the module, such as sp500.

    Raises:
        DataError: if arch is not installed.
    """
    spec = importlib.util.find_spec("arch")  # found, not imported: the import takes a second
    if spec is None or spec.origin is None:
        raise DataError(f"the data set {name} comes with the package arch: pip install arch")
    path = Path(spec.origin).parent / "data" / name / f"{name}.csv.gz"
    table = pd.read_csv(path, parse_dates=["Date"], na_values=["."])
    return table.rename(columns=lambda column: str(column).lower().replace(" ", "_"))
