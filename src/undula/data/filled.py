"""Files of data whose missing values were filled in."""

from __future__ import annotations

__all__ = ["check_filled_path", "write_filled"]

from pathlib import Path
from typing import Any, TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import ConfigError
from ..core.files import atomic_path
from .samples import check_sample_path

_TABLES, _ARRAYS = (".csv", ".parquet"), (".npy", ".npz")


def check_filled_path(path: Path, data: Path) -> None:
    """Refuse a file that cannot hold what is made of `data`, before any work is done.

    Raises:
        ConfigError: if it is the data themselves, a folder, or of another kind.
    """
    check_sample_path(path)
    if path.resolve() == data.resolve():
        raise ConfigError(f"output {str(path)!r} is the data themselves: give another file")
    table = data.suffix.lower() in _TABLES
    if (path.suffix.lower() in _TABLES) != table:
        kinds = _TABLES if table else _ARRAYS
        raise ConfigError(
            f"output {str(path)!r}: {data.name} holds {'a table' if table else 'an array'}: use "
            f"{' or '.join(kinds)}"
        )


def write_filled(
    target: Path | TextIO, filled: pd.DataFrame | NDArray[np.floating[Any]], columns: list[str]
) -> None:
    """Write a table or an array.

    Args:
        target: a file, by its extension, or where CSV goes.
        filled: the data, (L, C), (N, L, C), or with an axis of samples before them.
        columns: names of the C columns.

    Raises:
        ConfigError: if an array is to be written as text.
    """
    if not isinstance(target, Path):
        if not isinstance(filled, pd.DataFrame):
            raise ConfigError("an array cannot be written to stdout: give --output FILE.npy or FILE.npz")
        filled.to_csv(target, index=False)
        return
    suffix = target.suffix.lower()
    with atomic_path(target) as temporary:
        if isinstance(filled, pd.DataFrame):
            if suffix == ".csv":
                filled.to_csv(temporary, index=False)
            else:
                filled.to_parquet(temporary, index=False)
            return
        with temporary.open("wb") as file:
            if suffix == ".npy":
                np.save(file, filled)
            else:
                np.savez_compressed(file, samples=filled, columns=np.array(columns))
