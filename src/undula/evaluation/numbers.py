"""Numbers of sets of windows by column, in units that can be averaged over columns."""

from __future__ import annotations

__all__ = ["Numbers"]

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import RealWindows
from .field import FieldFigures
from .intervals import bootstrap
from .names import ABOUT, About
from .statistics import DISTANCES, STATISTICS

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Numbers:
    """Statistics and distances by column, the judge's own and a field's.

    Args:
        train: the training windows, (N, L, C), whose standard deviations are the units.
        own: figures of a field.
        names: of the C columns; empty where they have none.
    """

    train: Array
    own: FieldFigures
    names: tuple[str, ...] = ()

    def columns(self, name: str) -> tuple[int, ...]:
        """Places of the columns that a figure is of."""
        return self.own.columns if self._of_field(name) else tuple(range(self.train.shape[2]))

    def columns_by_name(self, name: str) -> tuple[str, ...]:
        """Names of these columns; empty where they have none."""
        return tuple(self.names[c] for c in self.columns(name)) if self.names else ()

    def words(self, name: str) -> str:
        """What the field calls a figure; empty where it is the judge's own alone."""
        count = self.train.shape[2]
        name = self.own.known_as(count).get(name, name)
        return self.own.words(name, count) if name in self.own.about else ""

    def standardised(self, windows: Array) -> Array:
        """Windows, each column in training standard deviations from its mean; a missing value is the mean."""
        mean, sd = self._moments
        whole: Array = np.nan_to_num((windows - mean) / sd)
        return whole

    def distance(self, name: str, a: Array, b: Array) -> Array:
        """A distance of single columns, by column."""
        distance = self.own.distances[name] if self._of_field(name) else DISTANCES[name]
        values = []
        for c in self.columns(name):
            first, second = self._measured(name, a, c), self._measured(name, b, c)
            nothing = np.isnan(first).all() or np.isnan(second).all()
            values.append(np.nan if nothing else distance(first, second))
        scaled: Array = np.array(values) / self._scale(name)
        return scaled

    def statistic(self, name: str, windows: Array) -> Array:
        """A statistic by column, in training standard deviations where it has a unit."""
        values = [self._number(name, self._measured(name, windows, c)) for c in self.columns(name)]
        scaled: Array = np.array(values) / self._scale(name)
        return scaled

    def interval(self, name: str, real: RealWindows, draws: int, seed: int) -> tuple[Array, Array]:
        """Ends of the block-bootstrap interval of a statistic of real windows, by column."""
        ends = [
            bootstrap(
                {name: lambda w: self._number(name, w)},
                self._measured(name, real.windows, c),
                real,
                draws,
                seed,
            )[name]
            for c in self.columns(name)
        ]
        low, high = np.array(ends).T / self._scale(name)
        return low, high

    def _of_field(self, name: str) -> bool:
        return name in self.own.statistics or name in self.own.distances

    def _measured(self, name: str, windows: Array, column: int) -> Array:
        chosen: Array = windows[:, :, column]
        return self.own.windows(windows, column) if self._of_field(name) else chosen

    def _number(self, name: str, windows: Array) -> float:
        if np.isnan(windows).all():
            return float("nan")
        statistic = self.own.statistics[name] if self._of_field(name) else STATISTICS[name]
        return statistic(windows)

    def _scale(self, name: str) -> Array:
        """Training standard deviations, where several columns with units are averaged."""
        columns = list(self.columns(name))
        about: About | None = self.own.about.get(name, ABOUT.get(name))
        if len(columns) == 1 or about is None or not about.unit:
            return np.ones(len(columns))
        return self._moments[1][columns]

    @cached_property
    def _moments(self) -> tuple[Array, Array]:
        """Mean and standard deviation of each training column, (C,)."""
        mean, sd = np.nanmean(self.train, axis=(0, 1)), np.nanstd(self.train, axis=(0, 1))
        return mean, np.where(sd > 0, sd, 1.0)
