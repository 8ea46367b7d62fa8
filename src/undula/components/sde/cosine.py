r"""The trigonometric path.

    α = cos(π t / 2),  σ = sin(π t / 2)

Variance-preserving like `vpsde`, with λ = −2 log tan(π t/2) symmetric about t = ½ and α(1) = 0: the
prior is exact, and predictions that divide by α are not defined.

References:
    Nichol, Dhariwal (2021). arXiv:2102.09672;  Albergo, Vanden-Eijnden (2023). arXiv:2209.15571
"""

from __future__ import annotations

__all__ = ["CosineSDE"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.registry import register
from ...core.sde import BaseSDE


@register("sde", "cosine")
@dataclass(frozen=True, kw_only=True)
class CosineSDE(BaseSDE):
    """The path along a quarter of a circle, α² + σ² = 1 and α(1) = 0."""

    needs = "a prediction that does not divide by α (v, velocity, x0, edm); euler with eta > 0: t_max < 1"

    def alpha(self, t: Tensor) -> Tensor:
        """cos(π t / 2), as sin(π (1 − t)/2) so that α(1) is 0 exactly."""
        return torch.sin(0.5 * math.pi * (1.0 - t))

    def sigma(self, t: Tensor) -> Tensor:
        """sin(π t / 2)."""
        return torch.sin(0.5 * math.pi * t)

    def time_at(self, log_snr: Tensor) -> Tensor:
        """Closed form: tan(π t / 2) = σ/α."""
        return torch.atan(torch.exp(-0.5 * log_snr.double())) * (2.0 / math.pi)
