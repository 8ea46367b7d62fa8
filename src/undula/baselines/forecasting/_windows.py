"""What forecasters share: checked input, training windows, and random numbers that go with a history."""

from __future__ import annotations

__all__ = ["Numbers", "Training", "WindowForecaster", "Windows"]

import copy
import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.forecaster import BaseForecaster
from ...core.randomness import Stream
from ...core.registry import Registry
from .._series import whole_stretches

Array = NDArray[np.floating[Any]]

_GOLDEN = (5**0.5 - 1) / 2
"""Its multiples are spread evenly over [0, 1) and over the phases of any period."""


@dataclass(frozen=True, kw_only=True)
class Windows:
    """Histories and what followed, in order of time.

    Args:
        history: (M, H, C).
        future: (M, L, C).
        features: of both, (M, H + L, K).
    """

    history: Array
    future: Array
    features: Array


@dataclass(frozen=True, kw_only=True)
class Training:
    """What a forecaster learns from.

    Args:
        series: stretches as given, each (T, C).
        features: of the same rows, each (T, K).
        history_len: H.
        horizon: L.
        who: the forecaster's name, for messages.
    """

    series: list[Array]
    features: list[Array]
    history_len: int
    horizon: int
    who: str

    @property
    def channels(self) -> int:
        """C."""
        return self.series[0].shape[1]

    def windows(self, most: int, least: int = 2) -> Windows:
        """Windows without missing values, from all over where there are more than `most`.

        Raises:
            DataError: if there are fewer than `least`.
        """
        length = self.history_len + self.horizon
        rows = [np.concatenate(both, axis=1) for both in zip(self.series, self.features, strict=True)]
        stretches = whole_stretches(rows, length, self.who)
        views = [sliding_window_view(s, length, axis=0).swapaxes(1, 2) for s in stretches]
        ends = np.cumsum([len(view) for view in views])
        total = int(ends[-1])
        if total < least:
            raise DataError(
                f"{self.who} needs {least} training windows of {self.history_len} + {self.horizon} rows, "
                f"there are {total}: give longer series, a shorter history or a shorter horizon"
            )
        chosen = _spread_out(total, most)
        of_each = np.split(chosen, np.searchsorted(chosen, ends[:-1]))
        found = np.concatenate(
            [v[mine - (end - len(v))] for v, mine, end in zip(views, of_each, ends, strict=True)]
        )
        return Windows(
            history=found[:, : self.history_len, : self.channels],
            future=found[:, self.history_len :, : self.channels],
            features=found[:, :, self.channels :],
        )


def _spread_out(total: int, most: int) -> NDArray[np.int64]:
    """Numbers below `total`, in order; one of each of `most` stretches, so that no period is missed."""
    if total <= most:
        return np.arange(total)
    edges = np.linspace(0, total, most + 1)
    share = np.arange(most) * _GOLDEN % 1.0
    return np.minimum((edges[:-1] + share * np.diff(edges)).astype(np.int64), total - 1)


class Numbers:
    """Random numbers of forecasts: functions of the seed, the history and the sample's number.

    A history is told by a hash of its values, so that a forecast does not depend on its place among
    others, and different histories have independent numbers.

    Args:
        seed: of the draws.
        history: (N, H, C).
    """

    def __init__(self, seed: int, history: Array) -> None:
        self._seed = seed
        rows = np.ascontiguousarray(history, float) + 0.0  # −0 is 0
        hashes = [hashlib.blake2b(row.tobytes(), digest_size=4).digest() for row in rows]
        self._index = torch.tensor([int.from_bytes(h, "little") for h in hashes], dtype=torch.int64)

    def part(self, first: int, end: int) -> Numbers:
        """Those of some of the histories."""
        found = copy.copy(self)
        found._index = self._index[first:end]
        return found

    def uniform(self, name: str, n: int, count: int) -> Array:
        """In (0, 1), (N, n, count)."""
        found = Stream(self._seed, name).uniform(0, self._index, n * count)
        return found.numpy().reshape(-1, n, count)

    def normal(self, name: str, n: int, count: int) -> Array:
        """Standard normal, (N, n, count)."""
        found = Stream(self._seed, name).normal(0, self._index, 1, n * count, dtype=torch.float64)
        return found.numpy().reshape(-1, n, count)

    def integers(self, name: str, n: int, count: int, high: int) -> NDArray[np.int64]:
        """In {0, …, high − 1}, (N, n, count)."""
        return (self.uniform(name, n, count) * high).astype(np.int64)


class WindowForecaster(BaseForecaster):
    """A forecaster whose input is checked; a subclass learns in `_learn` and draws in `_paths`."""

    def fit(
        self,
        series: list[Array],
        features: list[Array],
        history_len: int,
        horizon: int,
        seed: int = 0,
        on_progress: OnProgress | None = None,
    ) -> Self:
        """Learn; see `BaseForecaster.fit`."""
        who = Registry.name(self)
        if min(history_len, horizon) < 1:
            raise DataError(
                f"{who}: a history of {history_len} rows and a horizon of {horizon} were given: both must be "
                "at least 1"
            )
        training = Training(
            series=[np.asarray(s, float) for s in series],
            features=[np.asarray(f, float) for f in features],
            history_len=history_len,
            horizon=horizon,
            who=who,
        )
        _check_stretches(training)
        self._history_len, self._horizon = history_len, horizon
        self._channels, self._features = training.channels, training.features[0].shape[1]
        self._learn(training, seed, on_progress)
        return self

    def forecast(self, history: Array, features: Array, n: int, seed: int = 0) -> Array:
        """Sample paths (N, n, L, C); see `BaseForecaster.forecast`."""
        who, least, horizon = Registry.name(self), self._history_len, self._horizon
        history, features = np.asarray(history, float), np.asarray(features, float)
        if history.ndim != 3 or history.shape[2] != self._channels:
            raise DataError(
                f"{who}: histories have shape {history.shape}: expected (N, H, {self._channels}) with the "
                "columns of the fit"
            )
        if history.shape[1] < least:
            raise DataError(
                f"{who} was fitted to histories of {least} rows, and is told {history.shape[1]}: give longer "
                f"histories, or fit with history_len={history.shape[1]}"
            )
        expected = (len(history), history.shape[1] + horizon, self._features)
        if features.shape != expected:
            raise DataError(
                f"{who}: features have shape {features.shape}: expected {expected}, those of the history and "
                f"of {horizon} rows after it"
            )
        if not (np.isfinite(history).all() and np.isfinite(features).all()):
            raise DataError(
                f"{who}: histories or features have missing values: fill or leave these windows out"
            )
        if n < 1:
            raise DataError(f"{who}: {n} sample paths were asked for: ask for at least 1")
        history, features = history[:, -least:], features[:, -(least + horizon) :]
        return self._paths(history, features, n, Numbers(seed, history))

    @abstractmethod
    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        """Learn from checked training data."""

    @abstractmethod
    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        """Paths (N, n, L, C) after histories (N, H, C) with features (N, H + L, K)."""


def _check_stretches(training: Training) -> None:
    series, features, who = training.series, training.features, training.who
    if not series:
        raise DataError(f"{who} needs training series, there are none: give at least one stretch (T, C)")
    if len(series) != len(features):
        raise DataError(
            f"{who}: there are {len(series)} stretches and features of {len(features)}: give features of "
            "each, (T, 0) where there are none"
        )
    for rows, known in zip(series, features, strict=True):
        if rows.ndim != 2 or known.ndim != 2 or len(rows) != len(known):
            raise DataError(
                f"{who}: a training stretch has shape {rows.shape} and features {known.shape}: expected "
                "(T, C) and (T, K)"
            )
        if rows.shape[1] != series[0].shape[1] or known.shape[1] != features[0].shape[1]:
            raise DataError(f"{who}: stretches differ in their columns: give the same columns in each")
