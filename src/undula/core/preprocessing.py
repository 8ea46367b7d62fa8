"""The map between the user's space and the space that is diffused.

It acts on series (B, C, L), so that the same object serves training, sampling and guidance, on any
device, and gradients pass through it.
"""

from __future__ import annotations

__all__ = ["BasePreprocessor"]

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from .component import Component
from .condition import Condition
from .types import Mask, Series


class BasePreprocessor(Component, ABC):
    """An invertible map of series.

    `fit` sees the training part alone. `transform` then `inverse_transform` returns the input to
    rounding; `fit` is optional for a map that learns nothing.
    """

    kind: ClassVar[str] = "preprocessing"

    def fit(self, x: Series, valid: Mask | None = None) -> BasePreprocessor:
        """Learn from training series; return self.

        Args:
            x: training series in the user's units.
            valid: True where x has a value; None: everywhere.
        """
        return self

    @abstractmethod
    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to the space that is diffused."""

    @abstractmethod
    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From the space that is diffused to the user's units."""

    def log_det(self, x: Series) -> Tensor:
        """Log |det ∂transform/∂x| of each member, (B,); for likelihoods in the user's units."""
        raise NotImplementedError(f"{type(self).__name__} has no log-determinant")
