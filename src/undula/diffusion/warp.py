"""Warps of time: strictly increasing maps u ↦ t of [0, 1] onto itself.

A warp changes how often each time is trained where the density is uniform in t, and where a
sampler steps whose grid is uniform in t. It changes nothing else: α(t) and σ(t) stay as they are,
and the network's time input τ does not depend on it.

    linear     t = u
    cosine     t = sin²(π u / 2)                             flat at both ends
    sigmoid    t = (s(k(2u − 1)) − s(−k)) / (s(k) − s(−k)),  s the logistic function, k = 3
    fitted     piecewise linear through given values at equal distances of u

References:
    Nichol, Dhariwal (2021). Improved denoising diffusion probabilistic models. arXiv:2102.09672
    Chen (2023). On the importance of noise scheduling for diffusion models. arXiv:2301.10972
"""

from __future__ import annotations

__all__ = ["CosineWarp", "FittedWarp", "LinearWarp", "Schedule", "SigmoidWarp", "make_warp"]

import itertools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from ..core.errors import ConfigError
from ..core.noise import Warp

Schedule = Literal["linear", "cosine", "sigmoid"] | tuple[float, ...]
"""The name of a warp, or the values of a fitted one at equal distances of u, from 0 to 1."""


class LinearWarp:
    """t = u."""

    def __call__(self, u: Tensor) -> Tensor:
        """t(u)."""
        return u

    def inverse(self, t: Tensor) -> Tensor:
        """u(t)."""
        return t

    def slope(self, u: Tensor) -> Tensor:
        """t'(u)."""
        return torch.ones_like(u)


class CosineWarp:
    """t = sin²(π u / 2)."""

    def __call__(self, u: Tensor) -> Tensor:
        """t(u)."""
        return torch.sin(0.5 * math.pi * u) ** 2

    def inverse(self, t: Tensor) -> Tensor:
        """u(t)."""
        return torch.asin(torch.sqrt(t)) * (2.0 / math.pi)

    def slope(self, u: Tensor) -> Tensor:
        """t'(u)."""
        return 0.5 * math.pi * torch.sin(math.pi * u)


class SigmoidWarp:
    """A logistic curve, cut at ±k and stretched to [0, 1]."""

    steepness = 3.0

    def __init__(self) -> None:
        self._low = 1.0 / (1.0 + math.exp(self.steepness))
        self._range = 1.0 - 2.0 * self._low

    def __call__(self, u: Tensor) -> Tensor:
        """t(u)."""
        return (torch.sigmoid(self.steepness * (2.0 * u - 1.0)) - self._low) / self._range

    def inverse(self, t: Tensor) -> Tensor:
        """u(t)."""
        return 0.5 * (torch.logit(self._low + self._range * t) / self.steepness + 1.0)

    def slope(self, u: Tensor) -> Tensor:
        """t'(u)."""
        s = torch.sigmoid(self.steepness * (2.0 * u - 1.0))
        return 2.0 * self.steepness * s * (1.0 - s) / self._range


class FittedWarp:
    """Piecewise linear through given values.

    Args:
        values: t at u = 0, 1/n, …, 1: strictly increasing from 0 to 1.

    Raises:
        ConfigError: if the values do not rise strictly from 0 to 1.
    """

    def __init__(self, values: Sequence[float]) -> None:
        rises = all(a < b for a, b in itertools.pairwise(values))
        if len(values) < 2 or values[0] != 0 or values[-1] != 1 or not rises:
            raise ConfigError(
                f"a fitted schedule needs values that rise strictly from 0 to 1, got {list(values)}"
            )
        self.values = torch.tensor(list(values), dtype=torch.float64)

    def __call__(self, u: Tensor) -> Tensor:
        """t(u)."""
        values, segment = self._segment(u.double() * self._count)
        return torch.lerp(values[segment], values[segment + 1], u.double() * self._count - segment)

    def inverse(self, t: Tensor) -> Tensor:
        """u(t)."""
        values = self.values.to(t.device)
        found = torch.searchsorted(values, t.double().contiguous(), right=True) - 1
        segment = found.clamp(0, self._count - 1)
        share = (t - values[segment]) / (values[segment + 1] - values[segment])
        return (segment + share) / self._count

    def slope(self, u: Tensor) -> Tensor:
        """t'(u)."""
        values, segment = self._segment(u.double() * self._count)
        return (values[segment + 1] - values[segment]) * self._count

    @property
    def _count(self) -> int:
        return len(self.values) - 1

    def _segment(self, position: Tensor) -> tuple[Tensor, Tensor]:
        return self.values.to(position.device), position.long().clamp(0, self._count - 1)


def make_warp(schedule: Schedule) -> Warp:
    """The warp that a schedule names.

    Raises:
        ConfigError: if there is no such warp.
    """
    if not isinstance(schedule, str):
        return FittedWarp(schedule)
    warps: dict[str, type[LinearWarp] | type[CosineWarp] | type[SigmoidWarp]] = {
        "linear": LinearWarp,
        "cosine": CosineWarp,
        "sigmoid": SigmoidWarp,
    }
    if schedule not in warps:
        raise ConfigError(f"unknown schedule {schedule!r}: use {', '.join(warps)} or a list of values")
    return warps[schedule]()
