"""What a field measures in its own way, for a judge that knows no field.

A field hands in statistics and distances of one column, with their words and units, and says of which columns
they are. What of a column is measured may be made from its windows first, such as returns of prices.
"""

from __future__ import annotations

__all__ = ["FieldFigures"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .names import About
from .statistics import Between, Statistic

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class FieldFigures:
    """Figures of a field.

    Args:
        about: words, and whether there is a unit, by name.
        statistics: of a column's windows (N, L), by name.
        distances: of two sets of a column's windows, by name.
        columns: places of the columns that they are of.
        names: of these columns.
        made: by place, how what is measured is made from a column's windows, (N, L) → (N, L'); all NaN if
            that cannot be done; columns that are not there are measured as they are.
        same: names of the judge's own figures that are the same thing, where all columns are measured as
            they are.
        notes: what is measured of what, a sentence each.
    """

    about: Mapping[str, About] = field(default_factory=dict)
    statistics: Mapping[str, Statistic] = field(default_factory=dict)
    distances: Mapping[str, Between] = field(default_factory=dict)
    columns: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    made: Mapping[int, Callable[[Array], Array]] = field(default_factory=dict)
    same: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def known_as(self, count: int) -> dict[str, str]:
        """The judge's own figures that are also the field's, of `count` columns, with the field's names."""
        if self.made or len(self.columns) < count:
            return {}
        return {own: name for name, own in self.same.items()}

    def words(self, name: str, count: int) -> str:
        """A figure in words, with its unit, and its column where that is one of several.

        Args:
            name: of the figure.
            count: columns of the data.
        """
        about = self.about[name]
        several = len(self.columns) > 1
        unit = (", in training sd" if several else ", in the data's unit") if about.unit else ""
        return about.words + unit + (f" ({self.names[0]})" if count > 1 and not several else "")

    def windows(self, windows: Array, column: int) -> Array:
        """What is measured of a column: (N, L')."""
        chosen: Array = windows[:, :, column]
        return self.made[column](chosen) if column in self.made else chosen
