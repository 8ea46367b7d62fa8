r"""Adaptive steps: Heun's method with an error estimate, each sample at its own pace.

On the straight path of `heun`, x̄ = x/(α + σ) against τ, a step gives Euler's x̄' (first order) and
Heun's x̄_s (second order). Their difference, relative to the tolerance,

    e = rms[(x̄_s − x̄')/(atol + rtol max(|x̄_t|, |x̄_s|))],

over the elements that exist, decides: with e ≤ 1 the step is taken, else it is tried again shorter. The
next is longer by 0.9 e^−½ (the error is of second order in the step), at most twice as long.

Steps lead from one level of the grid to another, over any number of levels. The grid is thus the finest
that may be needed: a step between neighbours is taken whatever its error.

Each sample has its own steps, and those that have arrived leave the batch, so that a sample does not
depend on its companions: the tolerance is never met for a batch, on average or at worst. Only where an
error is within rounding of the tolerance may another batch size decide otherwise, and the sample
then change by about the tolerance.

References:
    Hairer, Nørsett, Wanner (1993). Solving ordinary differential equations I, section II.4
    Jolicoeur-Martineau et al. (2021). Gotta go fast with score-based models. arXiv:2105.14080
"""

from __future__ import annotations

__all__ = ["AdaptiveSampler"]

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Losses, Positive, PositiveInt, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.regulariser import masked_mean
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise

_SAFETY, _GROWTH, _LEAST = 0.9, 2.0, 0.2
_FIRST_STEP = 0.1


@register("sampler", "adaptive")
@dataclass(frozen=True, kw_only=True)
class AdaptiveSampler(BaseSampler):
    """Heun's method with steps as long as a tolerance allows, for each sample by itself; deterministic.

    Args:
        num_steps: levels of the grid, the shortest steps that may be taken.
        rtol: relative tolerance of a step.
        atol: absolute tolerance of a step, in the units of what is diffused (standard deviation
            about 1).
    """

    fixed_calls: ClassVar[bool] = False

    num_steps: PositiveInt = 500
    rtol: Positive = 0.02
    atol: Positive = 0.02

    @property
    def calls(self) -> int:
        """The most that can be needed: a step costs two calls, one that is tried again one more."""
        return 3 * self.num_steps - 2 + int(math.log2(self._first_step))

    @property
    def _first_step(self) -> int:
        return max(1, int(_FIRST_STEP * self.num_steps))

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
        to_data = levels[-1].sigma == 0
        last = len(levels) - (2 if to_data else 1)
        table = torch.tensor([tuple(level) for level in levels[: last + 1]], dtype=torch.float64)
        table = table.to(x.device)
        result = torch.empty_like(x)
        member = torch.arange(len(x), device=x.device)
        place = torch.zeros_like(member)
        jump = torch.full_like(member, self._first_step)
        d = denoiser(x, _at(table, place), condition)
        reported = 0
        while True:
            arrived = place == last
            if bool(arrived.any()):
                result[member[arrived]] = (d if to_data else x)[arrived]
                left = ~arrived
                x, d, member, place, jump = (v[left] for v in (x, d, member, place, jump))
                condition = None if condition is None else condition[left]
            reported = _report(on_step, reported, len(levels) - 1, place)
            if not len(member):
                return result
            goal = torch.minimum(place + jump, torch.full_like(place, last))
            start, end = _at(table, place), _at(table, goal)
            exists = None if condition is None else condition.exists
            x_end, error = self._try(denoiser, x, d, start, end, condition)
            error = masked_mean(error, exists).sqrt()
            jump, taken = self._decide(error.double(), goal - place)
            place = torch.where(taken, goal, place)
            x = torch.where(taken[:, None, None], x_end, x)
            moved = x[taken]
            if len(moved):
                told = None if condition is None else condition[taken]
                d = d.index_put((taken,), denoiser(moved, _at(table, place[taken]), told))

    def _try(
        self,
        denoiser: BaseDenoiser,
        x: Series,
        d: Series,
        start: NoiseLevel,
        end: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """Heun's x at `end`, and the squared ratio of its error to the tolerance."""
        scale_start, scale_end = (torch.as_tensor(k.alpha + k.sigma).to(x) for k in (start, end))
        tau_start, tau_end = (torch.as_tensor(k.tau).to(x) for k in (start, end))
        straight = x / scale_start
        slope = (straight - d) / tau_start
        euler = straight + (tau_end - tau_start) * slope
        slope_end = (euler - denoiser(euler * scale_end, end, condition)) / tau_end
        difference = 0.5 * (tau_end - tau_start) * (slope_end - slope)
        heun = euler + difference
        size = self.atol + self.rtol * torch.maximum(straight.abs(), heun.abs())
        return heun * scale_end, (difference / size).square()

    def _decide(self, error: Losses, tried: Tensor) -> tuple[Tensor, Tensor]:
        """The next steps, in levels, and which of the tried ones are taken."""
        taken = (error <= 1.0) | (tried == 1)
        factor = (_SAFETY * error.clamp(min=1e-12).rsqrt()).clamp(_LEAST, _GROWTH)
        factor = torch.where(taken, factor, factor.clamp(max=0.5))
        return (tried * factor).long().clamp(min=1), taken


def _at(table: Tensor, place: Tensor) -> NoiseLevel:
    """The levels of a batch, tensors (B, 1, 1)."""
    return NoiseLevel(*(column[:, None, None] for column in table[place].unbind(1)))


def _report(on_step: OnStep | None, reported: int, steps: int, place: Tensor) -> int:
    """Report the grid's levels that every sample has passed."""
    if on_step is None:
        return reported
    passed = int(place.min()) if len(place) else steps
    for k in range(reported, passed):
        on_step(k + 1, steps)
    return passed
