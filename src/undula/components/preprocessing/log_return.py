r"""Log-returns, z_i = (log x_i − log x_{i−1} − μ)/σ.

For prices and other positive series whose relative steps look alike. What is generated goes on from the
history's last value, in its units, and stays positive; see `_increments`.

References:
    Cont (2001). Empirical properties of asset returns: stylized facts and statistical issues.
        doi:10.1080/713665670
"""

from __future__ import annotations

__all__ = ["LogReturnPreprocessor"]

import torch
from torch import Tensor

from ...core.errors import DataError
from ...core.registry import register
from ._increments import IncrementsPreprocessor


@register("preprocessing", "log_return")
class LogReturnPreprocessor(IncrementsPreprocessor):
    """Standardised log-returns; with a history they start from its last value.

    Without a history the logarithm of the first value is diffused too, on a scale of its own.
    """

    needs = "positive values; windows of one length without missing values"

    def _scale_of(self, x: Tensor) -> Tensor:
        if not bool((x > 0).all()):
            raise DataError(
                f"log_return needs positive values, and the least is {float(x.min()):g}: use preprocessing: "
                "difference, or shift the column"
            )
        return torch.log(x)

    def _values_of(self, y: Tensor) -> Tensor:
        return torch.exp(y)

    def _log_slope(self, x: Tensor) -> Tensor:
        return -torch.log(x)
