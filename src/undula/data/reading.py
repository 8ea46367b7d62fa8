"""Reading the user's files: tables (CSV, Parquet) and windows (NPY, NPZ)."""

from __future__ import annotations

__all__ = ["Windows", "array_columns", "as_table", "as_windows", "read_file"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError, did_you_mean
from .layouts import flat_header, understood

_READERS = (".csv", ".parquet", ".npy", ".npz")
_DECIMAL_COMMA = r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?"


@dataclass(frozen=True)
class Windows:
    """Windows that somebody else has cut.

    Args:
        values: (N, L, C), possibly a memory map.
        columns: names of the C features.
    """

    values: NDArray[np.floating[Any]]
    columns: list[str]


def read_file(path: str | Path) -> pd.DataFrame | Windows:
    """Read a table or windows, by the file's extension.

    Raises:
        DataError: if the file is missing, empty, of another kind, or unreadable.
    """
    path = Path(path)
    if not path.is_file():
        near = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        raise DataError(f"file {str(path)!r} does not exist{did_you_mean(path.name, near)}")
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise DataError(f"file {str(path)!r} is not one of {', '.join(_READERS)}: convert it first")
    try:
        if suffix == ".csv":
            return as_table(_read_csv(path))
        if suffix == ".parquet":
            table = flat_header(pd.read_parquet(path))
            return as_table(table if table.index.name is None else table.reset_index())
        return _read_windows(path)
    except DataError:
        raise
    except UnicodeError as error:
        raise DataError(
            f"file {str(path)!r} cannot be read as {suffix}: it is not UTF-8 text: save it as CSV with the "
            "encoding UTF-8"
        ) from error
    except (ValueError, OSError, EOFError) as error:
        why = f"it is not a {suffix[1:]} file of numbers" if suffix in (".npy", ".npz") else error
        raise DataError(f"file {str(path)!r} cannot be read as {suffix}: {why}") from error


def as_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose layout is understood; `layouts.notes_of` says what was found."""
    return understood(flat_header(table))


def as_windows(values: NDArray[Any], columns: list[str] | None, where: str) -> Windows:
    """Check an array (N, L, C) or (N, L) and name its columns.

    Args:
        values: the array, possibly a memory map.
        columns: names that the file holds; None: feature_0, feature_1, …
        where: what to call it in messages.

    Raises:
        DataError: if the array has another number of axes or is not numeric.
    """
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim != 3 or values.dtype.kind not in "iuf" or 0 in values.shape:
        raise DataError(
            f"{where} has shape {values.shape} and type {values.dtype}: expected numbers of shape (N, L, C), "
            "N windows of L steps and C columns"
        )
    names = columns or array_columns(None, values.shape[-1])
    if len(names) != values.shape[-1]:
        raise DataError(f"{where} has {values.shape[-1]} columns but {len(names)} names: {names}")
    return Windows(values, names)


def array_columns(wanted: list[str] | None, count: int) -> list[str]:
    """Names of the columns of an array: feature_0, feature_1, …, or the user's, if they are others.

    Args:
        wanted: the user's `columns`: some of feature_0, …, or a name for every column.
        count: columns of the array.

    Raises:
        DataError: if the user's names are neither.
    """
    names = [f"feature_{i}" for i in range(count)]
    if wanted is None or set(wanted) <= set(names):
        return names
    if len(wanted) == count:
        return list(wanted)
    raise DataError(
        f"data.columns has {len(wanted)} names ({', '.join(wanted)}), the array has {count} columns: name "
        f"all of them in order, or choose some of feature_0 to feature_{count - 1}"
    )


def _read_csv(path: Path) -> pd.DataFrame:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        header, second = file.readline(), file.readline()
    if not header.strip():
        raise DataError(f"file {str(path)!r} is empty")
    separator = max(",;\t|", key=header.count)
    reads: dict[str, Any] = {"sep": separator, "skipinitialspace": True, "encoding": "utf-8-sig"}
    if {header.split(separator)[0].strip(), second.split(separator)[0].strip()} == {"Price", "Ticker"}:
        return pd.read_csv(path, header=[0, 1], index_col=0, **reads)
    table = pd.read_csv(path, **reads)
    if table.empty:
        raise DataError(f"file {str(path)!r} has a header but no rows")
    if separator != ",":
        table = table.apply(_with_decimal_points)
    return table.rename(columns=str)


def _with_decimal_points(column: pd.Series) -> pd.Series:
    """A text column of numbers with decimal commas, such as 1.234,5, as numbers; any other as it is."""
    given = column.dropna()
    if pd.api.types.is_numeric_dtype(column) or given.empty:
        return column
    text = given.astype(str).str.strip()
    if not (text.str.fullmatch(_DECIMAL_COMMA).all() and text.str.contains(",").any()):
        return column
    points = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    return pd.to_numeric(points).reindex(column.index)


def _read_windows(path: Path) -> Windows:
    if path.suffix.lower() == ".npy":
        return as_windows(np.load(path, mmap_mode="r", allow_pickle=False), None, f"array in {path.name}")
    with np.load(path, allow_pickle=False) as file:
        names = list(file.files)
        key = "samples" if "samples" in names else names[0] if len(names) == 1 else None
        if key is None:
            raise DataError(
                f"{path.name} holds the arrays {names}: expected one named 'samples', of shape (N, L, C)"
            )
        columns = [str(c) for c in file["columns"]] if "columns" in names else None
        return as_windows(file[key], columns, f"array {key!r} in {path.name}")
