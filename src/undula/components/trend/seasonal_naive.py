"""What was one period ago: T_h = x_{h − period}, repeated beyond it. For days like days, weeks like weeks."""

from __future__ import annotations

__all__ = ["SeasonalNaiveTrend"]

from dataclasses import dataclass

import torch

from ...core.condition import Condition
from ...core.registry import register
from ...core.trend import BaseTrend
from ...core.types import PositiveInt, Series
from ._past import last_value, past_of


@register("trend", "seasonal_naive")
@dataclass(frozen=True, kw_only=True)
class SeasonalNaiveTrend(BaseTrend):
    """The last period again.

    Args:
        period: in steps, such as 24 for hours of a day; the history is at least as long.
    """

    needs = "a history of a period"

    period: PositiveInt = 24

    def __call__(self, condition: Condition, channels: int, length: int) -> Series:
        """The last period, repeated, (B, C, L); a missing value is the last one there is."""
        past = past_of(condition, self.period, "seasonal_naive")
        turn = past[..., -self.period :]
        turn = torch.where(torch.isnan(turn), last_value(past), turn)
        return turn[..., torch.arange(length, device=turn.device) % self.period]
