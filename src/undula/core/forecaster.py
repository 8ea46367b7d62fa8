"""What a probabilistic forecast has to beat: anything with `fit` and `forecast`."""

from __future__ import annotations

__all__ = ["BaseForecaster"]

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .baseline import OnProgress
from .component import Component

Array = NDArray[np.floating[Any]]


class BaseForecaster(Component, ABC):
    """Sample paths of what follows a history, from something that is not a diffusion model."""

    kind: ClassVar[str] = "forecaster"

    slow: ClassVar[bool] = False
    """Whether a fit takes minutes: comparisons then give it one seed, unless told otherwise."""

    @abstractmethod
    def fit(
        self,
        series: list[Array],
        features: list[Array],
        history_len: int,
        horizon: int,
        seed: int = 0,
        on_progress: OnProgress | None = None,
    ) -> BaseForecaster:
        """Learn from training data.

        Args:
            series: unbroken stretches of the training part, each (T, C), in the user's units; they are
                not changed.
            features: what is known of the future too, such as the calendar, of the same rows: each
                (T, K); K may be 0.
            history_len: H, rows that a forecast will be told.
            horizon: L, rows to forecast.
            seed: of a fit that is random; the same seed gives the same forecaster.
            on_progress: told how far a long fit is.

        Raises:
            DataError: if the stretches or the history are too short, or cannot be learned from.
        """

    @abstractmethod
    def forecast(self, history: Array, features: Array, n: int, seed: int = 0) -> Array:
        """Sample paths (N, n, L, C), in the user's units.

        Those of a history depend on the seed, this history and its features alone: neither on its place
        nor on how many others there are. Sample s does not depend on n.

        Args:
            history: the last rows before each forecast, (N, H, C), in the user's units.
            features: of the history's rows and of those to forecast, (N, H + L, K).
            n: paths for each history.
            seed: of the draws.

        Raises:
            DataError: if shapes are not those of the fit, or values are missing.
        """

    def notes(self) -> list[str]:
        """What the fit chose or found, a sentence each."""
        return []
