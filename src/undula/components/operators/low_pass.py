r"""Low frequencies are measured: an orthogonal projector in the cosine basis.

    A = Uᵀ diag(1 for k < K, 0 beyond) U,      U the orthonormal DCT-II of the window

A brick wall: A² = A to rounding, which no recursive filter is (a Butterworth filter applied forwards and
backwards leaves 18 % of the residual after one correction). Component k has the frequency k/(2L) cycles a
step; beyond its ends the window counts as mirrored, so that a level or a slope does not leak.

References:
    Ahmed, Natarajan, Rao (1974). Discrete cosine transform. doi:10.1109/T-C.1974.223784
"""

from __future__ import annotations

__all__ = ["LowPassOperator"]

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.errors import ConfigError, DataError
from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.transforms import dct, idct
from ...core.types import Measured, Positive, PositiveInt, Series


@register("operator", "low_pass")
@dataclass(frozen=True, kw_only=True)
class LowPassOperator(BaseOperator):
    """Keeps the low frequencies of each channel.

    Args:
        cutoff: the lowest frequency that is not measured, in cycles per unit of time.
        rate: steps per unit of time: 100 for hertz at 100 steps a second; 1: cycles a step.
        components: instead of `cutoff`, how many cosine components are measured.
    """

    projector = True

    cutoff: Positive | None = None
    rate: Positive = 1.0
    components: PositiveInt | None = None

    def __post_init__(self) -> None:
        if (self.cutoff is None) == (self.components is None):
            raise ConfigError(
                "low_pass: give either cutoff, a frequency, or components, how many cosines are measured"
            )
        if self.components is not None and self.rate != 1.0:
            raise ConfigError("low_pass: rate is the unit of cutoff, and has no effect with components")
        if self.cutoff is not None and self.cutoff >= self.rate / 2:
            raise ConfigError(
                f"low_pass: cutoff = {self.cutoff:g} is not below half the rate, {self.rate / 2:g}, the "
                "highest frequency that there is"
            )

    def count(self, length: int) -> int:
        """K, cosine components that are measured of a window of L steps.

        Raises:
            DataError: if there are none, or if all are.
        """
        if self.components is not None:
            number = self.components
        else:
            assert self.cutoff is not None
            number = math.ceil(2 * length * self.cutoff / self.rate - 1e-9)
        if not 0 < number < length:
            what = "all" if number >= length else "none"
            raise DataError(f"low_pass: {what} of the {length} components of a window would be measured")
        return number

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """The series' own; see `BaseOperator.shape`."""
        self.count(length)
        return channels, length

    def __call__(self, x: Series) -> Measured:
        """The low frequencies, as a series in time; see `BaseOperator`."""
        return idct(dct(x) * self._passes(x))

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """The same; see `BaseOperator`."""
        return self(y)

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """The same; see `BaseOperator`."""
        return self(y)

    def _passes(self, x: Series) -> Tensor:
        length = x.shape[-1]
        return (torch.arange(length, device=x.device) < self.count(length)).to(x)
