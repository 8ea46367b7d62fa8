"""One Gaussian with the mean and the full covariance of the training windows."""

from __future__ import annotations

__all__ = ["GaussianBaseline"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.registry import register
from ._series import draws, flat_windows

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS = 20_000


@register("baseline", "gaussian")
class GaussianBaseline(BaseBaseline):
    """The Gaussian of the training windows: all second moments, no tails, no clustering."""

    needs = "a stretch of one window"

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> GaussianBaseline:
        """Learn mean and covariance; see `BaseBaseline.fit`."""
        flat = flat_windows(series, length, _MOST_WINDOWS, "gaussian")
        self._length, self._mean = length, flat.mean(0)
        deviations = (flat - self._mean) / np.sqrt(max(len(flat) - 1, 1))
        values, vectors = np.linalg.eigh(deviations.T @ deviations)
        self._root = vectors * np.sqrt(np.maximum(values, 0.0))
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Gaussian windows, (n, L, C)."""
        white = draws(seed, "normal").standard_normal((n, len(self._mean)))
        windows: Array = (self._mean + white @ self._root.T).reshape(n, self._length, -1)
        return windows
