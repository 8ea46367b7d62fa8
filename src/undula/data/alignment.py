"""Several sets of data brought to the same columns and the same length of windows.

Each may be a table (one long series, or undula's long form with a column `sample`), an array of rows or of
windows, or a file of any of these. Columns go by their names; where one side has none, by their order.
"""

from __future__ import annotations

__all__ = ["AlignedSet", "align"]

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError, UndulaError, did_you_mean
from .options import DataOptions
from .overlap import placed
from .prepare import Data, prepare
from .reading import Windows, array_columns, as_windows, read_file

Array = NDArray[np.floating[Any]]

_LENGTH = 24
_MOST_WINDOWS = 20_000
_LONG = ("sample", "series_id")
_STEPS = ("step", "time")


@dataclass(frozen=True)
class AlignedSet:
    """One set, cut.

    Args:
        windows: (N, L, C).
        starts: first row of each window, (N,).
        stretches: unbroken stretches of rows, (T, C), for baselines.
        columns: names of the C columns; those of transformed ones end with the transform's.
        times: time stamps of the windows' rows, (N, L); None: there are none.
        notes: what was found and done, a sentence each.
    """

    windows: Array
    starts: NDArray[np.int64]
    stretches: list[Array]
    columns: list[str]
    times: NDArray[np.datetime64] | None = None
    notes: list[str] = field(default_factory=list)


def align(
    sets: Mapping[str, Data], options: DataOptions, length: int | None = None
) -> tuple[dict[str, AlignedSet], list[str], list[str]]:
    """Bring sets to the same columns and windows.

    Args:
        sets: by what they are called in messages; the first one's order of columns is kept.
        options: columns, stride, transform, missing and roles; its length is not used.
        length: L; None: that of sets that are windows already, or 24.

    Returns:
        The sets, the names of their columns, and what was aligned, a sentence each.

    Raises:
        DataError: if they have no column in common, or one of them cannot be used; it is named.
    """
    raw = {name: _read(name, data) for name, data in sets.items()}
    _, named, notes = _common_columns(raw, options)
    length, why = _window_length(raw, length)
    notes.append(why)
    aligned = {}
    for name, data in raw.items():
        try:
            cut = _cut(data, named[name], options, length)
        except UndulaError as error:
            raise DataError(f"{name}: {error}") from None
        aligned[name] = cut
        notes += [f"{name}: {note}" for note in cut.notes]
    return aligned, aligned[next(iter(raw))].columns, notes


def _read(name: str, data: Data) -> pd.DataFrame | Windows:
    try:
        raw: Any = read_file(data) if isinstance(data, str | Path) else data
        if isinstance(raw, np.ndarray):
            if raw.ndim == 3:
                return as_windows(raw, None, "the array")
            rows = raw if raw.ndim == 2 else raw[:, None]
            return pd.DataFrame(rows, columns=array_columns(None, rows.shape[1]))
        if isinstance(raw, pd.DataFrame):
            return _windows_of_long(raw)
        if isinstance(raw, Windows):
            return raw
    except UndulaError as error:
        raise DataError(f"{name}: {error}") from None
    raise DataError(f"{name} of type {type(data).__name__}: give a table, an array or a file's path")


def _windows_of_long(table: pd.DataFrame) -> pd.DataFrame | Windows:
    """A table with `sample` and `step` or `time` as windows; any other as it is."""
    table = table.rename(columns=str)
    if "sample" not in table.columns or not set(_STEPS) & set(table.columns):
        return table
    values = table.drop(columns=["sample", *(c for c in _STEPS if c in table.columns)])
    sizes = table.groupby("sample", sort=False).size()
    if sizes.nunique() != 1:
        raise DataError(f"its samples have {sizes.min()} to {sizes.max()} steps: cut them to one length")
    text = [c for c in values.columns if not pd.api.types.is_numeric_dtype(values[c])]
    if text:
        raise DataError(f"column {text[0]!r} is not numeric: correct it, or leave it out")
    order = np.argsort(pd.factorize(table["sample"])[0], kind="stable")
    array = values.to_numpy(float)[order].reshape(len(sizes), int(sizes.iloc[0]), -1)
    return Windows(array, list(values.columns))


def _numeric_columns(data: pd.DataFrame | Windows) -> list[str]:
    if isinstance(data, Windows):
        return data.columns
    return [str(c) for c in data.columns]


def _common_columns(
    raw: Mapping[str, pd.DataFrame | Windows], options: DataOptions
) -> tuple[list[str], dict[str, list[str]], list[str]]:
    """The columns, what each set calls them, and what is left out."""
    first, *others = raw
    targets = {name: _targets(name, data, options) for name, data in raw.items()}
    wanted = targets[first]
    notes: list[str] = []
    named = {first: wanted}
    for name in others:
        have = targets[name]
        nameless = [cols == array_columns(None, len(cols)) for cols in (wanted, have)]
        if set(wanted) == set(have):
            named[name] = wanted
            if have != wanted:
                notes.append(f"{name} has its columns in another order: aligned by name")
        elif any(nameless) and len(have) == len(wanted):
            named[name] = have
            notes.append(f"{name}: columns taken in order, as one side has no names")
        elif not set(wanted) & set(have):
            raise DataError(
                f"{first} and {name} have no column in common: {first} has {', '.join(wanted)}; {name} has "
                f"{', '.join(have)}{did_you_mean(have[0], wanted)}: rename them, or name the ones to compare"
            )
        else:
            named[name] = have
    if all(set(cols) & set(wanted) for cols in named.values()):
        common = [c for c in wanted if all(c in named[n] or len(named[n]) == len(wanted) for n in named)]
        for name, cols in named.items():
            left_out = [c for c in cols if c not in common] if set(cols) & set(common) else []
            if left_out:
                notes.append(f"{name}: {', '.join(left_out)} left out, not in every set")
            if set(cols) & set(common):
                named[name] = [c for c in common if c in cols]
        wanted = common
    notes.insert(0, f"columns: {', '.join(wanted)}")
    return wanted, named, notes


def _targets(name: str, data: pd.DataFrame | Windows, options: DataOptions) -> list[str]:
    """The columns of a set that can be compared."""
    columns = _numeric_columns(data)
    if options.target is not None:
        missing = [c for c in options.target if c not in columns]
        if missing and columns != array_columns(None, len(options.target)):
            raise DataError(
                f"{name}: no column {missing[0]!r}{did_you_mean(missing[0], columns)} "
                f"(columns: {', '.join(columns)})"
            )
        return [c for c in options.target if c in columns] or columns
    if isinstance(data, Windows):
        return columns
    from .columns import target_columns, time_role, with_time_column

    try:
        table = with_time_column(data)
        return target_columns(table, options, time_role(table, options, []), [])
    except UndulaError as error:
        raise DataError(f"{name}: {error}") from None


def _window_length(raw: Mapping[str, pd.DataFrame | Windows], length: int | None) -> tuple[int, str]:
    cut = {name: data.values.shape[1] for name, data in raw.items() if isinstance(data, Windows)}
    if length is not None:
        short = [name for name, own in cut.items() if own < length]
        if short:
            raise DataError(f"{short[0]} has windows of {cut[short[0]]} steps, shorter than {length}")
        return length, f"windows of {length} steps, as asked for"
    if not cut:
        return _LENGTH, f"windows of {_LENGTH} steps (--length says otherwise)"
    if len(set(cut.values())) > 1:
        told = ", ".join(f"{name} has {own}" for name, own in cut.items())
        raise DataError(f"windows of different lengths: {told}: give a common length with --length")
    own = next(iter(cut.values()))
    return own, f"windows of {own} steps, as {' and '.join(cut)} {'has' if len(cut) == 1 else 'have'} them"


def _cut(data: pd.DataFrame | Windows, columns: list[str], options: DataOptions, length: int) -> AlignedSet:
    if isinstance(data, Windows):
        return _cut_windows(data, columns, options, length)
    changes = {
        "dataset": None, "path": None, "columns": columns, "history_len": 0, "predict_len": length,
        "split": {"train": 1.0, "val": 0.0, "test": 0.0},
    }  # fmt: skip
    roles = options.roles.model_copy(update={"target": None})
    chosen = DataOptions.model_validate({**options.model_dump(), **changes, "roles": roles.model_dump()})
    if len(data) < length:
        raise DataError(f"it has {len(data)} row{'s' * (len(data) != 1)}, and a window needs {length}")
    prepared = prepare(chosen, data)
    part = prepared.parts.train
    kept = np.unique(np.linspace(0, len(part) - 1, min(len(part), _MOST_WINDOWS)).astype(np.int64))
    windows = part.futures(kept).astype(float)
    notes = [f"{len(data):,} rows, {len(part):,} windows", *prepared.panel.notes]
    if len(kept) < len(part):
        notes.append(f"{len(kept):,} of {len(part):,} windows, evenly spaced, are used")
    times = None
    if isinstance(part.stamps, pd.DatetimeIndex):
        times = part.stamps.to_numpy()[part.starts[kept][:, None] + np.arange(length)]
    return AlignedSet(windows, part.starts[kept], part.stretches(), prepared.panel.columns, times, notes)


def _cut_windows(data: Windows, columns: list[str], options: DataOptions, length: int) -> AlignedSet:
    if options.transform != "none":
        raise DataError(
            f"transform {options.transform} needs series, and these are windows that are already cut: "
            "transform them first"
        )
    index = [data.columns.index(c) for c in columns]
    values = np.asarray(data.values[..., index], float)
    if not np.isfinite(values).all():
        bad = np.argwhere(~np.isfinite(values))[0]
        raise DataError(
            f"window {bad[0] + 1}, step {bad[1] + 1}, column {columns[bad[2]]!r} is missing or infinite: "
            "fill it in, or remove the window"
        )
    n, own, c = values.shape
    parts = own // length
    values = values[:, : parts * length].reshape(n * parts, length, c)
    notes = [f"{n:,} windows of {own} steps" + (f", cut into {n * parts:,} of {length}" if parts > 1 else "")]
    found = placed(values[:_MOST_WINDOWS])
    if found.overlapping:
        notes.append(f"{found.overlapping:,} of them overlap: they are put into their order in time")
    return AlignedSet(found.windows, found.starts, found.stretches, columns, None, notes)
