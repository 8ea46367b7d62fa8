r"""Samplers: a grid of noise levels times a step rule.

A sampler starts from the prior at the first level and applies its rule between neighbours; the
last level has σ = 0, where every rule ends on D itself. All coefficients are numbers computed
before the loop, so that a step costs the network and two or three vector operations. No rule
divides by α_t, and none is evaluated at σ = 0.
"""

from __future__ import annotations

__all__ = [
    "BaseSampler",
    "GridName",
    "OnStep",
    "OneCallSampler",
    "SampleNoise",
    "step_ratio",
    "time_grid",
]

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ..core.component import Component
from ..core.condition import Condition
from ..core.errors import ConfigError, IncompatibleError
from ..core.kept import kept
from ..core.randomness import Stream
from ..core.sde import DATA, NoiseLevel
from ..core.types import Positive, PositiveInt, Series
from .denoiser import BaseDenoiser
from .path import LARGEST_STARTING_SNR, GaussianPath

GridName = Literal["uniform", "log_snr", "karras"]

OnStep = Callable[[int, int], None]
"""Called after each step with the steps done and the number of steps."""

_LOWEST_LOG_SNR = math.log(1e-6)


@dataclass(frozen=True)
class SampleNoise:
    """The white noise of a batch of samples: a function of (seed, sample's number, draw).

    Args:
        seed: of the whole set of samples.
        index: the samples' numbers, integers (B,).
        channels: C.
        length: L.
        dtype: of the noise, and hence of the samples.
    """

    seed: int
    index: Tensor
    channels: int
    length: int
    dtype: torch.dtype = torch.float32

    def __call__(self, draw: int) -> Series:
        """White noise number `draw`, (B, C, L); 0 is the prior's, k + 1 that of step k."""
        stream = Stream(self.seed, "sample")
        return stream.normal(draw, self.index, self.channels, self.length, self.dtype)


def time_grid(
    path: GaussianPath, num_steps: int, grid: GridName, t_max: float | None = None, rho: float = 7.0
) -> Tensor:
    """Times at which a sampler calls the denoiser, falling from the start to t_min.

    Args:
        path: gives t_min, λ(t) and the warp.
        num_steps: how many times.
        grid: uniform (in the warped time), log_snr (uniform in λ) or karras (uniform in
            (σ/α)^(1/ρ)).
        t_max: where it starts; None: 1, and for the grids in λ the time of SNR 1e-6 where
            λ(1) = −∞.
        rho: ρ of the karras grid.

    Returns:
        float64, (num_steps,).
    """
    start, t_min = 1.0 if t_max is None else t_max, path.sde.t_min
    share = torch.linspace(0.0, 1.0, num_steps, dtype=torch.float64)
    if grid == "uniform":
        return t_min + (start - t_min) * path.noise.warp(1.0 - share)
    ends = path.sde.log_snr(torch.tensor([start, t_min], dtype=torch.float64))
    low = ends[0].clamp(min=_LOWEST_LOG_SNR) if t_max is None else ends[0]
    if grid == "log_snr":
        times = path.sde.time_at(torch.lerp(low, ends[1], share))
    else:
        first, last = torch.exp(-0.5 * low / rho), torch.exp(-0.5 * ends[1] / rho)
        times = path.sde.time_at(-2.0 * rho * torch.log(torch.lerp(first, last, share)))
    if num_steps > 1:
        times[-1] = t_min
    return times


@dataclass(frozen=True, kw_only=True)
class BaseSampler(Component, ABC):
    """A grid and a step rule.

    Args:
        num_steps: steps from noise to data; see `calls` for the network calls that they cost.
        grid: uniform (in the warped time), log_snr or karras.
        t_max: where the grid starts; null: at 1, for grids in λ at SNR 1e-6 at the least.
        rho: ρ of the karras grid; null: 7.
    """

    kind: ClassVar[str] = "sampler"

    fixed_calls: ClassVar[bool] = True
    """Whether every sample costs `calls` network calls; if not, `calls` is the most."""

    num_steps: PositiveInt = 20
    grid: GridName = "uniform"
    t_max: Positive | None = None
    rho: Positive | None = None

    def __post_init__(self) -> None:
        if self.rho is not None and self.grid != "karras":
            raise ConfigError(f"rho has no effect with grid {self.grid!r}: leave it out, or use grid: karras")
        if self.t_max is not None and self.t_max > 1:
            raise ConfigError(f"t_max = {self.t_max:g} is beyond t = 1: give a value in (t_min, 1]")

    @property
    def calls(self) -> int:
        """Network calls a sample."""
        return self.num_steps

    @property
    def stochastic(self) -> bool:
        """Whether steps draw noise."""
        return False

    def levels(self, path: GaussianPath) -> list[NoiseLevel]:
        """The grid: num_steps levels and σ = 0."""
        times = time_grid(path, self.num_steps, self.grid, self.t_max, self.rho or 7.0)
        return [*path.sde.levels(times), DATA]

    def check(self, path: GaussianPath) -> None:
        """Refuse a path on which the step rule or the grid is not defined.

        Raises:
            IncompatibleError: with the remedy.
        """
        if self.t_max is None:
            return
        if self.t_max <= path.sde.t_min:
            raise IncompatibleError(
                f"the sampler starts at t_max = {self.t_max:g}, not above t_min = {path.sde.t_min:g}: "
                "raise t_max"
            )
        log_snr = float(path.sde.log_snr(torch.tensor(self.t_max, dtype=torch.float64)))
        if math.exp(log_snr) > LARGEST_STARTING_SNR:
            name, snr = type(path.sde).__name__, math.exp(log_snr)
            raise IncompatibleError(
                f"the sampler starts from pure noise, and at t_max = {self.t_max:g} the signal-to-noise "
                f"ratio of {name} is {snr:.3g}, above {LARGEST_STARTING_SNR}: raise t_max"
            )
        if self.grid != "uniform" and math.isinf(log_snr):
            raise IncompatibleError(
                f"a grid in log-SNR cannot start at t_max = {self.t_max:g}, where "
                f"{type(path.sde).__name__} has log-SNR −∞: use t_max: 0.999, or leave t_max out"
            )

    def sample(
        self,
        denoiser: BaseDenoiser,
        noise: SampleNoise,
        condition: Condition | None = None,
        on_step: OnStep | None = None,
    ) -> Series:
        """Draw samples.

        Args:
            denoiser: the model.
            noise: the samples' white noise; its numbers and shape are the samples'.
            condition: what the model is told.
            on_step: called after each step, for progress.

        Returns:
            Samples in the space that is diffused, (B, C, L).
        """
        path = denoiser.path
        self.check(path)
        with torch.no_grad():
            levels = kept(_levels, self, path)
            x = path.prior(noise(0), condition, levels[0])
            return self.integrate(denoiser, x, levels, noise, condition, on_step)

    def step_noise(
        self, path: GaussianPath, noise: SampleNoise | None, condition: Condition | None
    ) -> Callable[[int], Series]:
        """The noise of the steps: draw number k of covariance Σ, (B, C, L)."""
        if noise is None and self.stochastic:
            raise ValueError("a stochastic sampler needs its noise")

        def fresh(draw: int) -> Series:
            assert noise is not None
            return path.noise.colour(noise(draw), condition)

        return fresh

    @abstractmethod
    def integrate(
        self,
        denoiser: BaseDenoiser,
        x: Series,
        levels: Sequence[NoiseLevel],
        noise: SampleNoise | None = None,
        condition: Condition | None = None,
        on_step: OnStep | None = None,
    ) -> Series:
        """Apply the step rule from levels[0], where x is, to levels[-1].

        Args:
            denoiser: the model.
            x: where to start, (B, C, L).
            levels: the grid, falling.
            noise: the steps' white noise; a deterministic rule needs none.
            condition: what the model is told.
            on_step: called after each step, for progress.
        """


class OneCallSampler(BaseSampler):
    """A rule with one network call and no memory: x_s = a x_t + b D + c z."""

    @abstractmethod
    def step(self, start: NoiseLevel, end: NoiseLevel) -> tuple[float, float, float]:
        """a, b and c from one level to the next; on D itself where `end` has σ = 0."""

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
        steps = [self.step(a, b) for a, b in itertools.pairwise(levels)]
        for k, (from_x, from_d, from_noise) in enumerate(steps):
            d = denoiser(x, levels[k], condition)
            x = (x * from_x).add_(d, alpha=from_d)
            if from_noise:
                x.add_(fresh(k + 1), alpha=from_noise)
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x


def _levels(sampler: BaseSampler, path: GaussianPath) -> tuple[NoiseLevel, ...]:
    return tuple(sampler.levels(path))


def step_ratio(start: NoiseLevel, end: NoiseLevel) -> tuple[float, float]:
    """A and b of the deterministic first-order step x_end = a x_start + b D.

    With D constant it is exact: d(x/σ) = D d(α/σ). It is finite at α = 0 and ends on D at σ = 0.
    """
    ratio = end.sigma / start.sigma
    return float(ratio), float(end.alpha - ratio * start.alpha)
