"""Filling in what is missing: samples given all that is known."""

from __future__ import annotations

__all__ = ["Draw", "Imputed", "fill", "impute"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import ConfigError, DataError
from ..core.randomness import derive_seed
from ..data.collation import Collator
from ..data.columns import time_role, with_time_column
from ..data.holes import Filling, Place
from ..data.observation import Observation
from ..data.options import DataOptions
from ..data.prepare import Data
from ..data.reading import Windows, as_table, read_file
from ..data.stretches import Series
from ..data.table import clean_table
from ..data.windows import Batch

Array = NDArray[np.floating[Any]]
Draw = Callable[[Batch, Observation | None, int, Callable[[float], None]], Array]
"""Windows of these conditions and observations, from a seed, (N, L, C)."""


@dataclass(frozen=True)
class Imputed:
    """Data with S fillings of their holes.

    Args:
        given: the table or array as it was given.
        series: its stretches.
        paths: of each stretch, (S, T, C); what was known is in all of them.
        columns: names of the C columns.
        name: of the column that names the series in a panel; None: there is one series.
        time: of the time column; None: there is none.
    """

    given: pd.DataFrame | Array
    series: Sequence[Series]
    paths: Sequence[Array]
    columns: list[str]
    name: str | None = None
    time: str | None = None

    @property
    def missing(self) -> int:
        """Values that were missing."""
        return sum(int(np.isnan(series.values).sum()) for series in self.series)

    @property
    def most_holes(self) -> int:
        """The number of the stretch with most of them."""
        return int(np.argmax([np.isnan(series.values).sum() for series in self.series]))

    def median(self) -> pd.DataFrame | Array:
        """The data as they were given, with the median of the fillings in every hole."""
        return self._with([np.median(paths, axis=0) for paths in self.paths])

    def samples(self) -> pd.DataFrame | Array:
        """All fillings: a table in long form with the column `sample` before the others, or (S, …)."""
        count = len(self.paths[0])
        found = [self._with([paths[s] for paths in self.paths]) for s in range(count)]
        if isinstance(self.given, np.ndarray):
            return np.stack(found)
        tables = []
        for s, table in enumerate(found):
            assert isinstance(table, pd.DataFrame)
            kept = [c for c in (self.name, self.time) if c is not None]
            tables.append(table[[*kept, *self.columns]].assign(sample=s))
        table = pd.concat(tables, ignore_index=True)
        return table[["sample", *(c for c in table.columns if c != "sample")]]

    def _with(self, filled: Sequence[Array]) -> pd.DataFrame | Array:
        if isinstance(self.given, np.ndarray):
            whole = np.stack(filled).reshape(self.given.shape)
            return np.where(np.isnan(self.given), whole, self.given)
        table = self.given.copy()
        for c, column in enumerate(self.columns):
            cells = table[column].to_numpy(float, copy=True)
            for series, values in zip(self.series, filled, strict=True):
                assert series.rows is not None
                holes = np.isnan(series.values[:, c])
                cells[series.rows[holes]] = values[holes, c]
            if table[column].isna().any():
                table[column] = cells
        return table


def impute(
    data: Data,
    collator: Collator,
    options: DataOptions,
    draw: Draw,
    count: int,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
) -> Imputed:
    """Fill the holes of data.

    Args:
        data: a table, an array (L, C) or (N, L, C), or a file's path, with NaN where values are missing.
        collator: the model's.
        options: the model's.
        draw: draws windows given observations.
        count: S, fillings.
        seed: of the samples.
        on_progress: called with the share that is done.

    Raises:
        ConfigError: if the model cannot fill in.
        DataError: if the data do not fit the model.
    """
    _refuse(collator, options)
    found = _read(data, collator, options)
    fillings = [
        Filling.of(series, count, collator.length or len(series.values), options.align)
        for series in found.series
    ]
    fill(fillings, collator, draw, derive_seed(seed, "impute"), on_progress)
    return Imputed(
        found.given, found.series, [f.values for f in fillings], found.columns, found.name, found.time
    )


def fill(
    fillings: Sequence[Filling],
    collator: Collator,
    draw: Draw,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Draw what is missing, round after round.

    Args:
        fillings: what is to be filled; changed.
        collator: the model's.
        draw: draws windows given observations.
        seed: of the samples.
        on_progress: called with the share that is done.
    """
    missing = left = _left(fillings)
    number = 0
    while places := [(f, place) for f in fillings for place in f.places()]:
        done, soon = 1.0 - left / missing, sum(place.until - place.start for _, place in places) / missing

        def share(part: float, done: float = done, soon: float = soon) -> None:
            if on_progress is not None:
                on_progress(min(done + part * soon, 1.0))

        _fill(places, collator, draw, derive_seed(seed, str(number)), share)
        left, number = _left(fillings), number + 1


def _left(fillings: Sequence[Filling]) -> int:
    return sum(int(np.isnan(f.values[0]).any(1).sum()) for f in fillings)


def _fill(
    places: Sequence[tuple[Filling, Place]],
    collator: Collator,
    draw: Draw,
    seed: int,
    share: Callable[[float], None],
) -> None:
    """Draw the windows of one round, of equal lengths together."""
    for length in sorted({filling.length for filling, _ in places}):
        some = [(f, place) for f, place in places if f.length == length]
        values = np.concatenate([f.paths[:, p.start : p.start + length] for f, p in some])
        count = len(some[0][0].paths)
        features = np.stack([f.features[p.start : p.start + length] for f, p in some]).repeat(count, 0)
        n = len(values)
        batch = Batch(np.zeros((n, 0, values.shape[2])), np.zeros_like(values), features, None, np.arange(n))
        windows = draw(batch, Observation(values), seed, share)
        for k, (filling, place) in enumerate(some):
            filling.fill(place, windows[k * count : (k + 1) * count])


def _refuse(collator: Collator, options: DataOptions) -> None:
    if collator.history_len or collator.start.columns:
        what = "a history" if collator.history_len else "columns of roles.at_start"
        raise ConfigError(
            f"the model is told {what}, which may itself be missing: fill in with a model that is not (train "
            "with data.history_len: 0 and without roles.at_start), or use forecast"
        )
    if options.transform != "none":
        raise ConfigError(
            f"the model is of data after data.transform: {options.transform}, where one missing value hides "
            "two: fill in with a model trained without it (preprocessing: log_return or difference keep the "
            "data's units)"
        )


def _read(data: Data, collator: Collator, options: DataOptions) -> Imputed:
    """The data as series, nothing filled."""
    raw = read_file(data) if isinstance(data, str | Path) else data
    if isinstance(raw, Windows):
        raw = np.asarray(raw.values, float)
    if isinstance(raw, np.ndarray):
        return _of_array(np.asarray(raw, float), collator)
    if not isinstance(raw, pd.DataFrame):
        raise DataError(f"data of type {type(data).__name__}: give a table, an array, or a file's path")
    table = with_time_column(as_table(raw))
    panel = clean_table(table, options.model_copy(update={"missing": "mask"}))
    if panel.columns != collator.columns:
        raise DataError(
            f"the data have the columns {panel.columns}, the model was trained on {collator.columns}"
        )
    collator.check_step(panel.series, "the table")
    return Imputed(
        table, panel.series, [], panel.columns, options.roles.series, time_role(table, options, [])
    )


def _of_array(values: Array, collator: Collator) -> Imputed:
    windows = values[None] if values.ndim == 2 else values
    if windows.ndim != 3 or windows.shape[2] != len(collator.columns):
        raise DataError(
            f"the array has shape {values.shape}: expected (L, {len(collator.columns)}) or "
            f"(N, L, {len(collator.columns)})"
        )
    if collator.known or collator.static:
        raise DataError("the model is told covariates: give a table with their columns")
    series = [Series("", window, np.zeros((len(window), 0)), None) for window in windows]
    return Imputed(values, series, [], list(collator.columns))
