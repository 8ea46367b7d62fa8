r"""DPM-Solver++(2M): second order, one network call a step.

With h = ½ Δλ and r = h_previous/h, D is extrapolated from its last two values:

    x_s = (σ_s/σ_t) x_t + (α_s − (σ_s/σ_t) α_t) [(1 + 1/(2r)) D_t − 1/(2r) D_previous]

The first step, a step after one from α = 0 (r = ∞), and the last one to σ = 0 are of first order.

References:
    Lu et al. (2022). DPM-Solver++: fast solver for guided sampling. arXiv:2211.01095
"""

from __future__ import annotations

__all__ = ["DPMSampler"]

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise, step_ratio


@register("sampler", "dpm")
@dataclass(frozen=True, kw_only=True)
class DPMSampler(BaseSampler):
    """DPM-Solver++(2M): second order with one network call a step."""

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
        steps = _coefficients(levels)
        previous = x
        for k, (from_x, from_d, from_previous) in enumerate(steps):
            d = denoiser(x, levels[k], condition)
            x = (x * from_x).add_(d, alpha=from_d)
            if from_previous:
                x.add_(previous, alpha=from_previous)
            previous = d
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x


def _coefficients(levels: Sequence[NoiseLevel]) -> list[tuple[float, float, float]]:
    """Coefficients of x, D and the previous D, a row a step."""
    half_log_snr = [0.5 * math.log(level.snr) if level.snr > 0 else -math.inf for level in levels]
    rows = []
    for k, (start, end) in enumerate(itertools.pairwise(levels)):
        from_x, from_d = step_ratio(start, end)
        weight = 0.0
        if k > 0 and end.sigma > 0:
            h, h_previous = (half_log_snr[k + 1] - half_log_snr[k], half_log_snr[k] - half_log_snr[k - 1])
            weight = 0.5 * h / h_previous
        rows.append((from_x, from_d * (1.0 + weight), -from_d * weight))
    return rows
