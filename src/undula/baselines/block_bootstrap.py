"""The stationary bootstrap: training stretches of random length, joined.

Its windows have the right marginal and most of the dynamics, because they are copies; the copying
check beside it says so.

References:
    Politis, Romano (1994). The stationary bootstrap. doi:10.1080/01621459.1994.10476870
"""

from __future__ import annotations

__all__ = ["BlockBootstrapBaseline"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline
from ..core.registry import register
from ..core.types import PositiveInt

Array = NDArray[np.floating[Any]]


@register("baseline", "block_bootstrap")
class BlockBootstrapBaseline(BaseBaseline):
    """Stretches of geometric length from the training part, joined.

    Args:
        block_length: mean length of a stretch; null: half a window.
    """

    def __init__(self, block_length: PositiveInt | None = None) -> None:
        self.block_length = block_length

    def fit(self, series: list[Array], length: int) -> BlockBootstrapBaseline:
        """Keep the rows; see `BaseBaseline.fit`."""
        kept = [s[~np.isnan(s).any(1)] for s in series]
        self._rows = np.concatenate(kept)
        ends = np.cumsum([len(s) for s in kept])
        self._last = np.isin(np.arange(len(self._rows)), ends - 1)
        self._length = length
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows of joined stretches, (n, L, C)."""
        rng = np.random.default_rng(seed)
        mean = self.block_length or max(1, self._length // 2)
        total = len(self._rows)
        rows = np.empty((n, self._length), np.int64)
        rows[:, 0] = rng.integers(0, total, n)
        for t in range(1, self._length):
            jump = (rng.random(n) < 1.0 / mean) | self._last[rows[:, t - 1]]
            rows[:, t] = np.where(jump, rng.integers(0, total, n), rows[:, t - 1] + 1)
        windows: Array = self._rows[rows]
        return windows
