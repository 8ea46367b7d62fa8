"""Series with holes: where windows are laid so that every hole is seen with what surrounds it.

Series are longer than windows. A round lays windows that do not touch each other, each from a quarter of
its length before a hole, and fills what it sees in their first three quarters (all, where nothing follows);
what is left is filled in the next round, given what was filled before. So every number is drawn given those
around it, as far as a window reaches: a stated approximation of drawing the whole series at once.
"""

from __future__ import annotations

__all__ = ["Filling", "Place"]

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .options import Align
from .splits import begins_of
from .stretches import Series

Array = NDArray[np.floating[Any]]


class Place(NamedTuple):
    """A window that is to be filled.

    Args:
        start: its first row in the padded series.
        until: the row before which it fills.
    """

    start: int
    until: int


@dataclass
class Filling:
    """A series, S times, while its holes are filled.

    Args:
        paths: (S, lead + T + L, C), NaN where nothing is known yet.
        features: (lead + T + L, K).
        lead: rows before the series that only a window reaches.
        rows: T.
        length: L of the windows.
        begins: rows with which windows may begin; None: all.
    """

    paths: Array
    features: Array
    lead: int
    rows: int
    length: int
    begins: NDArray[np.int64] | None = None

    @classmethod
    def of(cls, series: Series, count: int, length: int, align: Align | None = None) -> Filling:
        """Nothing filled yet.

        Args:
            series: with NaN where values are missing.
            count: S.
            length: L.
            align: what windows begin with.
        """
        t = len(series.values)
        lead = length if align is not None else 0
        padded = np.full((lead + t + length, series.values.shape[1]), np.nan)
        padded[lead : lead + t] = series.values
        features = series.features[np.clip(np.arange(len(padded)) - lead, 0, t - 1)]
        begins = None
        if align is not None:
            begins = lead + np.flatnonzero(begins_of(series.time, align, np.array([0])))
            begins = np.concatenate([[max(int(begins[0]) - length, 0)] if len(begins) else [lead], begins])
        return cls(np.repeat(padded[None], count, 0), features, lead, t, length, begins)

    @property
    def values(self) -> Array:
        """The series, (S, T, C)."""
        return self.paths[:, self.lead : self.lead + self.rows]

    def places(self) -> list[Place]:
        """Windows of one round, which share no row; none when all is filled."""
        missing = np.isnan(self.paths[0])
        holed, blank = missing.any(1), missing.all(1)
        holed[: self.lead] = holed[self.lead + self.rows :] = False
        found: list[Place] = []
        free = 0
        for row in np.flatnonzero(holed):
            place = self._around(int(row), holed, blank, free)
            if place is not None:
                found.append(place)
                free = place.start + self.length
        return found

    def fill(self, place: Place, windows: Array) -> None:
        """Take what a place fills from windows (S, L, C); what is known stays as it is."""
        rows = slice(place.start, place.until)
        old = self.paths[:, rows]
        self.paths[:, rows] = np.where(np.isnan(old), windows[:, : place.until - place.start], old)

    def _around(
        self, row: int, holed: NDArray[np.bool_], blank: NDArray[np.bool_], free: int
    ) -> Place | None:
        """The window for a hole that begins in this row; None: it has to wait.

        It would touch the window before, or begin where nothing is known yet: a long hole is filled from its
        beginning, so that its two ends are not drawn independently.
        """
        end = self.lead + self.rows
        if self.begins is not None:
            start = int(self.begins[np.searchsorted(self.begins, row, side="right") - 1])
            return Place(start, start + self.length) if start >= free else None
        start = max(min(row - self.length // 4, end - self.length), 0)
        if start < free or (start > 0 and blank[start]):
            return None
        until = start + self.length
        whole = until >= end or not holed[until - 1]
        return Place(start, until if whole else max(start + 3 * self.length // 4, row + 1))
