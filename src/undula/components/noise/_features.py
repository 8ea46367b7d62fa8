"""The covariance between features, as its principal components."""

from __future__ import annotations

__all__ = ["Features"]

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.types import Series

_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Features:
    """F = U diag(φ) Uᵀ, mean diagonal 1.

    Args:
        values: φ > 0, float64 (C,).
        vectors: U, float64 (C, C).
    """

    values: Tensor
    vectors: Tensor

    @classmethod
    def of(cls, covariance: Tensor, floor: float) -> Features:
        """A covariance (C, C), divided by its mean diagonal and mixed with the floor."""
        values, vectors = torch.linalg.eigh(covariance / covariance.diagonal().mean())
        return cls((1.0 - floor) * values.clamp(min=0.0) + floor, vectors)

    @classmethod
    def given(cls, rows: list[list[float]], floor: float) -> Features:
        """A user's matrix.

        Raises:
            ConfigError: if it is no covariance.
        """
        if not rows or any(len(row) != len(rows) for row in rows):
            lengths = [len(row) for row in rows]
            raise ConfigError(f"features is not a square matrix: its {len(rows)} rows have {lengths} numbers")
        matrix = torch.tensor(rows, dtype=torch.float64)
        small = _TOLERANCE * float(matrix.abs().max())
        asymmetric = float((matrix - matrix.mT).abs().max()) > small
        if not small or asymmetric or float(torch.linalg.eigvalsh(matrix).min()) < -small:
            raise ConfigError(
                f"features = {rows} is no covariance: give a symmetric matrix without negative eigenvalues"
            )
        return cls.of(matrix, floor)

    @property
    def diagonal(self) -> Tensor:
        """F's diagonal, (C,)."""
        return (self.vectors.square() * self.values).sum(1)

    def power(self, x: Series, exponent: float, way: Literal["to", "back", "both"] = "both") -> Series:
        """A power of F times x: of the features, or to or back from the principal components alone."""
        matrix = self.vectors * self.values**exponent
        matrix = {"back": matrix, "to": matrix.mT, "both": matrix @ self.vectors.mT}[way]
        return matrix.to(x) @ x
