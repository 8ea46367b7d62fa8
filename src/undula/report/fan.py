"""A picture of a forecast: what was known, the median, intervals and a few paths."""

from __future__ import annotations

__all__ = ["save_fan"]

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .plots import GENERATED, REAL, STYLE, save_figure

Array = NDArray[np.floating[Any]]

_COLUMNS, _PATHS = 6, 5
_BANDS = ((0.05, 0.95, "90 % interval", 0.2), (0.25, 0.75, "50 % interval", 0.35))


def save_fan(
    path: Path,
    history: Array,
    history_time: NDArray[Any],
    paths: Array,
    time: NDArray[Any],
    columns: list[str],
    title: str = "",
    stamped: bool = True,
) -> Path:
    """The end of a history and the paths after it, a row a column.

    Args:
        path: of the PNG.
        history: (H, C) in the data's units.
        history_time: (H,).
        paths: (S, L, C).
        time: (L,).
        columns: names of the C columns.
        title: of the picture.
        stamped: whether times are stamps; if not they are steps.

    Returns:
        The path.
    """
    with mpl.rc_context(STYLE):
        shown = columns[:_COLUMNS]
        figure = Figure(figsize=(8, 1.2 + 2.0 * len(shown)))
        axes = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        at = np.concatenate([history_time[-1:], time])
        for c, axis in enumerate(axes):
            joined = np.concatenate(
                [np.broadcast_to(history[-1:, c], (len(paths), 1)), paths[..., c]], axis=1
            )
            axis.plot(history_time, history[:, c], color=REAL, linewidth=1, label="history")
            for low, high, label, alpha in _BANDS:
                edges = np.quantile(joined, [low, high], axis=0)
                axis.fill_between(at, *edges, color=GENERATED, alpha=alpha, linewidth=0, label=label)
            axis.plot(at, joined[:_PATHS].T, color=GENERATED, linewidth=0.5, alpha=0.7)
            axis.plot(at, np.median(joined, axis=0), color=GENERATED, linewidth=1.6, label="median")
            axis.set_ylabel(shown[c])
        axes[-1].set_xlabel("time" if stamped else "step")
        axes[-1].tick_params(axis="x", rotation=20 if stamped else 0)
        axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=4, frameon=False)
        if title:
            figure.suptitle(title)
        save_figure(figure, path)
    return path
