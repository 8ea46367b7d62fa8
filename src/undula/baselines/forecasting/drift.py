"""The line through the first and the last value of the history goes on, with errors of training windows.

    x̂_{T+h} = x_T + h (x_T − x_{T−H+1}) / (H − 1)

References:
    Hyndman, Athanasopoulos (2021). Forecasting: principles and practice, 3rd ed. Ch. 5.2, 5.5
"""

from __future__ import annotations

__all__ = ["DriftForecaster"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ._bootstrap import BootstrapForecaster
from ._windows import Training

Array = NDArray[np.floating[Any]]


@register("forecaster", "drift")
class DriftForecaster(BootstrapForecaster):
    """The history's mean slope goes on, plus errors of training windows."""

    needs = "histories of two rows"

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        if training.history_len < 2:
            raise DataError(
                "drift needs histories of 2 rows, they have 1: give a longer history, or use naive"
            )
        super()._learn(training, seed, on_progress)

    def _point(self, history: Array, features: Array) -> Array:
        slope = (history[:, -1:] - history[:, :1]) / (history.shape[1] - 1)
        found: Array = history[:, -1:] + np.arange(1, self._horizon + 1)[:, None] * slope
        return found
