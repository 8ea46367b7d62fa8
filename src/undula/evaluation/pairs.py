"""What a judge with a random network says of several pairs of sets, over repeats.

Training one judge for a pair costs nearly as much as training all of them at once, so such metrics
take all pairs of a figure together: the samples, the floors, the baselines.
"""

from __future__ import annotations

__all__ = ["Pair", "Scores", "scaled", "split"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError

Array = NDArray[np.floating[Any]]

Pair = tuple[Array, Array]
"""Generated and real windows, each (N, L, C)."""

Scores = NDArray[np.floating[Any]]
"""(pairs, repeats)."""


@dataclass(frozen=True)
class Scale:
    """The literature's scaling: each column's range to [0, 1].

    Args:
        low: (C,).
        span: (C,), 1 for a constant column.
    """

    low: Array
    span: Array

    def __call__(self, windows: Array) -> Array:
        """Windows in units of the range, float32."""
        scaled_: Array = ((windows - self.low) / self.span).astype(np.float32)
        return scaled_


def scaled(real: Array) -> Scale:
    """The scaling that real windows (N, L, C) define.

    Raises:
        DataError: if values are missing: the judges' networks take whole windows.
    """
    if np.isnan(real).any():
        raise DataError(
            "metrics with networks (discriminative, predictive, context_fid, boosting) need whole windows of "
            "one length, and these have missing values: fill them, or leave these metrics out"
        )
    low = real.min((0, 1))
    span = real.max((0, 1)) - low
    return Scale(low, np.where(span > 0, span, 1.0))


def split(n: int, rng: np.random.Generator, train: float = 0.8) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Numbers of windows for training and for testing, at random."""
    order = rng.permutation(n)
    cut = max(1, min(n - 1, int(train * n)))
    return order[:cut], order[cut:]
