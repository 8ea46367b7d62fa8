"""What a conditional model is told when it samples: histories and covariates from the user's data."""

from __future__ import annotations

__all__ = ["Given", "given_windows"]

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..core.errors import DataError, OutsideTrainingWarning, did_you_mean
from .collation import Collator
from .options import DataOptions
from .prepare import Data
from .reading import Windows, as_table, read_file
from .table import Panel, clean_table
from .transforms import ColumnTransforms
from .windows import Batch

Given = Data | Mapping[str, float | Sequence[float] | np.ndarray]
"""Data with a history or covariates; or values by the names of columns of roles.at_start and roles.static."""


def given_windows(given: Given, collator: Collator, options: DataOptions) -> Batch:
    """One window a series: its last rows.

    Where windows vary in length, the known covariates' rows say how long each is (`Batch.lengths`);
    without any, the windows have length 0: nothing that is given says how long they are.

    Args:
        given: histories (N, H, C) or (H, C), or a table or file with the training data's columns, all
            in the units of the training data: with a transform, a history needs one row more. A
            table ends with the history, or, where the model knows covariates of the future, with
            their L rows, in which the target columns may be empty. For a model that is told columns of
            roles.at_start or roles.static alone also values by name, {"vix": 30.0}; lists of equal
            length are as many windows.
        collator: the model's.
        options: the model's.

    Raises:
        DataError: if rows, columns or values are missing.
    """
    batch = _read(given, collator, options)
    if batch.start is not None:
        collator.start.check(batch.start, "`given`")
        for sentence in collator.start.outside(batch.start):
            warnings.warn(sentence, OutsideTrainingWarning, stacklevel=2)
    return batch


def _read(given: Given, collator: Collator, options: DataOptions) -> Batch:
    if isinstance(given, Mapping):
        return _of_mapping(given, collator)
    raw = read_file(given) if isinstance(given, str | Path) else given
    if isinstance(raw, Windows):
        raw = raw.values
    if isinstance(raw, np.ndarray):
        return _of_array(np.asarray(raw, float), collator, options)
    if not isinstance(raw, pd.DataFrame):
        raise DataError(
            f"`given` of type {type(given).__name__}: expected a table, an array, a file's path, or values "
            "by name"
        )
    raw = as_table(raw).copy()
    future = raw[[c for c in options.target or [] if c in raw.columns]].isna().all(axis=1)
    for name in options.roles.past_covariates:
        if name in raw.columns and options.target:
            raw.loc[future & raw[name].isna(), name] = 0.0
    panel = clean_table(raw, options.model_copy(update={"missing": "mask"}))
    if panel.columns != collator.columns:
        raise DataError(
            f"`given` has the columns {panel.columns}, the model was trained on {collator.columns}"
        )
    return _of_panel(panel, collator)


def _of_mapping(given: Mapping[str, object], collator: Collator) -> Batch:
    """A window for each value; single ones are told to all windows."""
    names = [*collator.start.columns, *collator.static]
    if collator.history_len or collator.known:
        raise DataError(
            "the model is told a history or covariates: pass `given` (--given) as a table or a file, not as "
            "values by name"
        )
    for name in given:
        if name not in names:
            raise DataError(
                f"`given` names {name!r}{did_you_mean(str(name), names)}: the model is told "
                f"{', '.join(names) or 'no value by name'}"
            )
    if missing := [name for name in names if name not in given]:
        raise DataError(f"`given` has no value of {', '.join(map(repr, missing))}: the model is told it")
    columns = [_numbers(given[name], name) for name in names]
    counts = sorted({len(column) for column in columns} - {1}) or [1]
    if len(counts) > 1:
        raise DataError(f"the lists in `given` have {counts[0]} and {counts[1]} values: give equally many")
    values = np.stack([np.broadcast_to(column, counts[0]) for column in columns], axis=1)
    batch = collator.empty_batch(counts[0], collator.length or 0)
    told = len(collator.start.columns)
    features = np.repeat(values[:, None, told:], max(batch.features.shape[1], 1), axis=1)
    return replace(batch, features=features, start=values[:, :told] if told else None)


def _numbers(value: object, name: str) -> np.ndarray:
    """A number or a list of numbers, (n,)."""
    try:
        numbers = np.atleast_1d(np.asarray(value, float))
    except (TypeError, ValueError):
        numbers = np.array([np.nan])
    if numbers.ndim != 1 or not len(numbers) or not np.isfinite(numbers).all():
        raise DataError(f"`given` has {name!r} = {value!r}: give a number, or a list of numbers")
    return numbers


def _of_array(history: np.ndarray, collator: Collator, options: DataOptions) -> Batch:
    if collator.start.columns and not collator.history_len:
        names = ", ".join(f"{name!r}: …" for name in collator.start.columns)
        raise DataError(f"the model is told values by name: pass `given` as {{{names}}}, or as a table")
    if collator.known or collator.past or collator.static or collator.start.columns:
        raise DataError("the model needs covariates: pass `given` as a table with their columns")
    history = history[None] if history.ndim == 2 else history
    h, channels = collator.history_len, len(collator.columns)
    transforms = ColumnTransforms.of_names(options.transform, collator.columns)
    rows = h + transforms.lost
    if history.ndim != 3 or history.shape[1] < rows or history.shape[2] != channels:
        more = "one row" if rows == h + 1 else f"{rows - h} rows"
        why = f" ({more} more than the history, for data.transform)" if rows > h else ""
        raise DataError(
            f"`given` has shape {history.shape}: expected (N, {rows}, {channels}), history first{why}"
        )
    history = transforms(history[:, -rows:]) if rows else history[:, :0]
    if np.isnan(history).any() and not collator.masked:
        raise DataError("`given` has missing values in its history: fill them first")
    n, length = len(history), collator.length or 0
    return _batch(history, [np.zeros((h + length, 0))] * n, [length] * n, collator)


def _of_panel(panel: Panel, collator: Collator) -> Batch:
    h, aligned = collator.history_len, bool(collator.known)
    last = {series.name: series for series in panel.series}
    histories, features, lengths, starts = [], [], [], []
    for name, series in last.items():
        rows = len(series.values)
        length = collator.length or (rows - h if aligned else 0)
        needed = h + (length if aligned else 0)
        where = f"series {name!r} of `given`" if name else "`given`"
        if rows < max(needed, 1):
            what = f"{h} of history" + (f" and {length} of known covariates" if aligned else "")
            raise DataError(f"{where} has {rows} rows after cleaning, the model needs {needed}: {what}")
        part = slice(rows - needed, rows - needed + h)
        histories.append(series.values[part])
        if np.isnan(histories[-1]).any() and not collator.masked:
            raise DataError(f"{where} has missing values in its history: fill them first")
        features.append(series.features[rows - needed :] if needed else series.features[-1:])
        lengths.append(length)
        if series.before is not None:
            starts.append(series.before[rows - needed + h])
    start = np.stack(starts) if starts else None
    return replace(_batch(np.stack(histories), features, lengths, collator), start=start)


def _batch(history: np.ndarray, features: list[np.ndarray], lengths: list[int], collator: Collator) -> Batch:
    """Side by side, each padded to the longest with its last features."""
    n, longest = len(history), max(lengths)
    steps = np.arange(max(collator.history_len + longest, 1))
    rows = np.stack([f[np.minimum(steps, len(f) - 1)] for f in features])
    varies = min(lengths) < longest
    exists = np.arange(longest) < np.array(lengths)[:, None] if varies else None
    return Batch(history, np.zeros((n, longest, len(collator.columns))), rows, exists, np.arange(n))
