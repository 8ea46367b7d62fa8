r"""Heun's method on the straight path: second order.

Every Gaussian path is the rectified one in other units: with x̄ = x/(α + σ) and τ = σ/(α + σ),

    dx̄/dτ = (x̄ − D)/τ,

finite wherever σ > 0, α = 0 included. A step is DDIM's to x̄', then the mean of both slopes:

    x̄_s = x̄_t + ½ (τ_s − τ_t) [(x̄_t − D_t)/τ_t + (x̄' − D')/τ_s]

Where σ ≪ α, τ is σ/α and this is EDM's second-order sampler. The last step, to τ = 0, ends on D.

References:
    Karras et al. (2022). arXiv:2206.00364, algorithm 1 (without churn)
"""

from __future__ import annotations

__all__ = ["HeunSampler"]

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise, step_ratio


@register("sampler", "heun")
@dataclass(frozen=True, kw_only=True)
class HeunSampler(BaseSampler):
    """Heun's method on the straightened path: second order, two network calls a step."""

    @property
    def calls(self) -> int:
        """Two a step, one in the last."""
        return 2 * self.num_steps - 1

    def integrate(
        self,
        denoiser: BaseDenoiser,
        x: Series,
        levels: Sequence[NoiseLevel],
        noise: SampleNoise | None = None,
        condition: Condition | None = None,
        on_step: OnStep | None = None,
    ) -> Series:
        """Integrate from levels[0] to levels[-1]; see `BaseSampler.integrate`."""
        steps = [(step_ratio(a, b), _correction(a, b)) for a, b in itertools.pairwise(levels)]
        for k, ((from_x, from_d), (stay, from_start, from_end)) in enumerate(steps):
            d = denoiser(x, levels[k], condition)
            euler = (x * from_x).add_(d, alpha=from_d)
            if levels[k + 1].sigma > 0:
                end = denoiser(euler, levels[k + 1], condition)
                x = (x * stay).add_(d, alpha=from_start).add_(end, alpha=from_end)
            else:
                x = euler
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x


def _correction(start: NoiseLevel, end: NoiseLevel) -> tuple[float, float, float]:
    """Coefficients of x_t, D_t and D' in the corrected x_s, with x' put in."""
    if end.sigma == 0:
        return 0.0, 0.0, 0.0
    half = 0.5 * (end.tau - start.tau)
    scale_start, scale_end = start.alpha + start.sigma, end.alpha + end.sigma
    from_start, from_end = half * scale_end / start.tau, half * scale_end / end.tau
    from_x, from_d = step_ratio(start, end)
    return (
        float((scale_end + from_start) / scale_start + from_end / scale_end * from_x),
        float(from_end / scale_end * from_d - from_start),
        float(-from_end),
    )
