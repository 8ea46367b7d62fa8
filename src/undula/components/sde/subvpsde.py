r"""Sub-variance-preserving diffusion.

    α = exp(−½ B(t)),  σ = 1 − α²,  B(t) = β_min t + ½ (β_max − β_min) t²

    dx = −½ β x dt + √(β (1 − e^{−2B})) dW,  β(t) = β_min + (β_max − β_min) t

σ is a standard deviation: α² + σ² < 1 between the ends, so what holds for `vpsde` alone does not
hold here. The prior is N(0, σ(1)² I).

References:
    Song et al. (2021). arXiv:2011.13456, appendix B
"""

from __future__ import annotations

__all__ = ["SubVPSDE"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.registry import register
from ._linear_beta import LinearBetaSDE


@register("sde", "subvpsde")
@dataclass(frozen=True, kw_only=True)
class SubVPSDE(LinearBetaSDE):
    """Diffusion with less variance than `vpsde` at every time, σ = 1 − α²."""

    needs = "beta_min + beta_max ≥ 9.3, or the data are still visible at t = 1"

    def sigma(self, t: Tensor) -> Tensor:
        """1 − exp(−B)."""
        return -torch.expm1(-self.integral(t))

    def time_at(self, log_snr: Tensor) -> Tensor:
        """Closed form: σ/α = 2 sinh(B/2)."""
        return self.time_of_integral(2.0 * torch.asinh(0.5 * torch.exp(-0.5 * log_snr.double())))
