"""What a simple forecaster says of a window, so that diffusion models what it leaves.

    x = T(what is told) + residual

T depends on the condition alone: the history, the covariates. The same T is taken off in training and put
back in sampling.
"""

from __future__ import annotations

__all__ = ["BaseTrend"]

from abc import ABC, abstractmethod
from typing import ClassVar

from .component import Component
from .condition import Condition
from .types import Series


class BaseTrend(Component, ABC):
    """A point forecast of a window, given its condition."""

    kind: ClassVar[str] = "trend"
    any_length: ClassVar[bool] = True
    """Whether what it learned from windows of one length serves others too."""

    def fit(self, x: Series, condition: Condition) -> BaseTrend:
        """Learn from training windows; return self.

        Args:
            x: in the user's units, in the order of time.
            condition: what is told of them; `past` is there, without gaps at its end.
        """
        return self

    @abstractmethod
    def __call__(self, condition: Condition, channels: int, length: int) -> Series:
        """T, (B, C, L), in the user's units and the type of `condition.past`.

        Args:
            condition: what is told; `past` is there.
            channels: C.
            length: L.
        """
