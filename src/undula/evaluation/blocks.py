"""Blocks of neighbouring windows: disjoint halves for floors, resampling for intervals.

Windows of a series overlap and neighbouring windows resemble each other, so real windows are never
treated as independent: whole blocks go into a half, and whole blocks are drawn.

References:
    Künsch (1989). The jackknife and the bootstrap for general stationary observations.
    doi:10.1214/aos/1176347265
"""

from __future__ import annotations

__all__ = ["RealWindows", "bootstrap_interval"]

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_RUNS = 3
"""With fewer runs than this a bootstrap draws nearly the same windows every time."""

_SEGMENTS = 20

_WINDOWS_A_BLOCK = 2
"""A block covers at least this many window lengths."""


@dataclass(frozen=True)
class RealWindows:
    """Real windows with their places in time.

    Args:
        windows: (N, L, C).
        starts: first row of each window; windows whose rows do not overlap may be independent.
        independent: whether every window stands for itself, whatever its neighbours.
    """

    windows: Array
    starts: NDArray[np.int64]
    independent: bool = False

    @cached_property
    def blocks(self) -> NDArray[np.int64]:
        """The block of each window; blocks share no rows, and −1 marks windows that straddle two."""
        n, length = self.windows.shape[:2]
        if self.independent:
            return np.arange(n, dtype=np.int64)
        first, span = int(self.starts.min()), int(self.starts.max() - self.starts.min()) + length
        count = max(2, 2 * (span // (2 * _WINDOWS_A_BLOCK * length)))
        edges = first + np.round(np.linspace(0, span, count + 1)).astype(np.int64)
        return _places(self.starts, length, edges)

    def halves(self) -> tuple[Array, Array]:
        """Windows of the even and of the odd blocks; they share no rows."""
        even, odd = (self.blocks >= 0) & (self.blocks % 2 == 0), self.blocks % 2 == 1
        return self.windows[even], self.windows[odd & (self.blocks >= 0)]

    def thinned(self, most: int) -> RealWindows:
        """At most so many of them, evenly spaced."""
        n = len(self.windows)
        if n <= most:
            return self
        kept = np.unique(np.linspace(0, n - 1, most).astype(np.int64))
        return RealWindows(self.windows[kept], self.starts[kept], self.independent)

    def random_halves(self, rng: np.random.Generator) -> tuple[Array, Array]:
        """Windows in random order, whatever their places: the literature's floor."""
        order = rng.permutation(len(self.windows))
        half = len(order) // 2
        return self.windows[order[:half]], self.windows[order[half : 2 * half]]

    @cached_property
    def segments(self) -> NDArray[np.int64]:
        """The stretch of time of each window, of about twenty; −1 marks windows that straddle two."""
        n, length = self.windows.shape[:2]
        if self.independent:
            return np.arange(n, dtype=np.int64)
        first, span = int(self.starts.min()), int(self.starts.max() - self.starts.min()) + length
        count = max(1, min(_SEGMENTS, span // (2 * _WINDOWS_A_BLOCK * length)))
        return _places(
            self.starts, length, first + np.round(np.linspace(0, span, count + 1)).astype(np.int64)
        )

    @cached_property
    def run(self) -> int:
        """Neighbouring windows that are drawn together: those that start within a block."""
        n, length = self.windows.shape[:2]
        if self.independent:
            return 1
        spacing = max(1, round((int(self.starts.max()) - int(self.starts.min())) / max(n - 1, 1)))
        return max(1, _WINDOWS_A_BLOCK * length // spacing)

    def resample(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of windows drawn in runs of neighbours, about as many as there are."""
        n, run = len(self.windows), min(len(self.windows), self.run)
        firsts = rng.integers(0, n - run + 1, -(-n // run))
        numbers: NDArray[np.int64] = (firsts[:, None] + np.arange(run)).ravel()[:n]
        return numbers


def _places(starts: NDArray[np.int64], length: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Between which edges windows of so many rows lie, −1 across one."""
    place = np.searchsorted(edges, starts, side="right") - 1
    inside = starts + length <= edges[np.minimum(place + 1, len(edges) - 1)]
    places: NDArray[np.int64] = np.where(inside, place, -1)
    return places


def bootstrap_interval(
    statistic: Callable[[Array], float], real: RealWindows, feature: int, draws: int, seed: int
) -> tuple[float, float]:
    """The central 95 % of a statistic of one feature under the block bootstrap; NaN for few windows.

    Args:
        statistic: of windows (N, L).
        real: the windows.
        feature: which of the C.
        draws: bootstrap samples.
        seed: of the draws.
    """
    if len(real.windows) < _RUNS * real.run:
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    windows = real.windows[:, :, feature]
    values = [statistic(windows[real.resample(rng)]) for _ in range(draws)]
    if np.isnan(values).all():
        return float("nan"), float("nan")
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)
