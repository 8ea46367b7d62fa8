r"""Variance-preserving diffusion.

    α = exp(−½ B(t)),  σ = √(1 − α²),  B(t) = β_min t + ½ (β_max − β_min) t²
    dx = −½ β x dt + √β dW,  β(t) = β_min + (β_max − β_min) t

Standardised data keep their variance at every time. α(1) > 0, so that every prediction is defined;
the prior N(0, I) is reached up to SNR(1) = 1/(exp(½ (β_min + β_max)) − 1).

References:
    Ho, Jain, Abbeel (2020). Denoising diffusion probabilistic models. arXiv:2006.11239
    Song et al. (2021). arXiv:2011.13456
"""

from __future__ import annotations

__all__ = ["VPSDE"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.registry import register
from ._linear_beta import LinearBetaSDE


@register("sde", "vpsde")
@dataclass(frozen=True, kw_only=True)
class VPSDE(LinearBetaSDE):
    """Variance-preserving diffusion with a linear rate, α² + σ² = 1."""

    needs = "beta_min + beta_max ≥ 9.3, or the data are still visible at t = 1"

    def sigma(self, t: Tensor) -> Tensor:
        """√(1 − exp(−B)), without cancellation near t = 0."""
        return torch.sqrt(-torch.expm1(-self.integral(t)))

    def time_at(self, log_snr: Tensor) -> Tensor:
        """Closed form: B = log(1 + exp(−λ))."""
        softplus = torch.nn.functional.softplus(-log_snr.double(), threshold=50.0)
        return self.time_of_integral(softplus)
