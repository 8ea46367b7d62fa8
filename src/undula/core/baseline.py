"""What a diffusion model has to beat: anything with `fit` and `sample`."""

from __future__ import annotations

__all__ = ["BaseBaseline"]

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .component import Component

Array = NDArray[np.floating[Any]]


class BaseBaseline(Component, ABC):
    """A generator of windows that is not a diffusion model."""

    kind: ClassVar[str] = "baseline"

    @abstractmethod
    def fit(self, series: list[Array], length: int) -> BaseBaseline:
        """Learn from training data.

        Args:
            series: unbroken stretches of the training part, each (T, C), in the user's units.
            length: L, of the windows to generate.
        """

    @abstractmethod
    def sample(self, n: int, seed: int = 0) -> Array:
        """Generate windows (n, L, C), in the user's units."""
