"""What a diffusion model has to beat: anything with `fit` and `sample`."""

from __future__ import annotations

__all__ = ["BaseBaseline", "OnProgress"]

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .component import Component

Array = NDArray[np.floating[Any]]

OnProgress = Callable[[float, str], None]
"""Called with the share of a fit that is done, in [0, 1], and the latest numbers in words."""


class BaseBaseline(Component, ABC):
    """A generator of windows that is not a diffusion model."""

    kind: ClassVar[str] = "baseline"

    copies: ClassVar[str] = "nothing"
    """What of the training data comes back as it was, in words; shown by `undula baselines`."""

    slow: ClassVar[bool] = False
    """Whether a fit takes minutes: comparisons then give it one seed, unless told otherwise."""

    @abstractmethod
    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> BaseBaseline:
        """Learn from training data.

        Args:
            series: unbroken stretches of the training part, each (T, C), in the user's units; they are
                not changed.
            length: L, of the windows to generate.
            seed: of a fit that is random; the same seed gives the same baseline.
            on_progress: told how far a long fit is.

        Raises:
            DataError: if the stretches are too short, or what they hold cannot be learned from.
        """

    @abstractmethod
    def sample(self, n: int, seed: int = 0) -> Array:
        """Generate windows (n, L, C), in the user's units; sample i depends on the seed and i alone."""

    def notes(self) -> list[str]:
        """What the fit chose or found, a sentence each."""
        return []
