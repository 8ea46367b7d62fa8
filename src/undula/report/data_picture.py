"""The picture of `undula data check`: series with its parts, distributions, autocorrelations."""

from __future__ import annotations

__all__ = ["save_data_picture"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..data.prepare import PreparedData
from ..data.windows import WindowDataset
from ..evaluation.statistics import autocorrelation, deviations
from .plots import REAL, STYLE, save_figure

Array = NDArray[np.floating[Any]]

_COLOURS = {"train": REAL, "val": "#2a9d5c", "test": "#7b3f98"}
_SHOWN, _LAGS, _MOST_POINTS, _MOST_STRETCHES = 4, 50, 100_000, 200
_BINS = 60
_LEGEND: Any = {"framealpha": 0.85, "edgecolor": "none"}


def save_data_picture(path: Path, prepared: PreparedData, title: str, shown: Sequence[str]) -> None:
    """A row a column: the series in the parts' colours, the distribution, the autocorrelations.

    Args:
        path: of the PNG.
        prepared: the data, cut into parts.
        title: of the picture.
        shown: names of the parts whose distribution is drawn; autocorrelations are of the first one.
    """
    parts = {
        name: part
        for name, part in (
            ("train", prepared.parts.train),
            ("val", prepared.parts.val),
            ("test", prepared.parts.test),
        )
        if part is not None
    }
    with mpl.rc_context(STYLE):
        columns = prepared.panel.columns[:_SHOWN]
        figure = Figure(figsize=(14, 0.7 + 2.9 * len(columns)))
        axes = figure.subplots(len(columns), 3, squeeze=False, width_ratios=[2.2, 1, 1])
        rows = {name: part.stretches() for name, part in parts.items() if name in shown}
        for j, name in enumerate(columns):
            _series(axes[j, 0], prepared, parts, j, name)
            _distribution(axes[j, 1], rows, j, name)
            first = next(iter(rows))
            _correlations(axes[j, 2], rows[first], j, name, first)
        every = prepared.panel.columns
        figure.suptitle(
            title if len(columns) == len(every) else f"{title}: {len(columns)} of {len(every)} columns"
        )
        save_figure(figure, path)


def _series(
    axis: Axes, prepared: PreparedData, parts: dict[str, WindowDataset], column: int, name: str
) -> None:
    """All rows of the first series, those of a part's windows in its colour."""
    panel = prepared.panel
    first = panel.series[0].name
    count = sum(len(series.values) for series in panel.series if series.name == first)
    dataset = parts["train"]
    x = np.arange(count) if dataset.stamps is None else np.asarray(dataset.stamps[:count])
    y = np.asarray(dataset.values[:count, column])
    every = max(1, count // _MOST_POINTS)
    axis.plot(x[::every], y[::every], lw=0.5, color="#c8c8c8")
    for part_name, part in parts.items():
        covered = np.zeros(count + 1, int)
        last = np.minimum(part.starts + part.history_len + part.lengths, count)
        np.add.at(covered, np.minimum(part.starts, count), 1)
        np.add.at(covered, last, -1)
        inside = np.cumsum(covered[:-1]) > 0
        if not inside.any():
            continue
        axis.plot(
            x[::every],
            np.where(inside, y, np.nan)[::every],
            lw=0.6,
            color=_COLOURS[part_name],
            label=part_name,
        )
        if part_name != "train":
            axis.axvline(x[int(inside.argmax())], color=_COLOURS[part_name], lw=1.0, ls="--")
    which = f"series {first}: " if first and not panel.independent else ""
    axis.set(
        title=f"{which}{count:,} rows" + (f", every {every}th drawn" if every > 1 else ""),
        xlabel="row" if dataset.stamps is None else "time",
        ylabel=name,
    )
    for line in axis.legend(loc="upper left", ncols=3, **_LEGEND).get_lines():
        line.set_linewidth(2.0)


def _distribution(axis: Axes, rows: dict[str, list[Array]], column: int, name: str) -> None:
    values = {part: np.concatenate(stretches)[:, column] for part, stretches in rows.items()}
    values = {part: x[~np.isnan(x)] for part, x in values.items()}
    everything = np.concatenate(list(values.values()))
    edges = np.linspace(everything.min(), everything.max(), _BINS)
    for part, x in values.items():
        axis.hist(
            x,
            edges.tolist(),
            density=True,
            histtype="step",
            color=_COLOURS[part],
            label=f"{part} ({len(x):,})",
        )
    axis.set(yscale="log", xlabel=name, ylabel="density (log scale)", title="distribution")
    axis.legend(**_LEGEND)


def _correlations(axis: Axes, stretches: list[Array], column: int, name: str, part: str) -> None:
    chosen = sorted(stretches, key=len, reverse=True)[:_MOST_STRETCHES]
    longest = len(chosen[0])
    x = np.full((len(chosen), longest), np.nan)
    for i, stretch in enumerate(chosen):
        x[i, : len(stretch)] = stretch[:, column]
    lags = min(_LAGS, longest - 1)
    for values, colour, label in ((x, REAL, name), (deviations(x), "#b2460e", f"|{name} − mean|")):
        axis.plot(np.arange(1, lags + 1), autocorrelation(values, lags), color=colour, lw=1.2, label=label)
    bound = 1.96 / np.sqrt(np.count_nonzero(~np.isnan(x)))
    axis.axhspan(-bound, bound, color="grey", alpha=0.2, lw=0, label="95 % if independent")
    axis.axhline(0, color="grey", lw=0.6)
    axis.set(xlabel="lag (steps)", ylabel="autocorrelation", title=f"autocorrelation, {part} part")
    axis.legend(**_LEGEND)
