"""Forecasts: samples of what comes after a history, by a conditional model or by guidance."""

from __future__ import annotations

__all__ = ["Forecast", "forecast"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.randomness import derive_seed
from ..data.collation import Collator
from ..data.columns import target_columns, time_role, with_time_column
from ..data.future import Ahead, with_future
from ..data.holes import Filling
from ..data.options import DataOptions
from ..data.prepare import Data
from ..data.reading import Windows, as_table, read_file
from ..data.stretches import Series
from ..data.table import clean_table
from ..data.transforms import ColumnTransforms
from ..data.windows import Batch
from .imputing import Draw, fill
from .origins import spread_out

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Forecast:
    """Sample paths of what comes after the history of each series.

    Args:
        names: of the series; [""] where there is one.
        columns: names of the C columns.
        paths: of each series, (S, L, C) in the data's units.
        times: of each series, (L,): stamps, or steps from 1 where there are none.
        histories: the last rows before them, (H, C), for pictures.
        history_times: their stamps, or steps up to 0.
        series_column: name of the column that tells series apart.
        stamped: whether times are stamps.
    """

    names: list[str]
    columns: list[str]
    paths: list[Array]
    times: list[NDArray[Any]]
    histories: list[Array]
    history_times: list[NDArray[Any]]
    series_column: str | None = None
    stamped: bool = True

    def table(self) -> pd.DataFrame:
        """All paths in long form: `sample`, the series' column, `time` (or `step`), one column a feature."""
        parts = []
        for name, paths, time in zip(self.names, self.paths, self.times, strict=True):
            count, length, channels = paths.shape
            part = pd.DataFrame(paths.reshape(-1, channels), columns=self.columns)
            part.insert(0, "time" if self.stamped else "step", np.tile(time, count))
            if self.series_column is not None:
                part.insert(0, self.series_column, name)
            part.insert(0, "sample", np.repeat(np.arange(count), length))
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    def quantiles(self, levels: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)) -> pd.DataFrame:
        """Quantiles of the paths: the series' column, `time` (or `step`), `feature`, `quantile`, `value`."""
        parts = []
        for name, paths, time in zip(self.names, self.paths, self.times, strict=True):
            found = np.quantile(paths, levels, axis=0)  # (Q, L, C)
            grid = pd.MultiIndex.from_product(
                [levels, time, self.columns],
                names=["quantile", "time" if self.stamped else "step", "feature"],
            )
            part = pd.DataFrame({"value": found.reshape(-1)}, index=grid).reset_index()
            if self.series_column is not None:
                part.insert(0, self.series_column, name)
            parts.append(part)
        table = pd.concat(parts, ignore_index=True)
        first = [c for c in (self.series_column, "time", "step", "feature") if c in table.columns]
        return table[[*first, "quantile", "value"]]


def forecast(
    history: Data,
    collator: Collator,
    options: DataOptions,
    draw: Draw,
    horizon: int | None,
    count: int,
    seed: int,
    on_progress: Callable[[float], None] | None = None,
    spread: Sequence[float] | None = None,
) -> Forecast:
    """What comes after a history.

    Args:
        history: a table, an array (T, C) or (N, T, C), or a file's path; see `DiffusionModel.forecast`.
        collator: the model's.
        options: the model's.
        draw: draws windows.
        horizon: rows to come; None: the model's own.
        count: S, paths of each series.
        seed: of the samples.
        on_progress: called with the share that is done.
        spread: by how much each column's paths are spread out about their median; None: not.

    Raises:
        DataError: if the history does not fit the model.
    """
    length = collator.length
    if length is None:
        raise DataError("the model has no length of its own (data.predict_len: null): it cannot forecast")
    told = bool(collator.history_len)
    usual = length if told else max(length // 2, 1)
    horizon = usual if horizon is None else horizon
    rows = -(-horizon // length) * length if told else horizon
    series, last, given = _read(history, collator, options, rows)
    _check_covariates(options, given, horizon, length if told else None)
    asked = _Asked(collator, options, draw, rows, count, derive_seed(seed, "forecast"), on_progress)
    paths = asked.rolled(series) if told else asked.guided(series)
    if spread is not None:
        paths = [spread_out(path, np.array(spread)) for path in paths]
    transforms = ColumnTransforms.of_names(options.transform, collator.columns)
    found = Forecast([], transforms.names_back, [], [], [], [], options.roles.series)
    for one, path in zip(series, paths, strict=True):
        known = len(one.values) - rows
        anchor = last[one.name]
        found.names.append(one.name)
        found.paths.append(transforms.back(path[:, :horizon], np.broadcast_to(anchor, (count, len(anchor)))))
        before = _in_units(one.values[:known], transforms, anchor)[-max(2 * horizon, length) :]
        time = np.arange(1 - known, rows + 1) if one.time is None else one.time.to_numpy()
        found.times.append(time[known : known + horizon])
        found.histories.append(before)
        found.history_times.append(time[known - len(before) : known])
    return replace(found, stamped=series[0].time is not None)


def _in_units(values: Array, transforms: ColumnTransforms, last: Array) -> Array:
    """Transformed rows in the units before the transform, the last of them the anchor."""
    if not any(spec.type in ("log_return", "difference") for spec in transforms.specs):
        return transforms.back(values, last)
    out = transforms.back(values, last)
    for j, spec in enumerate(transforms.specs):
        later = np.flip(np.cumsum(np.flip(values[1:, j])))  # from each row to the last
        steps = np.concatenate([later, [0.0]])
        if spec.type == "log_return":
            out[:, j] = last[j] * np.exp(-steps)
        elif spec.type == "difference":
            out[:, j] = last[j] - steps
    return out


def _read(
    history: Data, collator: Collator, options: DataOptions, rows: int
) -> tuple[list[Series], dict[str, Array], int]:
    """Each series' last stretch and `rows` rows to come, its last known row, and how much future is given."""
    raw = read_file(history) if isinstance(history, str | Path) else history
    if isinstance(raw, Windows):
        raw = np.asarray(raw.values, float)
    if isinstance(raw, np.ndarray):
        return _of_array(np.asarray(raw, float), collator, options, rows)
    if not isinstance(raw, pd.DataFrame):
        raise DataError(
            f"a history of type {type(history).__name__}: give a table, an array, or a file's path"
        )
    table = with_time_column(as_table(raw))
    targets = target_columns(table, options, time_role(table, options, []), [])
    ahead: Ahead = with_future(table, options, targets, rows)
    panel = clean_table(ahead.table, options.model_copy(update={"missing": "mask"}))
    if panel.columns != collator.columns:
        raise DataError(
            f"the history has the columns {panel.columns}, the model was trained on {collator.columns}"
        )
    series = list({one.name: one for one in panel.series}.values())
    collator.check_step(series, "the history")
    for one in series:
        known = len(one.values) - rows
        where = f"series {one.name!r} of the history" if one.name else "the history"
        need = max(collator.history_len, 1)
        if known < need:
            more = "" if options.transform == "none" else " after data.transform"
            raise DataError(
                f"{where} has {max(known, 0)} rows{more} after its last gap in time, the model needs {need}"
            )
        if np.isnan(one.values[known - collator.history_len : known]).any() and not collator.masked:
            raise DataError(
                f"{where} has missing values in its last {collator.history_len} rows: fill them first, for "
                "example with `undula impute`"
            )
    return series, ahead.last, ahead.given


def _of_array(
    values: Array, collator: Collator, options: DataOptions, rows: int
) -> tuple[list[Series], dict[str, Array], int]:
    windows = values[None] if values.ndim == 2 else values
    channels = len(collator.columns)
    if windows.ndim != 3 or windows.shape[2] != channels:
        raise DataError(
            f"a history of shape {values.shape}: expected (T, {channels}) or (N, T, {channels}), the oldest "
            "row first"
        )
    if collator.known or collator.static or collator.past or collator.start.columns:
        raise DataError("the model is told covariates: give the history as a table with their columns")
    transforms = ColumnTransforms.of_names(options.transform, collator.columns)
    need = collator.history_len + transforms.lost
    if windows.shape[1] < max(need, 1):
        raise DataError(f"the history has {windows.shape[1]} rows, the model needs {need}")
    found, last = [], {}
    for k, window in enumerate(windows):
        name = str(k) if len(windows) > 1 else ""
        after = np.full((rows, channels), np.nan)
        numbers = np.concatenate([transforms(window), after])
        found.append(Series(name, numbers, np.zeros((len(numbers), 0)), None))
        last[name] = window[-1]
    return found, last, 0


def _check_covariates(options: DataOptions, given: int, horizon: int, length: int | None) -> None:
    """Refuse a future whose covariates are not known."""
    roles = options.roles
    if roles.known_covariates and given < horizon:
        raise DataError(
            f"the forecast of {horizon} rows needs {', '.join(roles.known_covariates)} of these rows, and "
            f"there are {given} of them: append rows with their covariates and empty targets"
        )
    rolls = length is not None and horizon > length
    if rolls and (roles.past_covariates or roles.at_start):
        name = (roles.past_covariates or roles.at_start)[0]
        raise DataError(
            f"a horizon of {horizon} goes beyond the {length} rows that the model was trained for, and then "
            f"it is to be told {name!r} of rows that are not there yet: ask for at most {length}"
        )


@dataclass(frozen=True)
class _Asked:
    """What is asked of a model: `rows` to come, `count` times."""

    collator: Collator
    options: DataOptions
    draw: Draw
    rows: int
    count: int
    seed: int
    on_progress: Callable[[float], None] | None

    @property
    def length(self) -> int:
        """L of the model's windows."""
        assert self.collator.length is not None
        return self.collator.length

    def rolled(self, series: Sequence[Series]) -> list[Array]:
        """Window after window, each given its own path so far."""
        h, length, count = self.collator.history_len, self.length, self.count
        known = [len(one.values) - self.rows for one in series]
        paths = [
            np.repeat(one.values[None, k - h :].astype(float), count, 0)
            for one, k in zip(series, known, strict=True)
        ]
        for first in range(0, self.rows, length):
            features = [
                one.features[k - h + first : k + first + length] for one, k in zip(series, known, strict=True)
            ]
            told = [one.before[k] for one, k in zip(series, known, strict=True) if one.before is not None]
            histories = np.concatenate([path[:, first : first + h] for path in paths])
            n = len(histories)
            batch = Batch(
                histories,
                np.zeros((n, length, histories.shape[2])),
                np.repeat(np.stack(features), count, 0),
                None,
                np.arange(n),
                np.repeat(np.stack(told), count, 0) if told else None,
            )
            windows = self.draw(batch, None, derive_seed(self.seed, str(first)), self._share(first))
            for k, path in enumerate(paths):
                path[:, h + first : h + first + length] = windows[k * count : (k + 1) * count]
        return [path[:, h:] for path in paths]

    def guided(self, series: Sequence[Series]) -> list[Array]:
        """An unconditional model fills in the end of its windows, given their beginning."""
        last = [_last(one, self.rows + 2 * self.length) for one in series]
        fillings = [Filling.of(one, self.count, self.length, self.options.align) for one in last]
        fill(fillings, self.collator, self.draw, self.seed, self.on_progress)
        return [filling.values[:, -self.rows :] for filling in fillings]

    def _share(self, first: int) -> Callable[[float], None]:
        def share(part: float) -> None:
            if self.on_progress is not None:
                self.on_progress((first + part * self.length) / self.rows)

        return share


def _last(series: Series, rows: int) -> Series:
    """The last rows of a series."""
    time = None if series.time is None else series.time[-rows:]
    return Series(series.name, series.values[-rows:], series.features[-rows:], time)
