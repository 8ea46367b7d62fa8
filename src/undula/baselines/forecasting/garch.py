"""GARCH-t a column that goes on from the history's volatility: the baseline `garch`, told where it is.

The volatility of the history's rows follows from its errors,

    σ_t² = ω + (α + γ [e_{t−1} < 0]) e_{t−1}² + β σ_{t−1}²,   σ² of its first row: its mean squared error

and paths go on with standardised errors of training days, the same days for all columns (filtered historical
simulation). For returns; columns that wander are taken in differences.

References:
    Bollerslev (1987). A conditionally heteroskedastic time series model. doi:10.2307/1925546
    Barone-Adesi, Giannopoulos, Vosper (1999). VaR without correlations for portfolios of derivative
    securities (filtered historical simulation)
"""

from __future__ import annotations

__all__ = ["GARCHForecaster"]

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ...core.types import NonNegativeInt
from .._series import in_levels
from ..garch import GARCHBaseline
from ._windows import Numbers, Training, WindowForecaster

Array = NDArray[np.floating[Any]]


@register("forecaster", "garch")
class GARCHForecaster(WindowForecaster):
    """GARCH(1,1)-t a column from the history's volatility: calm stays calm, storms abate.

    Args:
        leverage: whether falls raise the volatility more than rises (GJR).
        lags: autoregressive terms of the mean.
        differences: whether the columns are taken in differences; auto: those that wander.
    """

    needs = "200 rows, best of returns; histories of tens of rows"

    def __init__(
        self,
        leverage: bool = False,
        lags: NonNegativeInt = 0,
        differences: Literal["auto"] | bool = "auto",
    ) -> None:
        self.leverage, self.lags, self.differences = leverage, lags, differences

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        if training.history_len < self.lags + 3:
            raise DataError(
                f"garch with {self.lags} lags needs histories of {self.lags + 3} rows, they have "
                f"{training.history_len}: give a longer history"
            )
        self._model = GARCHBaseline(self.leverage, self.lags, self.differences)
        self._model.fit(training.series, training.horizon, seed, on_progress)

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        model, shape = self._model, (len(history), n, self._horizon, self._channels)
        x = np.where(model._which, np.diff(history, axis=1), history[:, 1:])
        error, variance = self._last(x)
        days = numbers.integers("days", n, self._horizon, len(model._standardised))
        z = model._standardised[days].reshape(-1, *shape[2:])
        past = x[:, x.shape[1] - 1 - np.arange(self.lags)]  # the newest first
        past, error, variance = (np.repeat(a, n, axis=0) for a in (past, error, variance))
        steps = model.continued(past, error, variance, z)
        return in_levels(steps, np.repeat(history[:, -1], n, axis=0), model._which).reshape(shape)

    def notes(self) -> list[str]:
        """The coefficients of each column."""
        return self._model.notes()

    def _last(self, x: Array) -> tuple[Array, Array]:
        """Error and variance of the last of rows (N, T, C), (N, C) each."""
        errors = x[:, self.lags :] - self._model._mean[0]
        for lag in range(1, self.lags + 1):
            errors = errors - self._model._mean[lag] * x[:, self.lags - lag : -lag]
        variance = (errors**2).mean(1)
        for t in range(errors.shape[1] - 1):
            variance = self._model.next_variance(errors[:, t], variance)
        return errors[:, -1], variance
