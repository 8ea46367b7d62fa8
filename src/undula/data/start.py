r"""Values that are known when a window begins: which they are, and how a network is told them.

The columns of `roles.at_start` are told as one vector a window: their values in the last row *before* what is
generated. Of a window of log returns that is the row whose price the first return starts from, so nothing of
what is generated is told. The network sees

    u = (v − mean v)/sd v,    or, with at_start_scale: log,    u = (log v − mean log v)/sd log v

with moments over the starts of the training windows.
"""

from __future__ import annotations

__all__ = ["StartValues"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .options import StartScale

Array = NDArray[np.floating[Any]]


@dataclass
class StartValues:
    """The columns of `roles.at_start` and their scales.

    Args:
        columns: their names.
        scale: what is standardised: linear, or log.
        location: means over the training windows' starts, after the logarithm, (A,).
        spread: their standard deviations, (A,).
        lowest: of the training windows, in units, (A,).
        highest: likewise.
    """

    columns: list[str] = field(default_factory=list)
    scale: StartScale = "linear"
    location: list[float] = field(default_factory=list)
    spread: list[float] = field(default_factory=list)
    lowest: list[float] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)

    @classmethod
    def fit(cls, columns: Sequence[str], scale: StartScale, values: Array) -> StartValues:
        """Learn the scales from the starts of training windows (N, A).

        Raises:
            DataError: if a column is constant, or has no logarithm.
        """
        found = cls(list(columns), scale)
        found.check(values, "the training part")
        seen = np.log(values) if scale == "log" else values
        spread = seen.std(axis=0)
        for name, s, v in zip(columns, spread, values[0], strict=True):
            if not s > 0:
                raise DataError(
                    f"column {name!r} of roles.at_start is {v:g} before every training window: there is "
                    "nothing to learn from it, leave it out"
                )
        found.location, found.spread = seen.mean(axis=0).tolist(), spread.tolist()
        found.lowest, found.highest = values.min(axis=0).tolist(), values.max(axis=0).tolist()
        return found

    def check(self, values: Array, where: str) -> None:
        """Refuse values (N, A) without a logarithm where one is needed, and missing ones."""
        for name, column in zip(self.columns, values.T, strict=True):
            bad = column[~np.isfinite(column)]
            if len(bad):
                raise DataError(f"{where} has no finite value of {name!r} at the start of a window")
            if self.scale == "log" and (column <= 0).any():
                raise DataError(
                    f"at_start_scale: log needs positive values, {where} has {name!r} = {column.min():g}: "
                    "use at_start_scale: linear, or another value"
                )

    def scaled(self, values: Array) -> Array:
        """What the network sees of values (B, A)."""
        seen = np.log(values) if self.scale == "log" else values
        scaled: Array = (seen - np.array(self.location)) / np.array(self.spread)
        return scaled

    def middle(self, n: int) -> Array:
        """The mean of training n times, (n, A), for windows that are told nothing."""
        middle = np.array(self.location)
        return np.tile(np.exp(middle) if self.scale == "log" else middle, (n, 1))

    def outside(self, values: Array) -> list[str]:
        """A sentence for each column with values (N, A) that training has not seen."""
        found = []
        for name, column, low, high in zip(self.columns, values.T, self.lowest, self.highest, strict=True):
            beyond = column[(column < low) | (column > high)]
            if len(beyond):
                furthest = beyond[np.argmax(np.maximum(low - beyond, beyond - high))]
                found.append(
                    f"{name} = {furthest:g} at the start lies outside what training has seen, {low:g} to "
                    f"{high:g}: the model extrapolates"
                )
        return found
