r"""Euler in time, of the probability-flow ODE or of the reverse SDE.

    dx = [f x − ½ (1 + η²) g² Σ∇log p] dt + η g Σ^½ dW

With Σ∇log p = (α D − x)/σ² the drift is

    (σ'/σ) x + (α' − α σ'/σ) D − η² (σ'/σ − α'/α)(α D − x),

finite at α = 0 for η = 0. The last step, to σ = 0, ends on D.

References:
    Song et al. (2021). arXiv:2011.13456;  Anderson (1982). doi:10.1016/0304-4149(82)90051-5
"""

from __future__ import annotations

__all__ = ["EulerSampler"]

import math
from dataclasses import dataclass

from ...core.errors import IncompatibleError
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import NonNegative
from ...diffusion.path import GaussianPath
from ...diffusion.sampler import OneCallSampler


@register("sampler", "euler")
@dataclass(frozen=True, kw_only=True)
class EulerSampler(OneCallSampler):
    """Euler's method in time: first order; η = 0 the ODE, η = 1 the reverse SDE (Euler-Maruyama).

    Args:
        eta: η ≥ 0, the share of noise that is drawn anew; 0: deterministic.
    """

    needs = "eta > 0: alpha > 0 where the grid starts (not rectified or cosine from t = 1)"

    eta: NonNegative = 0.0

    @property
    def stochastic(self) -> bool:
        """True for η > 0."""
        return self.eta > 0

    def check(self, path: GaussianPath) -> None:
        """Refuse η > 0 where α = 0 at the grid's start; see `BaseSampler.check`."""
        super().check(path)
        if self.eta > 0 and self.levels(path)[0].alpha < 1e-12:
            raise IncompatibleError(
                f"euler with eta = {self.eta:g} needs alpha > 0 at its first step, "
                f"{type(path.sde).__name__} has 0 there: use t_max: 0.999, eta: 0, or ddim"
            )

    def step(self, start: NoiseLevel, end: NoiseLevel) -> tuple[float, float, float]:
        """The rule's coefficients; see `OneCallSampler.step`."""
        if end.sigma == 0:
            return 0.0, 1.0, 0.0
        dt = end.t - start.t
        growth = start.sigma_dot / start.sigma
        from_x = 1.0 + dt * growth
        from_d = dt * (start.alpha_dot - start.alpha * growth)
        if not self.eta:
            return float(from_x), float(from_d), 0.0
        rate = growth - start.alpha_dot / start.alpha  # g²/(2 σ²)
        from_x += self.eta**2 * rate * dt
        from_d -= self.eta**2 * rate * dt * start.alpha
        from_noise = self.eta * math.sqrt(-2.0 * dt * rate) * start.sigma
        return float(from_x), float(from_d), float(from_noise)
