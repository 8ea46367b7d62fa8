"""Some steps and some channels are measured: A is diagonal, 1 where it looks and 0 elsewhere."""

from __future__ import annotations

__all__ = ["SelectionOperator"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.errors import ConfigError, DataError
from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.types import Measured, Series


@register("operator", "selection")
@dataclass(frozen=True, kw_only=True)
class SelectionOperator(BaseOperator):
    """Keeps what is selected and sets the rest to 0.

    Args:
        steps: stretches [start, stop) of steps, negative numbers from the end, a stop of null at the end;
            null: all.
        channels: numbers of channels, from 0; null: all.
    """

    projector = True
    pointwise = True

    steps: list[tuple[int, int | None]] | None = None
    channels: list[int] | None = None

    def __post_init__(self) -> None:
        if self.steps is None and self.channels is None:
            raise ConfigError("selection: give steps, such as [[0, 12]], or channels, such as [0, 2]")

    def __hash__(self) -> int:
        """Of its parameters."""
        return hash(repr(self))

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """The series' own; see `BaseOperator.shape`."""
        for start, stop in self.steps or ():
            first, last, _ = slice(start, stop).indices(length)
            if not (-length <= start < length and first < last and (stop is None or stop <= length)):
                raise DataError(
                    f"selection: steps [{start}, {'null' if stop is None else stop}] do not lie in a series "
                    f"of {length} steps: give a start before the stop, both from 0 to {length}"
                )
        if wrong := [c for c in self.channels or () if not 0 <= c < channels]:
            raise DataError(
                f"selection: there is no channel {wrong[0]} of {channels}: give numbers from 0 to "
                f"{channels - 1}"
            )
        return channels, length

    def __call__(self, x: Series) -> Measured:
        """The selected numbers, 0 elsewhere; see `BaseOperator`."""
        return x * self._where(x)

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """The same; see `BaseOperator`."""
        return self(y)

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """The same; see `BaseOperator`."""
        return self(y)

    def _where(self, x: Series) -> Tensor:
        self.shape(*x.shape[1:])
        along = torch.ones(x.shape[2], dtype=x.dtype)
        if self.steps is not None:
            along.zero_()
            for start, stop in self.steps:
                along[start:stop] = 1.0
        across = torch.ones(x.shape[1], 1, dtype=x.dtype)
        if self.channels is not None:
            across.zero_()
            across[self.channels] = 1.0
        return (across * along).to(x.device)
