"""From whatever the user has (a name, a file, a frame, an array) to the three parts."""

from __future__ import annotations

__all__ = ["Data", "PreparedData", "prepare"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..core.errors import DataError
from ..core.registry import Registry
from .options import DataOptions, Roles
from .reading import Windows, as_windows, read_file
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
    raw = _raw(options, data)
    if isinstance(raw, Windows):
        if options.history_len:
            raise DataError(
                "history_len needs series, and these are windows that are already cut: give a table "
                "or one long array (T, C), or set history_len: 0"
            )
        panel, window_len = panel_of_windows(raw), raw.values.shape[1]
        options = options.model_copy(update={"predict_len": window_len})
    elif isinstance(raw, list):
        roles = options.roles.model_copy(update={"series": "series", "time": "step"})
        options = options.model_copy(update={"predict_len": None, "roles": roles})
        panel, window_len = clean_table(_table_of_list(raw, options), options), None
    else:
        options = _with_source_roles(options)
        panel, window_len = clean_table(raw, options), None
    return PreparedData(split_panel(panel, options, window_len), panel, options)


def _raw(options: DataOptions, data: Data | None) -> pd.DataFrame | Windows | list[np.ndarray]:
    if data is None:
        if options.dataset is not None:
            return Registry.get("dataset", options.dataset).load()
        if options.path is None:
            raise DataError("no data: give data.path (your own file) or data.dataset (a registered source)")
        data = options.path
    if isinstance(data, str | Path):
        return read_file(data)
    if isinstance(data, pd.DataFrame):
        return data
    if isinstance(data, np.ndarray):
        if data.ndim == 3:
            return as_windows(data, options.target, "the array")
        if data.ndim in (1, 2):
            columns = options.target or [f"feature_{i}" for i in range(np.atleast_2d(data.T).shape[0])]
            return pd.DataFrame(data.reshape(len(data), -1), columns=columns)
        raise DataError(f"the array has shape {data.shape}: expected (T, C) or (N, L, C)")
    if isinstance(data, Sequence):
        arrays = [item for item in data if isinstance(item, np.ndarray)]
        if len(arrays) == len(data):
            return arrays
    raise DataError(
        f"data of type {type(data).__name__} are not understood: give a DataFrame, an array (T, C) or "
        "(N, L, C), a list of arrays (L_i, C), or a file's path"
    )


def _table_of_list(arrays: list[np.ndarray], options: DataOptions) -> pd.DataFrame:
    """Arrays of different lengths as one table with a column that tells them apart."""
    shaped = [np.asarray(a, float).reshape(len(a), -1) for a in arrays]
    channels = {a.shape[1] for a in shaped}
    if len(channels) != 1:
        raise DataError(f"the arrays have {sorted(channels)} columns: all need the same number")
    columns = options.target or [f"feature_{i}" for i in range(channels.pop())]
    table = pd.DataFrame(np.concatenate(shaped), columns=columns)
    table["series"] = np.repeat(np.arange(len(shaped)), [len(a) for a in shaped])
    table["step"] = np.concatenate([np.arange(len(a)) for a in shaped])
    return table


def _with_source_roles(options: DataOptions) -> DataOptions:
    """The source's own roles where the user names none."""
    if options.dataset is None:
        return options
    given = {name: value for name, value in options.roles.model_dump().items() if value}
    roles = Roles(**{**Registry.get("dataset", options.dataset).roles, **given})
    return options.model_copy(update={"roles": roles})
