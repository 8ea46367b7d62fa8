r"""Linear operators: which numbers of a series are measured, and how.

    y = A x + n,      x (C, L) in the user's units,      y (C', L')

One object serves data, losses, samplers and reports, so that they cannot disagree about what was measured.
An operator knows nothing but its own mathematics: it acts on batches (B, C, L), any C and L that it fits.
`adjoint` is Aᵀ for the plain inner products, `pseudo_inverse` the Moore–Penrose A⁺, `gram` A Aᵀ.

References:
    Penrose (1955). A generalized inverse for matrices. doi:10.1017/S0305004100030401
"""

from __future__ import annotations

__all__ = ["BaseOperator"]

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor

from .component import Component
from .errors import DataError
from .kept import kept
from .types import Measured, Series

_LARGEST_MATRIX = 4096
_RELATIVE = 1e-10
"""Singular values below this share of the largest count as zero."""


class BaseOperator(Component, ABC):
    """A linear map of series.

    Attributes:
        projector: whether A = Aᵀ = A²: what it measures is a part of the series, in its own place.
        pointwise: whether A is diagonal: each number of y is one of x times a factor.
    """

    kind: ClassVar[str] = "operator"

    projector: ClassVar[bool] = False
    pointwise: ClassVar[bool] = False

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """(C', L') of what is measured of series of C channels and L steps.

        Raises:
            DataError: if it does not fit such series.
        """
        return channels, length

    @abstractmethod
    def __call__(self, x: Series) -> Measured:
        """A x, (B, C', L')."""

    @abstractmethod
    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """Aᵀ y, (B, C, L).

        Args:
            y: of the shape of measurements, (B, C', L').
            channels: C.
            length: L.
        """

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """A⁺ y, (B, C, L): of all x whose A x is nearest to y the smallest.

        Unless an operator says how, by the singular values of its matrix, which is kept.

        Raises:
            DataError: if that matrix would be too large.
        """
        inverse = kept(_pseudo_inverse, self, channels, length).to(y)
        return (y.flatten(1) @ inverse.mT).unflatten(1, (channels, length))

    def gram(self, y: Measured, channels: int, length: int) -> Measured:
        """A Aᵀ y, (B, C', L')."""
        return self(self.adjoint(y, channels, length))


def _pseudo_inverse(operator: BaseOperator, channels: int, length: int) -> Tensor:
    """(C L, C' L') in double precision."""
    size = channels * length
    if size > _LARGEST_MATRIX:
        raise DataError(
            f"{type(operator).__name__} finds its pseudo-inverse from its matrix, and {channels} × {length} "
            f"numbers are too many for that (at most {_LARGEST_MATRIX}): use shorter windows, or give it a "
            "pseudo_inverse of its own"
        )
    with torch.inference_mode(False), torch.no_grad():
        columns = operator(torch.eye(size, dtype=torch.float64).unflatten(1, (channels, length)))
        return torch.linalg.pinv(columns.flatten(1).mT, rtol=_RELATIVE)
