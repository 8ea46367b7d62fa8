"""What noises share: a named warp of time, and what they learn."""

from __future__ import annotations

__all__ = ["LearningNoise", "ScheduledNoise"]

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from ...core.errors import ConfigError
from ...core.noise import BaseNoise, Warp
from ...core.registry import Registry
from ...diffusion.warp import Schedule, make_warp


class LearningNoise(BaseNoise):
    """A noise, frozen but for what `fit` or a model's file gives."""

    def _learn(self, **state: Tensor) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def _learned(self, name: str) -> Tensor:
        value = vars(self).get(name)
        if value is None:
            raise ConfigError(
                f"noise {Registry.name(self)!r} has not seen data: call fit(z, sde, condition) first"
            )
        return value


@dataclass(frozen=True, eq=False, kw_only=True)
class ScheduledNoise(LearningNoise):
    """A noise with a warp of time.

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
