"""Rows of the training part drawn independently: the right marginal, no dynamics."""

from __future__ import annotations

__all__ = ["IIDBootstrapBaseline"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline
from ..core.registry import register

Array = NDArray[np.floating[Any]]


@register("baseline", "iid_bootstrap")
class IIDBootstrapBaseline(BaseBaseline):
    """Rows of the training part in random order."""

    def fit(self, series: list[Array], length: int) -> IIDBootstrapBaseline:
        """Keep the rows; see `BaseBaseline.fit`."""
        rows = np.concatenate(series)
        self._rows, self._length = rows[~np.isnan(rows).any(1)], length
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows of independent rows, (n, L, C)."""
        rng = np.random.default_rng(seed)
        windows: Array = self._rows[rng.integers(0, len(self._rows), (n, self._length))]
        return windows
