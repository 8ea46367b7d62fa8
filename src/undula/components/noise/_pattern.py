r"""Time steps in groups that share a part of their noise.

    T = (1 − share) I + share P,   P_ij = 1 where i and j are in one group, else 0

A group of n steps has one direction, its mean, of eigenvalue 1 − share + share n; every other
direction has 1 − share. Hence every power of T is a multiple of the series plus a multiple of its
groups' means, and costs O(L).
"""

from __future__ import annotations

__all__ = ["TimePattern"]

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from ...core.types import Series


@dataclass(frozen=True, kw_only=True)
class TimePattern:
    """The covariance T over time.

    Args:
        kind: seasonal (steps a period apart are a group) or block (neighbours are).
        size: the period, or the steps in a block; the window may end within one.
        share: of the variance that a group shares, in (0, 1).
    """

    kind: Literal["seasonal", "block"]
    size: int
    share: float

    def power(self, x: Series, exponent: float) -> Series:
        """T^exponent x, over the last axis."""
        count = self._sums(torch.ones(1, 1, x.shape[-1], dtype=x.dtype, device=x.device))
        alone, together = self._eigenvalues(count)
        alone = alone**exponent
        return alone * x + (together**exponent - alone) / count * self._sums(x)

    def log_det(self, length: int) -> float:
        """Log det T."""
        count = self._sums(torch.ones(1, 1, length, dtype=torch.float64))
        alone, together = self._eigenvalues(count)
        return float((alone.log() + (together.log() - alone.log()) / count).sum())

    def _eigenvalues(self, count: Tensor) -> tuple[Tensor, Tensor]:
        alone = torch.full_like(count, 1.0 - self.share)
        return alone, alone + self.share * count

    def _sums(self, x: Series) -> Series:
        """The sum over each step's group, (B, C, L)."""
        length = x.shape[-1]
        parts = functional.pad(x, (0, -length % self.size)).unflatten(-1, (-1, self.size))
        sums = parts.sum(-1 if self.kind == "block" else -2, keepdim=True)
        return sums.expand_as(parts).flatten(-2)[..., :length]
