r"""Predictor-corrector: a step to the next noise level, then Langevin steps within it.

    predict    DDIM's step, ancestral (η = 1) or of the ODE (η = 0)
    correct    x ← α D + e^{−θ} (x − α D) + σ √(1 − e^{−2θ}) Σ^½ z,    θ = 2 r²

The corrector leaves the density at its noise level as it is and forgets the predictor's errors. It is
Langevin's dx = Σ∇log p dτ + √2 Σ^½ dW over τ = θ σ², with Σ∇log p = (α D − x)/σ², solved exactly for a
constant D. The step is Song's 2 (r ‖z‖/‖∇log p‖)², r being his signal-to-noise ratio, with the
norms replaced by what they are in noise, √d and √d/σ: a step that depended on the norms of one sample
would not leave its density alone, and one that depended on the batch's not be a function of the sample.

References:
    Song et al. (2021). Score-based generative modeling through SDEs. arXiv:2011.13456, algorithms 2-5
"""

from __future__ import annotations

__all__ = ["PCSampler"]

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Positive, PositiveInt, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise
from .ddim import DDIMSampler


@register("sampler", "pc")
@dataclass(frozen=True, kw_only=True)
class PCSampler(BaseSampler):
    """Predictor-corrector: DDIM's step, then Langevin steps at the new noise level.

    Args:
        num_steps: predictor steps from noise to data.
        predictor: ancestral (draws noise) or ode (does not).
        corrector_steps: Langevin steps at each level, a network call each; the last level, the data,
            has none.
        snr: r: a Langevin step shrinks x − αD by e^(−2r²) and draws as much noise anew.
    """

    num_steps: PositiveInt = 100
    predictor: Literal["ancestral", "ode"] = "ancestral"
    corrector_steps: PositiveInt = 1
    snr: Positive = 0.16

    @property
    def calls(self) -> int:
        """One a predictor step, `corrector_steps` more at each level but the data."""
        return self.num_steps + (self.num_steps - 1) * self.corrector_steps

    @property
    def stochastic(self) -> bool:
        """Always: the corrector draws noise."""
        return True

    def integrate(
        self,
        denoiser: BaseDenoiser,
        x: Series,
        levels: Sequence[NoiseLevel],
        noise: SampleNoise | None = None,
        condition: Condition | None = None,
        on_step: OnStep | None = None,
    ) -> Series:
        """Step from levels[0] to levels[-1]; see `BaseSampler.integrate`."""
        fresh = self.step_noise(denoiser.path, noise, condition)
        rule = DDIMSampler(eta=1.0 if self.predictor == "ancestral" else 0.0)
        steps = [rule.step(a, b) for a, b in itertools.pairwise(levels)]
        stay = math.exp(-2.0 * self.snr**2)
        spread = math.sqrt(1.0 - stay**2)
        for k, (from_x, from_d, from_noise) in enumerate(steps):
            end, draw = levels[k + 1], 1 + k * (1 + self.corrector_steps)
            to_d, to_noise = float((1.0 - stay) * end.alpha), float(spread * end.sigma)
            x = (x * from_x).add_(denoiser(x, levels[k], condition), alpha=from_d)
            if from_noise:
                x.add_(fresh(draw), alpha=from_noise)
            for j in range(self.corrector_steps if end.sigma > 0 else 0):
                x = (x * stay).add_(denoiser(x, end, condition), alpha=to_d)
                x.add_(fresh(draw + 1 + j), alpha=to_noise)
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x
