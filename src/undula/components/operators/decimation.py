"""Every k-th step is measured, or the mean of every k steps."""

from __future__ import annotations

__all__ = ["DecimationOperator"]

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge

from ...core.errors import ConfigError, DataError
from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.types import Measured, NonNegativeInt, Series


@register("operator", "decimation")
@dataclass(frozen=True, kw_only=True)
class DecimationOperator(BaseOperator):
    """A coarser grid of steps.

    Args:
        factor: k, steps of the series to one measurement.
        method: pick (every k-th step as it is) or mean (of k steps).
        offset: the first step that is picked.
    """

    factor: Annotated[int, Ge(2)]
    method: Literal["pick", "mean"] = "pick"
    offset: NonNegativeInt = 0

    def __post_init__(self) -> None:
        if self.offset and self.method == "mean":
            raise ConfigError("decimation: offset has no effect with method: mean: leave it out")
        if self.offset >= self.factor:
            raise ConfigError(f"decimation: offset = {self.offset} is not below the factor, {self.factor}")

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """(C, ⌈(L − offset)/k⌉); see `BaseOperator.shape`."""
        if self.method == "mean" and length % self.factor:
            raise DataError(
                f"decimation: {length} steps are no multiple of {self.factor}: use windows of such a length, "
                "or method: pick"
            )
        if self.offset >= length:
            raise DataError(f"decimation: offset = {self.offset} is beyond the {length} steps of the series")
        return channels, -(-(length - self.offset) // self.factor)

    def __call__(self, x: Series) -> Measured:
        """The measured steps or means; see `BaseOperator`."""
        self.shape(*x.shape[1:])
        if self.method == "pick":
            return x[..., self.offset :: self.factor]
        return x.unflatten(-1, (-1, self.factor)).mean(-1)

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """Zeros between the picked steps, or 1/k of the mean at each of its steps; see `BaseOperator`."""
        if self.method == "mean":
            return y.repeat_interleave(self.factor, -1) / self.factor
        x = y.new_zeros(*y.shape[:-1], length)
        x[..., self.offset :: self.factor] = y
        return x

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """The adjoint times k for means, else the adjoint; see `BaseOperator`."""
        x = self.adjoint(y, channels, length)
        return x * self.factor if self.method == "mean" else x
