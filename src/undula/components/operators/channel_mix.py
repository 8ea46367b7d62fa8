"""Linear combinations of channels are measured, step by step: sums, differences, parts of a total."""

from __future__ import annotations

__all__ = ["ChannelMixOperator"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.errors import ConfigError, DataError
from ...core.kept import kept
from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.types import Measured, Series


@register("operator", "channel_mix")
@dataclass(frozen=True, kw_only=True)
class ChannelMixOperator(BaseOperator):
    """y = M x at every step.

    Args:
        matrix: M, a row of weights for each measured number: [[1, 1, 0]] is the sum of the first two of
            three channels.
    """

    matrix: list[list[float]]

    def __post_init__(self) -> None:
        if not self.matrix or not self.matrix[0] or len({len(row) for row in self.matrix}) > 1:
            raise ConfigError("channel_mix: the matrix needs rows of equal length, a weight for each channel")

    def __hash__(self) -> int:
        """Of its parameters."""
        return hash(repr(self))

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """(rows of M, L); see `BaseOperator.shape`."""
        if len(self.matrix[0]) != channels:
            raise DataError(
                f"channel_mix: the matrix has {len(self.matrix[0])} columns, the series {channels} channels: "
                "give a weight for each"
            )
        return len(self.matrix), length

    def __call__(self, x: Series) -> Measured:
        """M x; see `BaseOperator`."""
        self.shape(*x.shape[1:])
        return self._of(x) @ x

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """Mᵀ y; see `BaseOperator`."""
        return self._of(y).mT @ y

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """M⁺ y; see `BaseOperator`."""
        return kept(_inverse, self).to(y) @ y

    def _of(self, x: Series) -> Tensor:
        return torch.tensor(self.matrix, dtype=x.dtype, device=x.device)


def _inverse(operator: ChannelMixOperator) -> Tensor:
    return torch.linalg.pinv(torch.tensor(operator.matrix, dtype=torch.float64))
