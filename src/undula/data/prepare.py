"""From whatever the user has (a name, a file, a frame, an array) to the three parts."""

from __future__ import annotations

__all__ = ["Data", "PreparedData", "prepare", "raw_data"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ..core.errors import DataError
from ..core.registry import Registry
from ..core.source import BaseSource
from .columns import refuse_two_targets, require_columns
from .options import DataOptions, Roles
from .reading import Windows, array_columns, as_table, as_windows, read_file
from .splits import Parts, split_panel
from .table import Panel, clean_table, panel_of_windows

Data = pd.DataFrame | np.ndarray | Sequence[np.ndarray] | str | Path
"""A table, an array (L, C) or (N, L, C), a list of arrays (L_i, C), or a file's path."""


@dataclass(frozen=True)
class PreparedData:
    """The parts, and what their columns are.

    Args:
        parts: training, validation and test windows.
        panel: the clean series.
        options: the user's, with what was found filled in.
    """

    parts: Parts
    panel: Panel
    options: DataOptions

    @property
    def notes(self) -> list[str]:
        """What was found and done, a sentence each."""
        return [*self.panel.notes, *self.parts.notes]


def prepare(options: DataOptions, data: Data | None = None) -> PreparedData:
    """Read, check, split.

    Args:
        options: what the user says about the data.
        data: the data themselves; None: `options.dataset` or `options.path` says where they are.

    Raises:
        DataError: with the row, column or part that is wrong, and what to do.
    """
    raw = raw_data(options, data)
    if isinstance(raw, Windows):
        _refuse_for_windows(options)
        refuse_two_targets(options, raw.columns)
        raw = _chosen(raw, options.target)
        panel, window_len = panel_of_windows(raw), raw.values.shape[1]
        options = _updated(options, predict_len=window_len)
    elif isinstance(raw, list):
        # without a length that the user asks for, every array is one window
        predict_len = options.predict_len if "predict_len" in options.model_fields_set else None
        roles = options.roles.model_copy(update={"series": "series", "time": "step"})
        options = _updated(options, predict_len=predict_len, roles=roles.model_dump())
        panel, window_len = clean_table(_table_of_list(raw, options), options), None
    else:
        # settled: what the model is given later is cut as its training data were
        options = _updated(_with_source_roles(options))
        panel, window_len = clean_table(raw, options), None
    return PreparedData(split_panel(panel, options, window_len), panel, options)


def _updated(options: DataOptions, **changes: Any) -> DataOptions:
    """The options with changes, checked again."""
    try:
        return DataOptions.model_validate({**options.model_dump(), **changes})
    except ValidationError as error:
        reasons = [problem["msg"].removeprefix("Value error, ") for problem in error.errors()]
        raise DataError(f"the options do not fit the data: {'; '.join(reasons)}") from None


def _refuse_for_windows(options: DataOptions) -> None:
    """Refuse what windows that are already cut cannot have, rather than leave it out silently."""
    roles = options.roles.model_dump(exclude={"target", "time", "series"})
    asked = [f"roles.{name}" for name, value in roles.items() if value]
    if options.history_len:
        asked.insert(0, "history_len")
    if options.align is not None:
        asked.insert(0, "align")
    if options.transform != "none":
        named = options.transform if isinstance(options.transform, str) else "one a column"
        asked.insert(0, f"transform: {named}")
    if asked:
        raise DataError(
            f"{asked[0]} needs series, and these are windows that are already cut: give a table or one long "
            f"array (T, C), or leave {asked[0].partition(':')[0]} out"
        )


def _chosen(windows: Windows, wanted: list[str] | None) -> Windows:
    """The columns that the user wants; all of them in order are not copied."""
    if wanted is None:
        return windows
    if not wanted:
        raise DataError("columns is empty: name at least one column to generate, or leave it out")
    names, count = windows.columns, len(windows.columns)
    if names == array_columns(None, count):
        names = array_columns(wanted, count)
    require_columns(pd.DataFrame(columns=names), wanted)
    index = [names.index(name) for name in wanted]
    return Windows(windows.values if index == list(range(count)) else windows.values[..., index], wanted)


def raw_data(options: DataOptions, data: Data | None = None) -> pd.DataFrame | Windows | list[np.ndarray]:
    """What the user has, read and nothing else: a table, windows, or a list of arrays.

    Raises:
        DataError: if it cannot be read, or is not understood.
    """
    if data is None:
        if options.dataset is not None:
            return _source(options).load()
        if options.path is None:
            raise DataError("no data: give data.path (your own file) or data.dataset (a registered source)")
        data = options.path
    if isinstance(data, str | Path):
        return read_file(data)
    if isinstance(data, pd.DataFrame):
        return as_table(data)
    if isinstance(data, np.ndarray):
        if data.ndim == 3:
            return as_windows(data, None, "the array")
        if data.ndim in (1, 2):
            rows = data if data.ndim == 2 else data[:, None]
            return pd.DataFrame(rows, columns=array_columns(options.target, rows.shape[1]))
        raise DataError(f"the array has shape {data.shape}: expected (T, C) or (N, L, C)")
    if isinstance(data, Sequence):
        arrays = [item for item in data if isinstance(item, np.ndarray)]
        if arrays and len(arrays) == len(data):
            return arrays
    raise DataError(
        f"data of type {type(data).__name__} are not understood: give a DataFrame, an array (T, C) or "
        "(N, L, C), a list of arrays (L_i, C), or a file's path"
    )


def _source(options: DataOptions) -> BaseSource:
    """The source that `dataset` names, which gets the file that `path` names."""
    source = BaseSource.of(options.dataset)
    if options.path is None:
        return source
    if not source.reads_file():
        sources: dict[str, Any] = {name: Registry.find("dataset", name) for name in Registry.list("dataset")}
        readers = [name for name, known in sources.items() if known.reads_file()]
        raise DataError(
            f"dataset and path are both given, and the data set {Registry.name(source)!r} reads no file "
            f"(those that do: {', '.join(readers)}): leave out one of them"
        )
    spec = Registry.spec(source)
    made: BaseSource = Registry.resolve(
        "dataset", {**spec, "params": {**spec["params"], "path": options.path}}
    )
    return made


def _table_of_list(arrays: list[np.ndarray], options: DataOptions) -> pd.DataFrame:
    """Arrays of different lengths as one table with a column that tells them apart."""
    for number, array in enumerate(arrays):
        if array.ndim not in (1, 2) or not len(array):
            raise DataError(f"array {number} of the list has shape {array.shape}: expected (L_i, C)")
    shaped = [np.asarray(a, float) if a.ndim == 2 else np.asarray(a, float)[:, None] for a in arrays]
    channels = {a.shape[1] for a in shaped}
    if len(channels) != 1:
        raise DataError(f"the arrays have {sorted(channels)} columns: all need the same number")
    columns = array_columns(options.target, channels.pop())
    table = pd.DataFrame(np.concatenate(shaped), columns=columns)
    table["series"] = np.repeat(np.arange(len(shaped)), [len(a) for a in shaped])
    table["step"] = np.concatenate([np.arange(len(a)) for a in shaped])
    return table


def _with_source_roles(options: DataOptions) -> DataOptions:
    """The source's own roles where the user names none."""
    if options.dataset is None:
        return options
    given = {name: value for name, value in options.roles.model_dump().items() if value}
    roles = Roles(**{**_source(options).roles, **given})
    return _updated(options, roles=roles.model_dump())
