"""The last value of the history, held: T = x_0. For series that wander, such as prices and levels."""

from __future__ import annotations

__all__ = ["LastTrend"]

from dataclasses import dataclass

from ...core.condition import Condition
from ...core.registry import register
from ...core.trend import BaseTrend
from ...core.types import Series
from ._past import last_value, past_of


@register("trend", "last")
@dataclass(frozen=True, kw_only=True)
class LastTrend(BaseTrend):
    """Nothing changes."""

    needs = "a history"

    def __call__(self, condition: Condition, channels: int, length: int) -> Series:
        """The last value, (B, C, L); see `BaseTrend`."""
        return last_value(past_of(condition, 1, "last")).expand(-1, -1, length)
