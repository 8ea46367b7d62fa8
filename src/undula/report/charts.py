"""Interactive charts of real and generated windows, which several pages show."""

from __future__ import annotations

__all__ = ["Sets", "dynamics_chart", "marginals_chart", "quantiles_chart", "windows_chart"]

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ..evaluation.statistics import LAGS, autocorrelation, deviations
from .html import LAYOUT, rounded
from .plots import GENERATED, REAL, TRAINING

Array = NDArray[np.floating[Any]]

_COLOURS = ("#8e44ad", "#16a085", "#c0392b", "#b8860b", "#2c3e50", "#e377c2")
_SHOWN_WINDOWS, _SHOWN_COLUMNS, _QUANTILES = 8, 4, 400


@dataclass(frozen=True)
class Sets:
    """What the charts show.

    Args:
        columns: names of the features.
        real: real windows, (N, L, C).
        train: training windows, (N, L, C); None: they are the real ones.
        generated: samples, (N, L, C).
        baselines: windows of each baseline, (N, L, C).
        real_label: what the real windows are called.
        label: what the generated ones are called.
    """

    columns: list[str]
    real: Array
    train: Array | None
    generated: Array
    baselines: dict[str, Array]
    real_label: str = "held-out"
    label: str = "generated"

    @property
    def shown(self) -> list[tuple[str, Array, str]]:
        """Name, windows and colour of each set, the generated one last."""
        train = [] if self.train is None else [("training part", self.train, TRAINING)]
        return [*train, (self.real_label, self.real, REAL), (self.label, self.generated, GENERATED)]


def _names(sets: Sets) -> list[str]:
    return sets.columns[:_SHOWN_COLUMNS]


def windows_chart(sets: Sets) -> go.Figure:
    """A few windows of either side."""
    names = _names(sets)
    chart = make_subplots(
        rows=len(names), cols=2, shared_yaxes=True, horizontal_spacing=0.04,
        subplot_titles=[sets.real_label, sets.label],
    )  # fmt: skip
    sides = ((1, sets.real, REAL), (2, sets.generated, GENERATED))
    for row, name in enumerate(names):
        for column, windows, colour in sides:
            for window in _evenly(windows)[:, :, row]:
                line = {"color": colour, "width": 1}
                chart.add_trace(
                    go.Scatter(y=rounded(window), mode="lines", line=line, opacity=0.6, showlegend=False),
                    row=row + 1, col=column,
                )  # fmt: skip
        chart.update_yaxes(title_text=name, row=row + 1, col=1)
    chart.update_xaxes(title_text="step", row=len(names))
    return chart.update_layout(**{**LAYOUT, "height": 120 + 220 * len(names)})


def marginals_chart(sets: Sets) -> go.Figure:
    """Densities of the values, on a logarithmic axis."""
    names = _names(sets)
    chart = make_subplots(rows=1, cols=len(names), horizontal_spacing=0.08)
    shown = sets.shown
    for column, name in enumerate(names):
        values = {what: _flat(windows, column) for what, windows, _ in shown}
        low, high = np.quantile(np.concatenate(list(values.values())), [0.0002, 0.9998])
        edges = np.linspace(low, high, 61)
        middles = 0.5 * (edges[1:] + edges[:-1])
        for what, _, colour in shown:
            density = np.histogram(values[what], edges, density=True)[0]
            density = np.where(density > 0, density, np.nan)
            line = {"color": colour, "shape": "hvh", "width": 1.2 if what == "training part" else 2}
            chart.add_trace(
                go.Scatter(x=rounded(middles), y=rounded(density), mode="lines", line=line, name=what,
                           legendgroup=what, showlegend=column == 0),
                row=1, col=column + 1,
            )  # fmt: skip
        chart.update_xaxes(title_text=name, row=1, col=column + 1)
    chart.update_yaxes(type="log", dtick=1, exponentformat="power")
    chart.update_yaxes(title_text="density", col=1)
    return chart.update_layout(**{**LAYOUT, "height": 360})


def quantiles_chart(sets: Sets) -> go.Figure:
    """Quantiles against quantiles."""
    names = _names(sets)
    chart = make_subplots(rows=1, cols=len(names), horizontal_spacing=0.08)
    share = np.linspace(0.001, 0.999, _QUANTILES)
    for column, name in enumerate(names):
        y = np.quantile(_flat(sets.generated, column), share)
        ends = [float(y[0]), float(y[-1])]
        first = column == 0
        chart.add_trace(
            go.Scatter(x=ends, y=ends, mode="lines", line={"color": "#999999", "dash": "dot"}, name="equal",
                       legendgroup="equal", showlegend=first),
            row=1, col=column + 1,
        )  # fmt: skip
        for label, windows, colour in sets.shown[:-1]:
            what = f"against {label}"
            x = np.quantile(_flat(windows, column), share)
            chart.add_trace(
                go.Scatter(x=rounded(x), y=rounded(y), mode="markers", marker={"color": colour, "size": 4},
                           name=what, legendgroup=what, showlegend=first),
                row=1, col=column + 1,
            )  # fmt: skip
        chart.update_xaxes(title_text=f"real {name}, quantiles 0.1 % to 99.9 %", row=1, col=column + 1)
    chart.update_yaxes(title_text=f"{sets.label}, same unit", col=1)
    return chart.update_layout(**{**LAYOUT, "height": 380})


def dynamics_chart(sets: Sets) -> go.Figure:
    """Autocorrelation of values and of their absolute deviations."""
    names = _names(sets)
    titles = [label for name in names for label in (name, f"|{name} − mean|")]
    chart = make_subplots(rows=len(names), cols=2, subplot_titles=titles, horizontal_spacing=0.08)
    lags = np.arange(1, LAGS + 1)
    lines = {what: windows for what, windows, _ in reversed(sets.shown)} | sets.baselines
    colours = {what: colour for what, _, colour in sets.shown}
    others = dict(zip(sets.baselines, itertools.cycle(_COLOURS), strict=False))
    for row in range(len(names)):
        for column, transform in ((1, np.asarray), (2, deviations)):
            for what, windows in lines.items():
                rho = autocorrelation(transform(windows[:, :, row]))
                main = what in colours
                line = {
                    "color": colours.get(what) or others.get(what),
                    "width": 2 if main else 1.5,
                    "dash": "solid" if main else "dot",
                }
                chart.add_trace(
                    go.Scatter(x=lags, y=rounded(rho), mode="lines+markers" if main else "lines", line=line,
                               name=what, legendgroup=what, showlegend=row == 0 and column == 1),
                    row=row + 1, col=column,
                )  # fmt: skip
    chart.update_xaxes(title_text="lag (steps)", row=len(names))
    chart.update_yaxes(title_text="autocorrelation", col=1)
    layout = {**LAYOUT, "height": 180 + 240 * len(names), "margin": {**LAYOUT["margin"], "t": 90}}
    return chart.update_layout(**{**layout, "legend": {**LAYOUT["legend"], "y": 1.25}})


def _evenly(windows: Array) -> Array:
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), _SHOWN_WINDOWS)).astype(int)
    return windows[chosen]


def _flat(windows: Array, column: int) -> Array:
    values = windows[:, :, column].ravel()
    flat: Array = values[~np.isnan(values)]
    return flat
