r"""Differences, z_i = (x_i − x_{i−m} − μ)/σ.

For series whose level wanders and whose steps look alike. A lag of m, a season's length, takes the season
away as well. What is generated goes on from the history's last value; see `_increments`.

References:
    Box, Jenkins (1970). Time series analysis: forecasting and control, ch. 4 (differencing, seasonal too)
"""

from __future__ import annotations

__all__ = ["DifferencePreprocessor"]

import torch
from torch import Tensor

from ...core.registry import register
from ...core.types import PositiveInt
from ._increments import IncrementsPreprocessor


@register("preprocessing", "difference")
class DifferencePreprocessor(IncrementsPreprocessor):
    """Standardised differences; with a history they start from its last value.

    Without a history the first `lag` values are diffused too, on a scale of their own.

    Args:
        lag: steps between what is subtracted; 1, or a season's length.
    """

    needs = "windows of one length without missing values"

    def __init__(self, lag: PositiveInt = 1) -> None:
        self.lag = lag

    def _scale_of(self, x: Tensor) -> Tensor:
        return x

    def _values_of(self, y: Tensor) -> Tensor:
        return y

    def _log_slope(self, x: Tensor) -> Tensor:
        return torch.zeros_like(x)
