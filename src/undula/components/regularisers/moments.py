r"""Mean and standard deviation over time, compared with x_0's.

    penalty = mean over channels of (m_D − m_x)² + (s_D − s_x)²

with m and s of a channel over the elements that count. The mean's part is linear and leaves the
optimum of the loss alone; the standard deviation's does not: of D = E[x_0 | x_t] it is below x_0's.
"""

from __future__ import annotations

__all__ = ["MomentsRegulariser"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.registry import register
from ...core.types import Losses, Mask, Series
from ...diffusion.regulariser import BaseRegulariser

_TINY = 1e-12


@register("regulariser", "moments")
@dataclass(frozen=True, kw_only=True)
class MomentsRegulariser(BaseRegulariser):
    """Each channel's mean and standard deviation over time are those of the clean series."""

    def penalty(self, d: Series, x_0: Series, valid: Mask | None) -> Losses:
        """See the module."""
        mean, deviation = _moments(d, valid)
        mean_0, deviation_0 = _moments(x_0, valid)
        return ((mean - mean_0).square() + (deviation - deviation_0).square()).mean(1)


def _moments(x: Tensor, valid: Mask | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over time, (B, C) each; 0 where no element counts."""
    weight = torch.ones_like(x) if valid is None else valid.to(x).expand_as(x)
    count = weight.sum(-1).clamp(min=1.0)
    mean = (x * weight).sum(-1) / count
    variance = ((x - mean[..., None]).square() * weight).sum(-1) / count
    return mean, torch.sqrt(variance + _TINY)
