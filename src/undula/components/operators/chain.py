"""Several measurements one after the other, such as a blur and then a coarser grid."""

from __future__ import annotations

__all__ = ["ChainOperator"]

from collections.abc import Sequence
from dataclasses import dataclass

from ...core.errors import ConfigError
from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.types import Measured, Series


@register("operator", "chain")
@dataclass(frozen=True, kw_only=True)
class ChainOperator(BaseOperator):
    """A = A_n … A_2 A_1; a list of operators stands for it.

    Args:
        parts: the operators, the one that sees the series first.
    """

    parts: Sequence[BaseOperator]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ConfigError("chain: give at least one operator")

    def __hash__(self) -> int:
        """Of its parts."""
        return hash(tuple(self.parts))

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """That of the last part; see `BaseOperator.shape`."""
        return self._shapes(channels, length)[-1]

    def __call__(self, x: Series) -> Measured:
        """A x; see `BaseOperator`."""
        for part in self.parts:
            x = part(x)
        return x

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """A₁ᵀ A₂ᵀ … Aₙᵀ y; see `BaseOperator`."""
        for part, shape in zip(reversed(self.parts), self._shapes(channels, length)[-2::-1], strict=True):
            y = part.adjoint(y, *shape)
        return y

    def _shapes(self, channels: int, length: int) -> list[tuple[int, int]]:
        """What each part sees, and what the last one gives."""
        shapes = [(channels, length)]
        for part in self.parts:
            shapes.append(part.shape(*shapes[-1]))
        return shapes
