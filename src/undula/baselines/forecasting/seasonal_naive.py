"""The last period goes on, with errors of training windows.

    x̂_{T+h} = x_{T+h−m⌈h/m⌉}

plus the errors of the same forecast in a training window drawn at random, for all h and columns.

References:
    Hyndman, Athanasopoulos (2021). Forecasting: principles and practice, 3rd ed. Ch. 5.2, 5.5
"""

from __future__ import annotations

__all__ = ["SeasonalNaiveForecaster"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ...core.types import PositiveInt
from ._bootstrap import BootstrapForecaster
from ._windows import Training

Array = NDArray[np.floating[Any]]


@register("forecaster", "seasonal_naive")
class SeasonalNaiveForecaster(BootstrapForecaster):
    """The values of one period before, plus errors of training windows.

    Args:
        period: m, rows.
    """

    needs = "histories of a period"

    def __init__(self, period: PositiveInt = 24) -> None:
        self.period = period

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        if training.history_len < self.period:
            raise DataError(
                f"seasonal_naive with period {self.period} needs histories of {self.period} rows, they have "
                f"{training.history_len}: give a longer history, or a shorter period"
            )
        super()._learn(training, seed, on_progress)

    def _point(self, history: Array, features: Array) -> Array:
        found: Array = history[:, history.shape[1] - self.period + np.arange(self._horizon) % self.period]
        return found
