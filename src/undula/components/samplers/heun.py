r"""Heun's method on the straight path: second order; with EDM's churn, stochastic.

Every Gaussian path is the rectified one in other units: with x̄ = x/(α + σ) and τ = σ/(α + σ),

    dx̄/dτ = (x̄ − D)/τ,

finite wherever σ > 0, α = 0 included. A step is DDIM's to x̄', then the mean of both slopes:

    x̄_s = x̄_t + ½ (τ_s − τ_t) [(x̄_t − D_t)/τ_t + (x̄' − D')/τ_s]

Where σ ≪ α, τ is σ/α and this is EDM's second-order sampler. The last step, to τ = 0, ends on D.

Churn first goes back a little: from the level t, at σ/α = k, to t̂ at k̂ = (1 + γ) k, by the forward
transition, whose noise is multiplied by `churn_noise`:

    γ = min(churn/N, √2 − 1) where churn_min ≤ k ≤ churn_max, else 0      N the number of steps
    x_t̂ = a x_t + churn_noise · √v Σ^½ z,    a = α_t̂/α_t,    v = σ_t̂² − a² σ_t²

never beyond t = 1. These are S_churn, S_tmin, S_tmax and S_noise of the paper.

References:
    Karras et al. (2022). arXiv:2206.00364, algorithms 1 and 2
"""

from __future__ import annotations

__all__ = ["HeunSampler"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ...core.condition import Condition
from ...core.errors import ConfigError
from ...core.kept import kept
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import NonNegative, Positive, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.path import GaussianPath
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise, step_ratio

_MOST_CHURN = math.sqrt(2.0) - 1.0


class _Step(NamedTuple):
    """Back to a higher level, Euler to the end, and the correction there."""

    start: NoiseLevel
    back: tuple[float, float]
    euler: tuple[float, float]
    correction: tuple[float, float, float]


@register("sampler", "heun")
@dataclass(frozen=True, kw_only=True)
class HeunSampler(BaseSampler):
    """Heun's method on the straightened path: second order, two network calls a step.

    Args:
        churn: noise that is added before each step and taken out by it, over the whole run (the
            paper's S_churn); 0: deterministic.
        churn_min: the lowest σ/α with churn (S_tmin); null: 0.
        churn_max: the highest σ/α with churn (S_tmax); null: no limit.
        churn_noise: factor of the added noise (S_noise), a little above 1 against a denoiser that
            takes out too much; null: 1.
    """

    churn: NonNegative = 0.0
    churn_min: NonNegative | None = None
    churn_max: Positive | None = None
    churn_noise: Positive | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("churn_min", "churn_max", "churn_noise"):
            if not self.churn and getattr(self, name) is not None:
                raise ConfigError(
                    f"{name} has no effect with churn 0: leave it out, or give churn, such as 20"
                )
        if self.churn_min and self.churn_max and self.churn_min >= self.churn_max:
            raise ConfigError(
                f"churn_min = {self.churn_min:g} is not below churn_max = {self.churn_max:g}: no level has "
                "churn, so set them apart"
            )

    @property
    def calls(self) -> int:
        """Two a step, one in the last."""
        return 2 * self.num_steps - 1

    @property
    def stochastic(self) -> bool:
        """True with churn."""
        return self.churn > 0

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
        path = denoiser.path
        fresh = self.step_noise(path, noise, condition)
        steps = kept(_plan, self, path, tuple(levels))
        for k, (start, (keep, added), (from_x, from_d), correction) in enumerate(steps):
            if added:
                x = (x * keep).add_(fresh(k + 1), alpha=added)
            d = denoiser(x, start, condition)
            euler = (x * from_x).add_(d, alpha=from_d)
            if levels[k + 1].sigma > 0:
                end = denoiser(euler, levels[k + 1], condition)
                stay, from_start, from_end = correction
                x = (x * stay).add_(d, alpha=from_start).add_(end, alpha=from_end)
            else:
                x = euler
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x


def _plan(sampler: HeunSampler, path: GaussianPath, levels: tuple[NoiseLevel, ...]) -> list[_Step]:
    """The coefficients of every step."""
    starts = list(levels[:-1])
    backs = [(1.0, 0.0)] * len(starts)
    churned = [k for k, level in enumerate(starts) if _has_churn(sampler, level)]
    if churned:
        gamma = min(sampler.churn / len(starts), _MOST_CHURN)
        ratio = torch.tensor([starts[k].sigma / starts[k].alpha for k in churned], dtype=torch.float64)
        times = path.sde.time_at(-2.0 * torch.log((1.0 + gamma) * ratio))
        for k, higher in zip(churned, path.sde.levels(times), strict=True):
            if higher.snr < starts[k].snr:
                keep, variance = path.transition(starts[k], higher)
                factor = sampler.churn_noise or 1.0
                backs[k], starts[k] = (float(keep), factor * math.sqrt(variance)), higher
    return [
        _Step(start, back, step_ratio(start, end), _correction(start, end))
        for start, back, end in zip(starts, backs, levels[1:], strict=True)
    ]


def _has_churn(sampler: HeunSampler, level: NoiseLevel) -> bool:
    if not sampler.churn or level.alpha == 0:
        return False
    ratio = level.sigma / level.alpha
    return bool((sampler.churn_min or 0.0) <= ratio <= (sampler.churn_max or math.inf))


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
