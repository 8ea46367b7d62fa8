"""A picture of missing values that were filled in."""

from __future__ import annotations

__all__ = ["save_fillings"]

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .plots import GENERATED, REAL, STYLE, save_figure

Array = NDArray[np.floating[Any]]

_ROWS, _COLUMNS = 300, 6
_LOW, _HIGH = 0.05, 0.95


def save_fillings(
    path: Path, known: Array, paths: Array, columns: list[str], time: NDArray[Any] | None = None
) -> Path:
    """What is known of a series, and what was filled in, with 90 % intervals; the stretch with most holes.

    Args:
        path: of the PNG.
        known: the series, (T, C) in the data's units, NaN where values are missing.
        paths: fillings, (S, T, C).
        columns: names of the C columns.
        time: stamps, (T,); None: rows are counted.

    Returns:
        The path.
    """
    holes = np.isnan(known)
    first = _busiest(holes)
    rows = slice(first, first + _ROWS)
    at = np.arange(len(known))[rows] if time is None else time[rows]
    most = np.argsort(-holes[rows].sum(0), kind="stable")[:_COLUMNS]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 1.2 + 1.7 * len(most)))
        axes = figure.subplots(len(most), 1, sharex=True, squeeze=False)[:, 0]
        for axis, column in zip(axes, sorted(most), strict=True):
            hole = holes[rows, column]
            low, middle, high = np.quantile(paths[:, rows, column], [_LOW, 0.5, _HIGH], axis=0)
            wide = _with_neighbours(hole)
            axis.plot(at, known[rows, column], ".-", color=REAL, markersize=3, linewidth=1, label="known")
            axis.plot(at, np.where(wide, middle, np.nan), color=GENERATED, linewidth=1)
            axis.plot(at, np.where(hole, middle, np.nan), ".", color=GENERATED, markersize=3,
                      label="filled in, median")  # fmt: skip
            axis.fill_between(at, np.where(wide, low, np.nan), np.where(wide, high, np.nan),
                              color=GENERATED, alpha=0.25, linewidth=0, label="90 % interval")  # fmt: skip
            axis.set_ylabel(columns[column])
        axes[-1].set_xlabel("row" if time is None else "time")
        axes[0].legend(loc="upper left", bbox_to_anchor=(0, 1.35), ncols=3, frameon=False)
        save_figure(figure, path)
    return path


def _busiest(holes: NDArray[np.bool_]) -> int:
    """The first row of the stretch of `_ROWS` with most holes, (T, C)."""
    counts = np.concatenate([[0], np.cumsum(holes.sum(1))])
    starts = np.arange(max(len(holes) - _ROWS, 0) + 1)
    return int(np.argmax(counts[np.minimum(starts + _ROWS, len(holes))] - counts[starts]))


def _with_neighbours(hole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Holes and the rows beside them, so that lines reach what is known."""
    wide = hole.copy()
    wide[:-1] |= hole[1:]
    wide[1:] |= hole[:-1]
    return wide
