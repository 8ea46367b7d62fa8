"""Point forecasts with error paths: a path is the point forecast plus the errors of one training window.

Errors are drawn as whole (L, C) blocks: steps and columns of an error stay together, so the spread over
steps and the correlation of columns are those of real errors, without a distribution assumed.
"""

from __future__ import annotations

__all__ = ["BootstrapForecaster"]

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ._windows import Numbers, Training, WindowForecaster, Windows

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS = 5_000


class BootstrapForecaster(WindowForecaster):
    """A point forecast, and errors of training windows."""

    _errors: Array

    @abstractmethod
    def _point(self, history: Array, features: Array) -> Array:
        """Forecasts (N, L, C) after histories (N, H, C) with features (N, H + L, K)."""

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        self._errors = self._errors_of(training.windows(_MOST_WINDOWS))

    def _errors_of(self, windows: Windows) -> Array:
        """What the point forecast misses in training windows, (M, L, C)."""
        return windows.future - self._point(windows.history, windows.features)

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        of = numbers.integers("errors", n, 1, len(self._errors))[..., 0]
        paths: Array = self._point(history, features)[:, None] + self._errors[of]
        return paths

    def notes(self) -> list[str]:
        """How many error paths there are."""
        return [f"errors of {len(self._errors):,} training windows"]
