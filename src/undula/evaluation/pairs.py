"""Two sets of windows to be told apart, and how they are scaled and split.

Training one judge for a pair costs nearly as much as training all of them at once, so metrics with
networks take all pairs of a figure together: the samples, the floors, the baselines. Windows that
overlap in time belong to one group, which is on one side of a split as a whole: a judge that has seen
a window's neighbour has seen the window.
"""

from __future__ import annotations

__all__ = ["Array", "Pair", "Scale", "Scores", "Side", "scale_of", "split"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Array = NDArray[np.floating[Any]]

Scores = NDArray[np.floating[Any]]
"""(pairs, repeats)."""

_FEWEST_GROUPS = 5


@dataclass(frozen=True)
class Side:
    """One set of windows.

    Args:
        values: (N, L, C).
        groups: of windows that are not split, (N,); None: every window is one.
    """

    values: Array
    groups: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def some(self, count: int, rng: np.random.Generator) -> Side:
        """So many windows at random."""
        kept = rng.permutation(len(self))[:count]
        return Side(self.values[kept], None if self.groups is None else self.groups[kept])


class Pair(NamedTuple):
    """Generated windows and real ones."""

    generated: Side
    real: Side

    @classmethod
    def of(cls, generated: Array, real: Array) -> Pair:
        """Of arrays (N, L, C) whose windows are all independent, or taken to be."""
        return cls(Side(generated), Side(real))


@dataclass(frozen=True)
class Scale:
    """The literature's scaling: each column's range to [0, 1].

    Args:
        low: (C,).
        span: (C,), 1 for a constant column.
    """

    low: Array
    span: Array

    def __call__(self, windows: Array) -> NDArray[np.float32]:
        """Windows in units of the range."""
        inside: NDArray[np.float32] = ((windows - self.low) / self.span).astype(np.float32)
        return inside


def scale_of(real: Array) -> Scale:
    """The scaling that real windows (N, L, C) define.

    Raises:
        DataError: if values are missing: the judges' networks take whole windows.
    """
    if np.isnan(real).any():
        raise DataError(
            "metrics with networks (discriminative, predictive, context_fid) and boosting need whole windows "
            "of one length, and these have missing values: fill them, or leave these metrics out"
        )
    low = real.min((0, 1))
    span = real.max((0, 1)) - low
    return Scale(low, np.where(span > 0, span, 1.0))


def split(
    side: Side, rng: np.random.Generator, train: float = 0.8
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of windows for training and for testing; groups stay whole, unless there are very few."""
    n = len(side)
    groups = side.groups
    if groups is None or len(np.unique(groups)) < _FEWEST_GROUPS:
        order = rng.permutation(n)
        cut = max(1, min(n - 1, int(train * n)))
        return order[:cut], order[cut:]
    names = np.unique(groups)
    chosen = rng.permutation(names)[: max(1, min(len(names) - 1, round(train * len(names))))]
    inside = np.isin(groups, chosen)
    return rng.permutation(np.flatnonzero(inside)), rng.permutation(np.flatnonzero(~inside))
