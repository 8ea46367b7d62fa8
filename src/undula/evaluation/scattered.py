r"""Intervals of statistics of windows that lie scattered over a series, such as those of a chosen condition.

Chosen windows come in clusters: neighbours share rows, and a crisis is one event however many windows it
fills. A block begins at a window and holds all that begin within two window lengths; whole blocks are drawn
with replacement (a cluster bootstrap), so that the number of blocks, not of windows, says how wide an
interval is.

References:
    Künsch (1989). The jackknife and the bootstrap for general stationary observations.
    doi:10.1214/aos/1176347265
    Cameron, Gelbach, Miller (2008). Bootstrap-based improvements for inference with clustered errors.
    doi:10.1162/rest.90.3.414
"""

from __future__ import annotations

__all__ = ["ScatteredWindows"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Statistic = Callable[[Array], float]

_FEWEST = 3
"""With fewer blocks than this the draws are nearly the same."""

_WINDOWS_A_BLOCK = 2


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

    def resample(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of the windows of as many blocks as there are, drawn with replacement."""
        drawn = rng.integers(0, self.count, self.count)
        if self.starts is None:
            return drawn
        firsts = np.searchsorted(self.blocks, np.arange(self.count + 1))
        numbers: NDArray[np.int64] = np.concatenate([np.arange(firsts[b], firsts[b + 1]) for b in drawn])
        return numbers

    def intervals(
        self, statistics: Mapping[str, Statistic], level: float, draws: int, seed: int
    ) -> dict[str, tuple[float, float]]:
        """Central intervals of statistics; NaN where there are fewer than three blocks.

        Args:
            statistics: of windows (N, L), by name.
            level: share of the draws inside, such as 0.9.
            draws: bootstrap samples; all statistics are of the same ones.
            seed: of the draws.
        """
        if self.count < _FEWEST:
            return {name: (float("nan"), float("nan")) for name in statistics}
        rng = np.random.default_rng(seed)
        chosen = [self.windows[self.resample(rng)] for _ in range(draws)]
        ends = [(1 - level) / 2, (1 + level) / 2]
        found = {}
        for name, statistic in statistics.items():
            low, high = np.quantile([statistic(windows) for windows in chosen], ends)
            found[name] = (float(low), float(high))
        return found
