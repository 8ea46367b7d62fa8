r"""Variance-exploding diffusion.

    α = 1,  σ = σ_min (σ_max/σ_min)^t
    dx = σ √(2 log(σ_max/σ_min)) dW

The data are never scaled down, so σ_max must dwarf their spread; σ(0) = σ_min > 0, and a sampler
steps from there to σ = 0.

References:
    Song, Ermon (2019). arXiv:1907.05600;  Song et al. (2021). arXiv:2011.13456
"""

from __future__ import annotations

__all__ = ["VESDE"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.registry import register
from ...core.sde import BaseSDE
from ...core.types import Fraction, Positive


@register("sde", "vesde")
@dataclass(frozen=True, kw_only=True)
class VESDE(BaseSDE):
    """Variance-exploding diffusion, α = 1 and σ geometric in t.

    Args:
        sigma_min: σ(0), in the units of what is diffused (standard deviations after standardising).
        sigma_max: σ(1), in the same units.
    """

    needs = "sigma_max ≥ 10 and far above the spread of what is diffused; sigma_min far below it"

    t_min: Fraction = 0.0
    sigma_min: Positive = 0.002
    sigma_max: Positive = 80.0

    def __post_init__(self) -> None:
        if self.sigma_min >= self.sigma_max:
            raise ConfigError(
                f"sigma_min = {self.sigma_min:g} is not below sigma_max = {self.sigma_max:g}: swap them"
            )

    def alpha(self, t: Tensor) -> Tensor:
        """1."""
        return torch.ones_like(t)

    def sigma(self, t: Tensor) -> Tensor:
        """σ_min (σ_max/σ_min)^t."""
        return self.sigma_min * torch.exp(t * math.log(self.sigma_max / self.sigma_min))

    def time_at(self, log_snr: Tensor) -> Tensor:
        """Closed form: log σ is linear in t."""
        log_sigma = -0.5 * log_snr.double()
        span = math.log(self.sigma_max / self.sigma_min)
        return ((log_sigma - math.log(self.sigma_min)) / span).clamp(0.0, 1.0)
