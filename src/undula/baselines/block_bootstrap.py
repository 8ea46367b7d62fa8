"""The stationary bootstrap: training stretches of random length, joined.

A window goes on with the next row of the training part with probability 1 − 1/b and jumps to any row
with probability 1/b, so stretches have geometric length of mean b. Two rows at lag k of a window are
neighbours at lag k in the data with probability (1 − 1/b)^k, and independent otherwise: the
autocovariance at lag k is that of the data times (1 − 1/b)^k. Its windows have the right marginal and most
of the dynamics, because they are copies; the copying check beside it says so.

References:
    Politis, Romano (1994). The stationary bootstrap. doi:10.1080/01621459.1994.10476870
    Politis, White (2004). Automatic block-length selection. doi:10.1081/ETC-120028836, corrected by
    Patton, Politis, White (2009). doi:10.1080/07474930802459016 (`block_length: optimal`)
"""

from __future__ import annotations

__all__ = ["BlockBootstrapBaseline"]

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.errors import DataError
from ..core.registry import register
from ..core.types import PositiveInt
from ._series import draws, joined_rows

Array = NDArray[np.floating[Any]]

_LEAST_FOR_OPTIMAL = 50


@register("baseline", "block_bootstrap")
class BlockBootstrapBaseline(BaseBaseline):
    """Stretches of geometric length from the training part, joined.

    Args:
        block_length: mean length of a stretch in rows; optimal: estimated for the mean of the values and
            of their squares, the largest over the columns; null: half a window.
    """

    copies = "stretches of rows"

    def __init__(self, block_length: PositiveInt | Literal["optimal"] | None = None) -> None:
        self.block_length = block_length

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> BlockBootstrapBaseline:
        """Keep the rows; see `BaseBaseline.fit`."""
        self._rows, self._last = joined_rows(series, "block_bootstrap")
        self._length = length
        if self.block_length == "optimal":
            self._mean_length = _optimal(self._rows)
        else:
            self._mean_length = float(self.block_length or max(1, length // 2))
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows of joined stretches, (n, L, C)."""
        total, shape = len(self._rows), (n, self._length)
        jumps = draws(seed, "jumps").random(shape) < 1.0 / self._mean_length
        targets = draws(seed, "targets").integers(0, total, shape)
        rows = np.empty(shape, np.int64)
        rows[:, 0] = targets[:, 0]
        for t in range(1, self._length):
            jump = jumps[:, t] | self._last[rows[:, t - 1]]
            rows[:, t] = np.where(jump, targets[:, t], rows[:, t - 1] + 1)
        windows: Array = self._rows[rows]
        return windows

    def notes(self) -> list[str]:
        """The mean length of a stretch."""
        return [f"stretches of {self._mean_length:.3g} rows on average"]


def _optimal(rows: Array) -> float:
    """The longest of the optimal block lengths of the columns and of their squares, at least 1."""
    from arch.bootstrap import optimal_block_length

    if len(rows) < _LEAST_FOR_OPTIMAL:
        raise DataError(
            f"block_length: optimal needs {_LEAST_FOR_OPTIMAL} training rows, there are {len(rows)}: give a "
            "number"
        )
    centred = rows - rows.mean(0)
    found = optimal_block_length(np.concatenate([centred, centred**2], axis=1))["stationary"].to_numpy()
    return max(1.0, float(np.nanmax(found)))
