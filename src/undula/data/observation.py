"""What was measured of series that are not known: y = A x + n, in the data's units."""

from __future__ import annotations

__all__ = ["Observation"]

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..core.errors import DataError
from ..core.operator import BaseOperator
from ..core.registry import Registry

Array = NDArray[np.floating[Any]]


class Observation:
    """Measurements of one series or of several.

    Args:
        values: y, (N, L', C') or (L', C') in the data's units; NaN where nothing was measured.
        operator: A, by name, as {type, params}, as a list of such, or as an object: `identity` unless given.
        sigma: standard deviation of the noise of each number, or one for all; 0: exact, the default.
        ivar: instead, 1/σ² of each number, as surveys give it; 0: nothing was measured.

    Attributes:
        values: (N, L', C').
        variance: of each number, (N, L', C'): 0 where it is exact, ∞ where nothing was measured.

    Raises:
        DataError: if shapes do not fit, or a σ or ivar is negative.
    """

    def __init__(
        self,
        values: ArrayLike,
        *,
        operator: str | Mapping[str, Any] | BaseOperator | list[Any] = "identity",
        sigma: ArrayLike | None = None,
        ivar: ArrayLike | None = None,
    ) -> None:
        y = np.asarray(values, float)
        self.values: Array = y[None] if y.ndim == 2 else y
        if self.values.ndim != 3 or not self.values.size:
            raise DataError(
                f"an observation of shape {y.shape}: expected (N, L, C), or (L, C) for one series"
            )
        if np.isinf(self.values).any():
            raise DataError("an observation has infinite values: leave them out as NaN")
        self.operator: BaseOperator = Registry.resolve("operator", operator)
        if sigma is not None and ivar is not None:
            raise DataError("an observation has sigma and ivar, two words for the same: give one of them")
        if ivar is not None:
            self.variance: Array = self._variance("ivar", ivar)
        else:
            self.variance = self._variance("sigma", 0.0 if sigma is None else sigma)

    def _variance(self, name: str, given: ArrayLike) -> Array:
        """Of each number, (N, L', C'): 0 where it is exact, ∞ where nothing was measured."""
        numbers = np.asarray(given, float)
        try:
            numbers = np.broadcast_to(numbers, self.values.shape).copy()
        except ValueError:
            raise DataError(
                f"{name} has shape {numbers.shape}, the observation {self.values.shape}: give one number, or "
                "one for each value"
            ) from None
        if (numbers < 0).any():
            raise DataError(
                f"{name} has negative numbers, the least is {np.nanmin(numbers):g}: give 0 where nothing was "
                "measured"
                if name == "ivar"
                else f"{name} has negative numbers: give standard deviations"
            )
        with np.errstate(divide="ignore"):
            variance = 1.0 / numbers if name == "ivar" else numbers**2
        variance[np.isnan(self.values) | np.isnan(numbers)] = np.inf
        return variance

    def check(self, channels: int, length: int) -> None:
        """Refuse an observation that is not of such series.

        Args:
            channels: C of the series.
            length: L of the series.

        Raises:
            DataError: if the operator gives other shapes of them.
        """
        shape, own = self.operator.shape(channels, length), self.values.shape[1:]
        if shape != (own[1], own[0]):
            name = Registry.name(self.operator)
            raise DataError(
                f"the observation has {own[0]} steps and {own[1]} columns; operator {name} makes {shape[1]} "
                f"steps and {shape[0]} columns of series of {length} steps and {channels} columns"
            )

    def take(self, index: NDArray[np.int64]) -> tuple[Array, Array]:
        """Values, 0 where nothing was measured, and variances of samples of these numbers, (B, L', C')."""
        rows = index % len(self.values)
        return np.nan_to_num(self.values[rows]), self.variance[rows]
