"""Rows of the training part drawn independently: the right marginal, no dynamics."""

from __future__ import annotations

__all__ = ["IIDBootstrapBaseline"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.registry import register
from ._series import draws, joined_rows

Array = NDArray[np.floating[Any]]


@register("baseline", "iid_bootstrap")
class IIDBootstrapBaseline(BaseBaseline):
    """Rows of the training part in random order: the right marginals, no dynamics."""

    copies = "rows"

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> IIDBootstrapBaseline:
        """Keep the rows; see `BaseBaseline.fit`."""
        self._rows, _ = joined_rows(series, "iid_bootstrap")
        self._length = length
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows of independent rows, (n, L, C)."""
        windows: Array = self._rows[draws(seed, "rows").integers(0, len(self._rows), (n, self._length))]
        return windows
