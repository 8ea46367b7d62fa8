"""White noise, Σ = I."""

from __future__ import annotations

__all__ = ["StandardNoise"]

from dataclasses import dataclass
from functools import cached_property

from ...core.condition import Condition
from ...core.noise import BaseNoise, Warp
from ...core.registry import register
from ...core.types import Series
from ...diffusion.warp import Schedule, make_warp


@register("noise", "standard")
@dataclass(frozen=True, kw_only=True)
class StandardNoise(BaseNoise):
    """White noise, Σ = I.

    Args:
        schedule: warp of time: linear (none), cosine, sigmoid, or the values of a fitted warp at
            equal distances, rising from 0 to 1.
    """

    schedule: Schedule = "linear"

    def __post_init__(self) -> None:
        _ = self.warp

    @cached_property
    def warp(self) -> Warp:
        """The warp of time."""
        return make_warp(self.schedule)

    def colour(self, white: Series, condition: Condition | None = None) -> Series:
        """The white noise itself."""
        return white

    def whiten(self, x: Series, condition: Condition | None = None) -> Series:
        """X itself."""
        return x

    def apply(self, x: Series, condition: Condition | None = None) -> Series:
        """X itself."""
        return x

    def solve(self, x: Series, condition: Condition | None = None) -> Series:
        """X itself."""
        return x

    def log_det(self, channels: int, length: int) -> float:
        """0."""
        return 0.0
