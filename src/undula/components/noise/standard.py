"""White noise, Σ = I."""

from __future__ import annotations

__all__ = ["StandardNoise"]

from dataclasses import dataclass

from ...core.condition import Condition
from ...core.registry import register
from ...core.types import Series
from ._scheduled import ScheduledNoise


@register("noise", "standard")
@dataclass(frozen=True, kw_only=True)
class StandardNoise(ScheduledNoise):
    """White noise, Σ = I."""

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

    def log_det(self, channels: int, length: int, condition: Condition | None = None) -> float:
        """0."""
        return 0.0
