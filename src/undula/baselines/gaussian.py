"""One Gaussian with the mean and the full covariance of the training windows."""

from __future__ import annotations

__all__ = ["GaussianBaseline"]

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline
from ..core.errors import DataError
from ..core.registry import register

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS = 20_000


@register("baseline", "gaussian")
class GaussianBaseline(BaseBaseline):
    """The Gaussian of the training windows: all second moments, no tails, no clustering."""

    def fit(self, series: list[Array], length: int) -> GaussianBaseline:
        """Learn mean and covariance; see `BaseBaseline.fit`."""
        long = [s for s in series if len(s) >= length]
        if not long:
            raise DataError(f"no training stretch has {length} rows, the length of a window")
        views = [sliding_window_view(s, length, axis=0) for s in long]
        step = max(1, sum(len(v) for v in views) // _MOST_WINDOWS)
        flat = np.concatenate([v[::step].swapaxes(1, 2).reshape(-1, length * v.shape[1]) for v in views])
        flat = flat[~np.isnan(flat).any(1)]
        self._shape = (length, long[0].shape[1])
        self._mean = flat.mean(0)
        values, vectors = np.linalg.eigh(np.cov(flat, rowvar=False).reshape(flat.shape[1], -1))
        self._root = vectors * np.sqrt(np.maximum(values, 0.0))
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Gaussian windows, (n, L, C)."""
        white = np.random.default_rng(seed).standard_normal((n, len(self._mean)))
        windows: Array = (self._mean + white @ self._root.T).reshape(n, *self._shape)
        return windows
