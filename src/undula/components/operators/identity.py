"""Everything is measured: A = 1. What is not seen, an observation's precision of 0 says."""

from __future__ import annotations

__all__ = ["IdentityOperator"]

from dataclasses import dataclass

from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.types import Measured, Series


@register("operator", "identity")
@dataclass(frozen=True, kw_only=True)
class IdentityOperator(BaseOperator):
    """A = 1: the series itself."""

    projector = True
    pointwise = True

    def __call__(self, x: Series) -> Measured:
        """The series itself; see `BaseOperator`."""
        return x

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """What is given; see `BaseOperator`."""
        return y

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """What is given; see `BaseOperator`."""
        return y
