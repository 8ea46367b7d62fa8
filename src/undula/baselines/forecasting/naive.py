"""The last value goes on, with errors of training windows.

    x̂_{T+h} = x_T + (x_{t+h} − x_t)     of a training row t drawn at random, for all h and columns

For a random walk this is the best forecast there is, and the spread grows like √h.

References:
    Hyndman, Athanasopoulos (2021). Forecasting: principles and practice, 3rd ed. Ch. 5.2, 5.5
"""

from __future__ import annotations

__all__ = ["NaiveForecaster"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.registry import register
from ._bootstrap import BootstrapForecaster

Array = NDArray[np.floating[Any]]


@register("forecaster", "naive")
class NaiveForecaster(BootstrapForecaster):
    """The last value, plus increments of training windows."""

    needs = "two training windows"

    def _point(self, history: Array, features: Array) -> Array:
        return np.repeat(history[:, -1:], self._horizon, axis=1)
