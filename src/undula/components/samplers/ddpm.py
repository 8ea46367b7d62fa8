r"""DDPM: ancestral sampling, with a choice of the steps' variance.

x_s is drawn from q(x_s | x_t, x_0 = D). With a = α_t/α_s and v = σ_t² − a² σ_s², the forward
transition x_t | x_s ~ N(a x_s, v Σ),

    x_s = (a σ_s²/σ_t²) x_t + (α_s v/σ_t²) D + γ Σ^½ z

    posterior   γ² = β̃ = v σ_s²/σ_t²                             exact where x_0 is known: x_0 = D
    upper       γ² = β = v (α_s² + σ_s²)/(α_t² + σ_t²)           exact where x_0 ~ N(0, Σ)

On variance-preserving paths v is β of the paper and upper is its σ² = β. The posterior's variance is
`ddim` with η = 1, and exact in the limit of many steps like the other; with few steps β̃ gives too little
spread and β too much. The last step ends on D.

References:
    Ho, Jain, Abbeel (2020). Denoising diffusion probabilistic models. arXiv:2006.11239, section 3.2
"""

from __future__ import annotations

__all__ = ["DDPMSampler"]

import math
from dataclasses import dataclass
from typing import Literal

from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import PositiveInt
from ...diffusion.sampler import OneCallSampler


@register("sampler", "ddpm")
@dataclass(frozen=True, kw_only=True)
class DDPMSampler(OneCallSampler):
    """Ancestral sampling: stochastic, first order, made for hundreds of steps.

    Args:
        num_steps: steps from noise to data, a network call each.
        variance: of a step's noise: posterior (β̃, the same as ddim with eta: 1) or upper (β).
    """

    num_steps: PositiveInt = 200
    variance: Literal["posterior", "upper"] = "posterior"

    @property
    def stochastic(self) -> bool:
        """Always."""
        return True

    def step(self, start: NoiseLevel, end: NoiseLevel) -> tuple[float, float, float]:
        """The rule's coefficients; see `OneCallSampler.step`."""
        if end.sigma == 0:
            return 0.0, 1.0, 0.0
        a = start.alpha / end.alpha
        v = start.sigma**2 - a**2 * end.sigma**2
        if self.variance == "posterior":
            variance = v * end.sigma**2 / start.sigma**2
        else:
            variance = v * (end.alpha**2 + end.sigma**2) / (start.alpha**2 + start.sigma**2)
        from_x, from_d = a * end.sigma**2 / start.sigma**2, end.alpha * v / start.sigma**2
        return float(from_x), float(from_d), math.sqrt(variance)
