"""Blocks of neighbouring windows: disjoint halves for floors, resampling for intervals.

Windows of a series overlap and neighbouring windows resemble each other, so real windows are never
treated as independent: whole blocks go into a half, and whole blocks are drawn.

Windows that cover a series evenly (`RealWindows`) are drawn in runs of neighbours, a moving-block bootstrap.
Windows chosen by a condition (`ScatteredWindows`) come in clusters: a crisis is one event however many
windows it fills, and a run over window numbers would join windows years apart. A block begins at a window and
holds all that begin within two window lengths; whole blocks are drawn with replacement, a cluster bootstrap,
so that the number of blocks, not of windows, says how wide an interval is.

References:
    Künsch (1989). The jackknife and the bootstrap for general stationary observations.
    doi:10.1214/aos/1176347265
    Cameron, Gelbach, Miller (2008). Bootstrap-based improvements for inference with clustered errors.
    doi:10.1162/rest.90.3.414
"""

from __future__ import annotations

__all__ = ["RealWindows", "ScatteredWindows"]

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_RUNS = 3
"""With fewer runs or blocks than this a bootstrap draws nearly the same windows every time."""

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
        block: neighbouring windows that are drawn together; 0: those that begin within two window lengths.
    """

    windows: Array
    starts: NDArray[np.int64]
    independent: bool = False
    block: int = 0

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
        return replace(self, windows=self.windows[kept], starts=self.starts[kept])

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
        """Neighbouring windows that are drawn together."""
        if self.block:
            return self.block
        n, length = self.windows.shape[:2]
        if self.independent:
            return 1
        spacing = max(1, round((int(self.starts.max()) - int(self.starts.min())) / max(n - 1, 1)))
        return max(1, _WINDOWS_A_BLOCK * length // spacing)

    @property
    def enough(self) -> bool:
        """Whether there are enough windows for an interval."""
        return len(self.windows) >= _RUNS * self.run

    def resample(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of windows drawn in runs of neighbours, about as many as there are."""
        n, run = len(self.windows), min(len(self.windows), self.run)
        firsts = rng.integers(0, n - run + 1, -(-n // run))
        numbers: NDArray[np.int64] = (firsts[:, None] + np.arange(run)).ravel()[:n]
        return numbers


@dataclass(frozen=True)
class ScatteredWindows:
    """Windows (N, L) with their places.

    Args:
        windows: of one feature, (N, L).
        starts: first row of each, in ascending order, (N,); None: every window stands for itself.
    """

    windows: Array
    starts: NDArray[np.int64] | None = None

    @cached_property
    def blocks(self) -> NDArray[np.int64]:
        """The number of each window's block, (N,)."""
        n = len(self.windows)
        if self.starts is None:
            return np.arange(n, dtype=np.int64)
        found = np.zeros(n, np.int64)
        first, number, span = self.starts[0] if n else 0, 0, _WINDOWS_A_BLOCK * self.windows.shape[1]
        for i, start in enumerate(self.starts):
            if start >= first + span:
                first, number = start, number + 1
            found[i] = number
        return found

    @property
    def count(self) -> int:
        """How many blocks there are."""
        return int(self.blocks[-1]) + 1 if len(self.windows) else 0

    @property
    def enough(self) -> bool:
        """Whether there are enough blocks for an interval."""
        return self.count >= _RUNS

    def resample(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of the windows of as many blocks as there are, drawn with replacement."""
        drawn = rng.integers(0, self.count, self.count)
        if self.starts is None:
            return drawn
        firsts = np.searchsorted(self.blocks, np.arange(self.count + 1))
        numbers: NDArray[np.int64] = np.concatenate([np.arange(firsts[b], firsts[b + 1]) for b in drawn])
        return numbers


def _places(starts: NDArray[np.int64], length: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Between which edges windows of so many rows lie, −1 across one."""
    place = np.searchsorted(edges, starts, side="right") - 1
    inside = starts + length <= edges[np.minimum(place + 1, len(edges) - 1)]
    places: NDArray[np.int64] = np.where(inside, place, -1)
    return places
