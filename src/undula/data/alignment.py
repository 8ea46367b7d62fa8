"""Several sets of data brought to the same columns and the same length of windows.

Each may be a table (one long series, or several with a column `sample`), an array of rows or of windows, or
a file of any of these. Columns go by their names; where one side has none, by their order.
"""

from __future__ import annotations

__all__ = ["AlignedSet", "align"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError, MissingValuesError, UndulaError
from .columns import numeric, parsed_time, target_columns, time_role, with_time_column
from .common import common_columns
from .options import DataOptions
from .overlap import placed
from .prepare import Data
from .reading import Windows, array_columns, as_table, as_windows, read_file
from .table import Panel, clean_table
from .windows import WindowDataset

Array = NDArray[np.floating[Any]]
Raw = pd.DataFrame | Windows
T = TypeVar("T")

_LENGTH = 24
_MOST_WINDOWS = 20_000
_SAMPLE, _STEPS = "sample", ("step", "time")
_WORDS = {
    "or leave the column out of roles.target": "or choose other columns with --columns",
    "(see data.missing)": "(see --missing)",
    "name one in roles.target": "name one with --columns",
    "or name another column in roles.time": "or remove the column",
    "name the column that tells them apart in roles.series": "call the column that tells them apart 'sample'",
    "leave the column out, or give each column its own transform": "or choose other columns with --columns",
}
"""What messages about a config's keys say where there is no config."""


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
        left_out: its columns that another set does not have; none where the user chose.
    """

    windows: Array
    starts: NDArray[np.int64]
    stretches: list[Array]
    columns: list[str]
    times: NDArray[np.datetime64] | None = None
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


def align(
    sets: Mapping[str, Data], options: DataOptions, length: int | None = None
) -> tuple[dict[str, AlignedSet], list[str]]:
    """Bring sets to the same columns and windows.

    Args:
        sets: by what they are called in messages; the first one's order of columns is kept.
        options: columns, stride, transform and missing values; its length is not used.
        length: L; None: that of sets that are windows already, or 24.

    Returns:
        The sets, and what was aligned, a sentence each.

    Raises:
        DataError: if they have no column in common, or one of them cannot be used; it is named.
    """
    raw = {name: _of(name, _read, data) for name, data in sets.items()}
    have: dict[str, list[str]] = {}
    told: list[str] = []
    for name, data in raw.items():
        have[name], notes = _of(name, _columns, data)
        told += [f"{name}: {note}" for note in notes]
    columns, called, notes = common_columns(have, options.target)
    length, why = _window_length(raw, length)
    told = [f"columns: {', '.join(columns)}", *notes, *told, why]
    aligned = {}
    for name, data in raw.items():
        cut = _of(name, _cut, data, called[name], columns, options, length)
        left_out = [] if options.target else [c for c in have[name] if c not in called[name]]
        aligned[name] = replace(cut, left_out=left_out)
        told += [f"{name}: {note}" for note in aligned[name].notes]
    return aligned, told


def _of(name: str, make: Callable[..., T], *given: Any) -> T:
    """What `make` returns; its errors say of which set they are, in the words of this command."""
    try:
        return make(*given)
    except MissingValuesError as error:
        problem = str(error).partition(": choose")[0]
        raise DataError(
            f"{name}: {problem}: --missing interpolate fills them in linearly in time, --missing drop leaves "
            "out the windows that have any"
        ) from None
    except UndulaError as error:
        message = str(error)
        for there, here in _WORDS.items():
            message = message.replace(there, here)
        raise DataError(f"{name}: {message.partition(' (data.transform:')[0]}") from None


# -- reading -----------------------------------------------------------------------------------------


def _read(data: Data) -> Raw:
    raw: Any = read_file(data) if isinstance(data, str | Path) else data
    if isinstance(raw, np.ndarray):
        if raw.ndim == 3:
            return as_windows(raw, None, "the array")
        if raw.ndim in (1, 2):
            rows = raw.reshape(len(raw), -1)
            return pd.DataFrame(rows, columns=array_columns(None, rows.shape[1]))
        raise DataError(f"the array has shape {raw.shape}: expected (T, C) or (N, L, C)")
    if isinstance(raw, pd.DataFrame):
        return _windows_of_long(_with_names(raw if isinstance(data, str | Path) else as_table(raw)))
    if isinstance(raw, Windows):
        return raw
    raise DataError(f"data of type {type(data).__name__}: give a table, an array or a file's path")


def _with_names(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose columns are numbered has none; one whose names are other numbers lacks its header."""
    names = [str(c) for c in table.columns]
    if names == [str(i) for i in range(len(names))]:
        return table.set_axis(array_columns(None, len(names)), axis=1)
    if names and pd.to_numeric(pd.Series(names), errors="coerce").notna().all():
        raise DataError(
            f"its first row holds numbers, not names ({', '.join(names[:3])}): write a row of names above it"
        )
    return table


def _windows_of_long(table: pd.DataFrame) -> Raw:
    """A table with `sample` and `step` or `time` as windows, if they have one length; any other as it is."""
    step = next((s for s in _STEPS if s in table.columns), None)
    if _SAMPLE not in table.columns or step is None or table[_SAMPLE].isna().any():
        return table
    sizes = table.groupby(_SAMPLE, sort=False).size()
    if sizes.nunique() != 1 or int(sizes.iloc[0]) < 2:
        return table
    samples = pd.factorize(table[_SAMPLE])[0]
    order = np.lexsort((parsed_time(table[step], step).to_numpy(), samples))
    values = table.drop(columns=[_SAMPLE, *(s for s in _STEPS if s in table.columns)])
    columns = target_columns(values, DataOptions(), None, [])
    array = np.stack([numeric(values[c], c).to_numpy() for c in columns], 1)[order]
    return Windows(array.reshape(len(sizes), int(sizes.iloc[0]), -1), columns)


# -- columns -----------------------------------------------------------------------------------------


def _columns(data: Raw) -> tuple[list[str], list[str]]:
    """The columns of a set that can be compared, and what was found."""
    if isinstance(data, Windows):
        return data.columns, []
    notes: list[str] = []
    table = with_time_column(data)
    options = _roles(table)
    return target_columns(table, options, time_role(table, options, []), notes), notes


def _roles(table: pd.DataFrame) -> DataOptions:
    """A column `sample` beside one of times tells several series apart."""
    if _SAMPLE not in table.columns or time_role(table, DataOptions(), []) is None:
        return DataOptions()
    return DataOptions(roles={"series": _SAMPLE})


# -- windows -----------------------------------------------------------------------------------------


def _window_length(raw: Mapping[str, Raw], length: int | None) -> tuple[int, str]:
    cut = {name: data.values.shape[1] for name, data in raw.items() if isinstance(data, Windows)}
    if length is not None:
        short = [name for name, own in cut.items() if own < length]
        if short:
            raise DataError(
                f"{short[0]} has windows of {cut[short[0]]} steps, shorter than --length {length}: "
                f"give --length {min(cut.values())} or less"
            )
        return length, f"windows of {length} steps, as asked for"
    if not cut:
        return _LENGTH, f"windows of {_LENGTH} steps (--length changes it)"
    if len(set(cut.values())) > 1:
        told = ", ".join(f"{name} has {own}" for name, own in cut.items())
        raise DataError(
            f"windows of different lengths: {told}: --length {min(cut.values())} cuts them to one length"
        )
    own = next(iter(cut.values()))
    if own < 2:
        raise DataError(f"{next(iter(cut))} has windows of 1 step: give it as one long series (T, C)")
    return own, f"windows of {own} steps, as {', '.join(cut)} {'has' if len(cut) == 1 else 'have'} them"


def _cut(data: Raw, own: list[str], columns: list[str], options: DataOptions, length: int) -> AlignedSet:
    if isinstance(data, Windows):
        return _cut_windows(data, own, columns, options, length)
    return _cut_series(data, own, columns, options, length)


def _cut_series(
    data: pd.DataFrame, own: list[str], columns: list[str], options: DataOptions, length: int
) -> AlignedSet:
    table = with_time_column(data).rename(columns=dict(zip(own, columns, strict=True)))
    roles = {"series": _roles(table).roles.series, "target": columns}
    given = options.model_dump(include={"transform", "missing"})
    panel = clean_table(table, DataOptions.model_validate({**given, "roles": roles}))
    values = np.concatenate([series.values for series in panel.series])
    ends = np.cumsum([len(series.values) for series in panel.series])
    starts = np.concatenate(
        [
            np.arange(end - len(series.values), end - length + 1, options.stride)
            for series, end in zip(panel.series, ends, strict=True)
        ]
    ).astype(np.int64)
    holes = np.concatenate([[0], np.cumsum(np.isnan(values).any(1))])
    whole = starts[holes[starts + length] == holes[starts]]
    rows = f"{len(values):,} row{'s' * (len(values) != 1)}"
    if not len(whole):
        apart = "" if len(starts) == len(whole) else " without missing values"
        longest = max(len(series.values) for series in panel.series)
        stretch = f", at most {longest:,} of them in one stretch" if len(panel.series) > 1 else ""
        raise DataError(
            f"it has {rows}{stretch}, and no window of {length} steps{apart} fits: give more rows, or a "
            "smaller --length"
        )
    kept = whole[_evenly(len(whole))]
    part = WindowDataset(
        values=values, features=np.empty((len(values), 0)), starts=kept, lengths=np.full(len(kept), length)
    )
    notes = [f"{rows}, {len(whole):,} window{'s' * (len(whole) != 1)}", *panel.notes, *_thinned(kept, whole)]
    times = _stamps(panel, kept[:, None] + np.arange(length))
    return AlignedSet(part.futures(), kept, part.stretches(), panel.columns, times, notes)


def _stamps(panel: Panel, rows: NDArray[np.int64]) -> NDArray[np.datetime64] | None:
    """The rows' time stamps, where they are dates."""
    stamps = [series.time for series in panel.series if isinstance(series.time, pd.DatetimeIndex)]
    if len(stamps) < len(panel.series):
        return None
    return np.concatenate([one.to_numpy() for one in stamps])[rows]


def _cut_windows(
    data: Windows, own: list[str], columns: list[str], options: DataOptions, length: int
) -> AlignedSet:
    if options.transform != "none":
        raise DataError(
            f"transform {options.transform} needs series, and these are windows that are already cut: "
            "transform them first"
        )
    index = [data.columns.index(c) for c in own]
    values = np.asarray(data.values[..., index], float)
    n, whole, c = values.shape
    notes = [f"{n:,} window{'s' * (n != 1)} of {whole} steps"]
    values, dropped = _complete(values, columns, options)
    notes += dropped
    parts = whole // length
    values = values[:, : parts * length].reshape(len(values) * parts, length, c)
    if whole != length:
        rest = whole - parts * length
        left = f", the last {rest} step{'s' * (rest > 1)} left out" if rest else ""
        notes.append(f"cut into {len(values):,} of {length} steps{left}")
    kept = values[_evenly(len(values))]
    found = placed(kept)
    if found.overlapping:
        notes.append(f"{found.overlapping:,} of them overlap: they are put into their order in time")
    return AlignedSet(
        found.windows, found.starts, found.stretches, columns, None, [*notes, *_thinned(kept, values)]
    )


def _complete(values: Array, columns: list[str], options: DataOptions) -> tuple[Array, list[str]]:
    """Windows without missing values, and what was done to have them."""
    finite = np.isfinite(values)
    if finite.all():
        return values, []
    count = int(np.isnan(values).sum())
    bad = np.argwhere(~finite if count == 0 else np.isnan(values))[0]
    where = f"window {bad[0] + 1}, step {bad[1] + 1}, column {columns[bad[2]]!r}"
    if np.isinf(values).any():
        bad = np.argwhere(np.isinf(values))[0]
        where = f"window {bad[0] + 1}, step {bad[1] + 1}, column {columns[bad[2]]!r}"
        raise DataError(f"{where} is infinite: correct it, or remove the window")
    if options.missing != "drop":
        raise DataError(
            f"{count:,} missing value{'s' * (count != 1)}, the first in {where}: fill them in, or "
            "--missing drop leaves out the windows that have any"
        )
    kept = values[finite.all((1, 2))]
    if not len(kept):
        raise DataError("every window has missing values: fill them in")
    return kept, [f"{len(values) - len(kept):,} windows with missing values left out"]


def _evenly(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_WINDOWS)).astype(np.int64))


def _thinned(kept: Any, of: Any) -> list[str]:
    if len(kept) == len(of):
        return []
    return [f"{len(kept):,} of {len(of):,} windows, evenly spaced, are used"]
