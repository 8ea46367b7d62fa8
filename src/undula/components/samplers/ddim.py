r"""DDIM: exact for a constant D, deterministic or ancestral.

    x_s = α_s D + √(σ_s² − γ²) ε̂ + γ z,    ε̂ = (x_t − α_t D)/σ_t,    γ = η σ_s √(1 − SNR_t/SNR_s)

With η = 0 it is Euler in σ/α, with η = 1 it draws from the exact posterior of x_s given x_t and
x_0 = D.

References:
    Song, Meng, Ermon (2021). Denoising diffusion implicit models. arXiv:2010.02502
"""

from __future__ import annotations

__all__ = ["DDIMSampler"]

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Le

from ...core.registry import register
from ...core.sde import NoiseLevel
from ...diffusion.sampler import OneCallSampler


@register("sampler", "ddim")
@dataclass(frozen=True, kw_only=True)
class DDIMSampler(OneCallSampler):
    """Steps that are exact for a constant D: first order; η = 1 is the ancestral sampler.

    Args:
        eta: η in [0, 1], the share of noise that is drawn anew; 0: deterministic.
    """

    eta: Annotated[float, Ge(0), Le(1)] = 0.0

    @property
    def stochastic(self) -> bool:
        """True for η > 0."""
        return self.eta > 0

    def step(self, start: NoiseLevel, end: NoiseLevel) -> tuple[float, float, float]:
        """The rule's coefficients; see `OneCallSampler.step`."""
        gamma = self.eta * end.sigma * math.sqrt(1.0 - start.snr / end.snr) if end.sigma > 0 else 0.0
        from_x = math.sqrt(end.sigma**2 - gamma**2) / start.sigma
        return float(from_x), float(end.alpha - from_x * start.alpha), float(gamma)
