r"""The straight path of flow matching.

    α = 1 − t,  σ = t,   dx/dt = ε − x_0 along a pair

α(1) = 0: the prior is exact, and predictions that divide by α are not defined.

References:
    Liu, Gong, Liu (2023). Flow straight and fast. arXiv:2209.03003
    Lipman et al. (2023). Flow matching for generative modeling. arXiv:2210.02747
"""

from __future__ import annotations

__all__ = ["RectifiedSDE"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.registry import register
from ...core.sde import BaseSDE


@register("sde", "rectified")
@dataclass(frozen=True, kw_only=True)
class RectifiedSDE(BaseSDE):
    """The straight path from data to noise, α = 1 − t and σ = t."""

    needs = "a prediction that does not divide by α (v, velocity, x0, edm); euler with eta > 0: t_max < 1"

    def alpha(self, t: Tensor) -> Tensor:
        """1 − t."""
        return 1.0 - t

    def sigma(self, t: Tensor) -> Tensor:
        """T."""
        return t

    def time_at(self, log_snr: Tensor) -> Tensor:
        """Closed form: t = s(−λ/2), s the logistic function."""
        return torch.sigmoid(-0.5 * log_snr.double())
