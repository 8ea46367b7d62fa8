"""Pictures of profiles: the mean course over a day, a week or a window, with 80 % of the values."""

from __future__ import annotations

__all__ = ["Profile", "profile_chart", "save_profiles"]

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import plotly.graph_objects as go
from matplotlib.figure import Figure
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from .html import LAYOUT, as_html, rounded
from .plots import GENERATED, REAL, STYLE, TRAINING, save_figure

Array = NDArray[np.floating[Any]]

_SHOWN = 4
_COLOURS = {"training part": TRAINING, "generated": GENERATED, "synthetic": GENERATED}


@dataclass(frozen=True)
class Profile:
    """The course of sets of values over a day, a week or a window.

    Args:
        name: what it is.
        axis: what runs along it, with its unit.
        columns: names of the C columns.
        sets: mean, 10 % and 90 % quantile of each set, (3, X, C), in the data's units; NaN where nothing is.
    """

    name: str
    axis: str
    columns: list[str]
    sets: dict[str, Array]


def save_profiles(path: Path, profiles: Sequence[Profile]) -> None:
    """A PNG: a row a column, a profile beside the other."""
    columns = profiles[0].columns[:_SHOWN]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 0.6 + 2.6 * len(columns)))
        axes = figure.subplots(len(columns), len(profiles), squeeze=False)
        for place, profile in enumerate(profiles):
            for row, name in enumerate(columns):
                axis = axes[row, place]
                for what, values in profile.sets.items():
                    mean, low, high = values[:, :, row]
                    colour = _COLOURS.get(what, REAL)
                    axis.plot(mean, color=colour, lw=1.4, label=what)
                    axis.fill_between(np.arange(len(mean)), low, high, color=colour, alpha=0.12, lw=0)
                axis.set(xlabel=profile.axis, ylabel=name)
            axes[0, place].set_title(f"{profile.name}: mean, and 80 % of the values")
        axes[0, 0].legend(frameon=False)
        save_figure(figure, path)


def profile_chart(profiles: Sequence[Profile]) -> str:
    """A chart as a block of a page; empty without profiles."""
    if not profiles:
        return ""
    columns = profiles[0].columns[:_SHOWN]
    chart = make_subplots(rows=len(columns), cols=len(profiles), horizontal_spacing=0.08)
    for place, profile in enumerate(profiles, 1):
        for row, name in enumerate(columns):
            for what, values in profile.sets.items():
                first = place == 1 and row == 0
                _add(chart, what, values[:, :, row], first, {"row": row + 1, "col": place})
            chart.update_yaxes(title_text=name, row=row + 1, col=place)
            chart.update_xaxes(title_text=f"{profile.name}: {profile.axis}", row=row + 1, col=place)
    return as_html(chart.update_layout(**{**LAYOUT, "height": 120 + 260 * len(columns)}), "profiles")


def _add(chart: go.Figure, what: str, values: Array, first: bool, where: dict[str, int]) -> None:
    mean, low, high = values
    line = {"color": _COLOURS.get(what, REAL), "width": 2}
    edge = {**line, "width": 0.8, "dash": "dot"}
    chart.add_trace(
        go.Scatter(y=rounded(mean), mode="lines", line=line, name=what, legendgroup=what, showlegend=first),
        **where,
    )
    for end in (low, high):
        chart.add_trace(
            go.Scatter(y=rounded(end), mode="lines", line=edge, legendgroup=what, showlegend=False,
                       hoverinfo="skip"),
            **where,
        )  # fmt: skip
