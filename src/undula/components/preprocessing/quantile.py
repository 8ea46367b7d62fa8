r"""Every marginal standard normal, atoms included.

See `_quantile` for the map, its atoms and tails, and `_grid` for the values that a column can take.
"""

from __future__ import annotations

__all__ = ["QuantilePreprocessor"]

from typing import Annotated

from annotated_types import Ge
from torch import Tensor

from ...core.condition import Condition
from ...core.preprocessing import BasePreprocessor
from ...core.registry import register
from ...core.types import Fraction, Mask, Series
from ._grid import Snap, ValueGrid
from ._quantile import KNOTS, NormalScores, Tails


@register("preprocessing", "quantile")
class QuantilePreprocessor(BasePreprocessor):
    """Each feature's distribution to a standard normal; atoms own intervals of normal scores.

    Args:
        tails: beyond the data, linear (locally Gaussian) or gpd (a generalised Pareto law fitted to
            the outer rows, which it replaces).
        tail: outer share of the rows on either side that says how the map goes on.
        atom: least share of the rows that makes a value an atom.
        snap: whether the inverse rounds to the values that a column can take: auto where the
            training data speak for it, true in every column or refused, false nowhere.
        knots: the most points of the map besides atoms; few (33) keep it smooth, for series whose marginal
            is the shape of one path, such as prices.
        wander: columns whose root mean square step is below this share of their standard deviation are
            standardised and no more; 0: none.
    """

    def __init__(
        self,
        tails: Tails = "linear",
        tail: Fraction = 0.02,
        atom: Fraction = 0.005,
        snap: Snap = "auto",
        knots: Annotated[int, Ge(3)] = KNOTS,
        wander: Fraction = 0.0,
    ) -> None:
        self.tails, self.tail, self.atom, self.snap = tails, tail, atom, snap
        self.knots, self.wander = knots, wander
        self.normal = NormalScores(tails, tail, atom, knots, wander)
        self.grid = ValueGrid()
        self.snaps = True

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> QuantilePreprocessor:
        """Learn each feature's distribution; see `BasePreprocessor.fit`."""
        self.grid.fit(x, valid, self.snap, self.columns)
        self.normal.fit(x, valid)
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to normal scores."""
        return self.normal.transform(x)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From normal scores to the user's units."""
        return self.grid.snap(self.normal.inverse_transform(z))

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Log |det ∂z/∂x| of each member, (B,); atoms count as the line through their neighbours."""
        return self.normal.log_det(x)

    def notes(self) -> list[str]:
        """What values the features can take."""
        return self.grid.words(self.columns)
