"""Where windows are laid to fill the holes of a series."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from undula.data.holes import Filling
from undula.data.stretches import Series


def series(rows: int, holes: list[slice], columns: int = 2) -> Series:
    values = np.arange(rows * columns, dtype=float).reshape(rows, columns)
    for hole in holes:
        values[hole] = np.nan
    time = pd.date_range("2024-01-01 05:00", periods=rows, freq="h")
    return Series("", values, np.arange(rows, dtype=float)[:, None], time)


def rounds(filling: Filling) -> int:
    """Fill with −1 until nothing is left; the number of rounds."""
    count = 0
    while places := filling.places():
        spans = sorted((p.start, p.start + filling.length) for p in places)
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans)), "windows of a round touch"
        for place in places:
            s, c = filling.paths.shape[0], filling.paths.shape[2]
            filling.fill(place, np.full((s, filling.length, c), -1.0))
        count += 1
        assert count < 1000
    return count


@pytest.mark.parametrize(
    "holes",
    [
        [slice(0, 3)],
        [slice(97, 100)],
        [slice(10, 12), slice(50, 90)],
        [slice(0, 100)],
        [slice(0, 100, 2)],
        [],
    ],
)
@pytest.mark.parametrize("align", [None, "day"])
def test_everything_is_filled_and_nothing_else(holes: list[slice], align: str | None) -> None:
    given = series(100, holes)
    filling = Filling.of(given, 3, 24, align)  # type: ignore[arg-type]
    rounds(filling)
    holed = np.isnan(given.values)
    assert filling.values.shape == (3, 100, 2)
    assert (filling.values[:, holed] == -1).all() and (
        filling.values[:, ~holed] == given.values[~holed]
    ).all()


def test_a_short_series_fits_into_one_window() -> None:
    filling = Filling.of(series(10, [slice(2, 4)]), 1, 24)
    assert rounds(filling) == 1 and filling.features.shape == (34, 1)
    assert filling.features[10:].max() == 9, "beyond the end the last features go on"


def test_a_hole_is_seen_from_both_sides() -> None:
    """It lies in the middle of its window, and wholly."""
    (place,) = Filling.of(series(100, [slice(40, 44)]), 1, 24).places()
    assert place.start == 34 and place.start + 24 == place.until


def test_of_a_long_hole_what_has_nothing_behind_it_waits() -> None:
    """The end of a window inside a hole is filled by the next, with what comes after in sight."""
    (place,) = Filling.of(series(100, [slice(40, 60)]), 1, 24).places()
    assert (place.start, place.until) == (34, 52)


def test_a_hole_longer_than_a_window_is_filled_from_its_beginning() -> None:
    """One window a round: its two ends are not drawn independently of one another."""
    filling = Filling.of(series(120, [slice(40, 110)]), 1, 24)
    assert len(filling.places()) == 1 and rounds(filling) == 6


def test_aligned_windows_begin_with_the_day() -> None:
    filling = Filling.of(series(100, [slice(30, 31), slice(2, 3)]), 1, 24, "day")
    assert [p.start - filling.lead for p in filling.places()] == [-5, 19], "midnight is 19 rows after 05:00"


def test_cells_of_one_column_alone_are_filled() -> None:
    given = series(50, [])
    given.values[5, 1] = np.nan
    filling = Filling.of(given, 2, 24)
    rounds(filling)
    assert (filling.values[:, 5, 0] == 10.0).all() and (filling.values[:, 5, 1] == -1.0).all()
