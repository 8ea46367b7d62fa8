"""What a simple forecaster leaves: z = x − T(history, covariates).

Diffusion then models the error of a point forecast, which has no level to learn and little to learn by heart,
and samples are T + error. Without a history (the learned null of a conditional model) T is the mean of the
training windows. Put it first, and a scaler behind it:

    preprocessing: [{type: residual, params: {trend: {type: seasonal_naive, params: {period: 24}}}}, raw]
"""

from __future__ import annotations

__all__ = ["ResidualPreprocessor"]

from typing import Any

from torch import Tensor

from ...core.condition import Condition
from ...core.preprocessing import BasePreprocessor
from ...core.registry import Registry, register
from ...core.trend import BaseTrend
from ...core.types import Mask, Series


@register("preprocessing", "residual")
class ResidualPreprocessor(BasePreprocessor):
    """Takes a point forecast off.

    Args:
        trend: the forecaster: last, seasonal_naive or linear.
    """

    needs = "data.history_len above 0, to forecast from"

    def __init__(self, trend: BaseTrend | None = None) -> None:
        self.trend: BaseTrend = Registry.resolve("trend", "last" if trend is None else trend)
        self.any_length = self.trend.any_length

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> ResidualPreprocessor:
        """Fit the trend where there is a history; see `BasePreprocessor.fit`."""
        self.mean_ = x.double().mean((0, 2))[:, None]
        if condition is not None and condition.past is not None:
            self.trend.fit(x, condition)
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to residuals."""
        return x - self._trend(x, condition)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From residuals to the user's units."""
        return z + self._trend(z, condition)

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """0, (B,): it is a shift."""
        return x.new_zeros(len(x))

    def _trend(self, x: Series, condition: Condition | None) -> Any:
        if condition is None or condition.past is None:
            return self.mean_.to(x)
        return self.trend(condition, *x.shape[1:]).to(x)
