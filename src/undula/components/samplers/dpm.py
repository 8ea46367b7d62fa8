r"""DPM-Solver++: exponential steps that interpolate D, of order 1, 2 or 3, with or without noise.

With ℓ = log(α/σ), h = ℓ_s − ℓ_t and q = e^{−(1+η²)h}, the step of order 2 is

    x_s = (σ_s/σ_t) e^{−η²h} x_t + α_s (1 − q) [D_t + (D_t − D_other)/(2r)] + σ_s √(1 − e^{−2η²h}) Σ^½ z

where D_other is the step before's, at ℓ_t − r h (multistep), or half-way through this step
(singlestep: r = −½). Order 3 integrates the parabola through three values (multistep), or the line
through the values at ℓ_t and ℓ_t + ⅔ h (singlestep). η = 1 is SDE-DPM-Solver++, η = 0 the ODE.

A multistep run of order 3 makes its first step by a singlestep of order 2, for one more call: with a
first step of order 1 the whole would be of order 2. Where a level has α = 0, D is interpolated in α/σ
(η = 0), or the step is of first order (η > 0). The last step ends on D, and the multistep before it is
at most of order 2.

References:
    Lu et al. (2022). DPM-Solver++: fast solver for guided sampling. arXiv:2211.01095
"""

from __future__ import annotations

__all__ = ["DPMSampler"]

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from ...core.condition import Condition
from ...core.errors import ConfigError
from ...core.kept import kept
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import NonNegative, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.path import GaussianPath
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise
from ._exponential import ONTO_D, Move, advance, behind, between, move

_INNER = {1: (), 2: (0.5,), 3: (1 / 3, 2 / 3)}


class _Step(NamedTuple):
    """Moves to levels within a step, where D is called too, and the move to its end."""

    inner: tuple[tuple[NoiseLevel, Move], ...]
    last: Move


@register("sampler", "dpm")
@dataclass(frozen=True, kw_only=True)
class DPMSampler(BaseSampler):
    """DPM-Solver++ of order 1 to 3: by default 2M, second order with one network call a step.

    Args:
        order: of the steps: 1 (DDIM), 2 or 3.
        method: multistep keeps D of the steps before, one call a step; singlestep calls D within
            the step, `order` calls a step, and remembers nothing.
        eta: η ≥ 0, the share of noise that is drawn anew; 0: deterministic, 1: SDE-DPM-Solver++.
            η > 0 goes with multistep of order 1 or 2.
    """

    order: Literal[1, 2, 3] = 2
    method: Literal["multistep", "singlestep"] = "multistep"
    eta: NonNegative = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.method == "singlestep" and self.order == 1:
            raise ConfigError(
                "method: singlestep has no effect with order 1: leave it out, or use order: 2 or 3"
            )
        if self.eta and (self.method == "singlestep" or self.order == 3):
            raise ConfigError(
                f"dpm with eta = {self.eta:g} is defined for method: multistep of order 1 or 2: use these, "
                "or eta: 0"
            )

    @property
    def calls(self) -> int:
        """One a step (multistep; one more for order 3) or `order` a step, and one in the last."""
        if self.method == "singlestep":
            return self.order * (self.num_steps - 1) + 1
        return self.num_steps + (self.order == 3 and self.num_steps > 1)

    @property
    def stochastic(self) -> bool:
        """True for η > 0."""
        return self.eta > 0

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
        before: list[Series] = []
        for k, (inner, last) in enumerate(steps):
            values = [denoiser(x, levels[k], condition), *before]
            before = values[: self.order - 1]
            for level, to_level in inner:
                values = [denoiser(advance(x, values, to_level), level, condition), *values]
            x = advance(x, values, last)
            if last.from_noise:
                x.add_(fresh(k + 1), alpha=last.from_noise)
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x


def _plan(sampler: DPMSampler, path: GaussianPath, levels: tuple[NoiseLevel, ...]) -> list[_Step]:
    """The steps' coefficients."""
    pairs = [pair for pair in itertools.pairwise(levels) if pair[1].sigma > 0]
    if sampler.method == "singlestep":
        steps = _single_steps(path, pairs, sampler.order)
    else:
        steps = [_multistep(sampler, levels, k) for k in range(len(pairs))]
        if sampler.order == 3:
            steps[:1] = _single_steps(path, pairs[:1], 2)
    return steps + [_Step((), ONTO_D)] * (len(levels) - 1 - len(pairs))


def _multistep(sampler: DPMSampler, levels: Sequence[NoiseLevel], k: int) -> _Step:
    nodes = behind(levels, k, sampler.order)
    if sampler.eta and min(level.alpha for level in nodes) == 0:
        nodes = nodes[:1]
    return _Step((), move(levels[k], levels[k + 1], nodes, sampler.eta, midpoint=len(nodes) == 2))


def _single_steps(
    path: GaussianPath, pairs: Sequence[tuple[NoiseLevel, NoiseLevel]], order: int
) -> list[_Step]:
    inside = [between(path, pairs, share) for share in _INNER[order]]
    return [_single_step(start, end, [row[k] for row in inside]) for k, (start, end) in enumerate(pairs)]


def _single_step(start: NoiseLevel, end: NoiseLevel, inside: Sequence[NoiseLevel]) -> _Step:
    """Through one level, or through two of which the first only helps the second."""
    to_first = (inside[0], move(start, inside[0], [start]))
    if len(inside) == 1:
        return _Step((to_first,), move(start, end, [inside[0], start], midpoint=True))
    to_second = (inside[1], move(start, inside[1], [inside[0], start]))
    last = move(start, end, [inside[1], start])
    return _Step((to_first, to_second), last._replace(from_d=(last.from_d[0], 0.0, last.from_d[1])))
