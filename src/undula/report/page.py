"""The page of a run: one file, no request to anywhere, readable by someone who was not there."""

from __future__ import annotations

__all__ = ["PageContent", "write_page"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ..core.files import write_text
from ..evaluation.judge import Judgement
from ..evaluation.statistics import LAGS, autocorrelation, deviations
from .histories import Histories, fan_chart, rolling_chart
from .html import LAYOUT, as_html, render, rounded
from .plots import GENERATED, REAL, TRAINING
from .words import SEVERAL_COLUMNS, rows, shift_in_words, tally_in_words

Array = NDArray[np.floating[Any]]

_SHOWN_WINDOWS, _SHOWN_COLUMNS, _QUANTILES = 8, 4, 400


@dataclass(frozen=True)
class PageContent:
    """What a page shows.

    Args:
        title: the experiment's name.
        description: a sentence.
        facts: (what, value) pairs of how it was made.
        notes: what was found in the data, a sentence each.
        columns: names of the features.
        real: held-out windows, (N, L, C).
        train: training windows, (N, L, C).
        generated: samples, (N, L, C).
        baselines: windows of each baseline, (N, L, C).
        judgement: the figures.
        curve: logged steps: dictionaries with `step`, `loss`, `val_loss`.
        config: the resolved config, as YAML.
        histories: of a conditional model; None: it is told no history.
        made: who made the samples: a half-sentence.
    """

    title: str
    description: str
    facts: list[tuple[str, str]]
    notes: list[str]
    columns: list[str]
    real: Array
    train: Array
    generated: Array
    baselines: dict[str, Array]
    judgement: Judgement
    curve: list[dict[str, float]]
    config: str
    histories: Histories | None = None
    made: str = "A diffusion model was trained"


def write_page(path: Path, content: PageContent) -> None:
    """Write the page atomically."""
    table = rows(content.judgement)
    charts = {
        "windows": _windows(content),
        "marginals": _marginals(content),
        "quantiles": _quantile_chart(content),
        "dynamics": _dynamics(content),
        "curve": _curve(content),
    }
    if content.histories is not None:
        charts["fans"], charts["rolling"] = fan_chart(content.histories), rolling_chart(content.histories)
    html = render(
        "page.html.j2",
        content=content,
        rows=table,
        tally=tally_in_words(content.judgement),
        columns_note=SEVERAL_COLUMNS if len(content.columns) > 1 else "",
        shift=shift_in_words(content.judgement),
        baselines=list(content.baselines),
        charts={name: as_html(chart, name) for name, chart in charts.items()},
    )
    write_text(path, html)


def _names(content: PageContent) -> list[str]:
    return content.columns[:_SHOWN_COLUMNS]


def _windows(content: PageContent) -> go.Figure:
    names = _names(content)
    chart = make_subplots(
        rows=len(names), cols=2, shared_yaxes=True, horizontal_spacing=0.04,
        subplot_titles=["real (held out)", "generated"],
    )  # fmt: skip
    sides = ((1, content.real, REAL), (2, content.generated, GENERATED))
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


def _marginals(content: PageContent) -> go.Figure:
    names = _names(content)
    chart = make_subplots(rows=1, cols=len(names), horizontal_spacing=0.08)
    sets = (("training part", content.train, TRAINING), ("held-out", content.real, REAL),
            ("generated", content.generated, GENERATED))  # fmt: skip
    for column, name in enumerate(names):
        values = {what: _flat(windows, column) for what, windows, _ in sets}
        low, high = np.quantile(np.concatenate(list(values.values())), [0.0002, 0.9998])
        edges = np.linspace(low, high, 61)
        middles = 0.5 * (edges[1:] + edges[:-1])
        for what, _, colour in sets:
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


def _quantile_chart(content: PageContent) -> go.Figure:
    names = _names(content)
    chart = make_subplots(rows=1, cols=len(names), horizontal_spacing=0.08)
    share = np.linspace(0.001, 0.999, _QUANTILES)
    for column, name in enumerate(names):
        y = np.quantile(_flat(content.generated, column), share)
        ends = [float(y[0]), float(y[-1])]
        first = column == 0
        chart.add_trace(
            go.Scatter(x=ends, y=ends, mode="lines", line={"color": "#999999", "dash": "dot"}, name="equal",
                       legendgroup="equal", showlegend=first),
            row=1, col=column + 1,
        )  # fmt: skip
        for what, windows, colour in (
            ("against the training part", content.train, TRAINING),
            ("against the held-out part", content.real, REAL),
        ):
            x = np.quantile(_flat(windows, column), share)
            chart.add_trace(
                go.Scatter(x=rounded(x), y=rounded(y), mode="markers", marker={"color": colour, "size": 4},
                           name=what, legendgroup=what, showlegend=first),
                row=1, col=column + 1,
            )  # fmt: skip
        chart.update_xaxes(title_text=f"real {name}, quantiles 0.1 % to 99.9 %", row=1, col=column + 1)
    chart.update_yaxes(title_text="generated", col=1)
    return chart.update_layout(**{**LAYOUT, "height": 380})


def _dynamics(content: PageContent) -> go.Figure:
    names = _names(content)
    titles = [label for name in names for label in (name, f"|{name} − mean|")]
    chart = make_subplots(rows=len(names), cols=2, subplot_titles=titles, horizontal_spacing=0.08)
    lags = np.arange(1, LAGS + 1)
    sets = {"held-out": content.real, "training part": content.train, "generated": content.generated}
    sets |= content.baselines
    colours = {"held-out": REAL, "training part": TRAINING, "generated": GENERATED}
    others = dict(zip(content.baselines, ("#8e44ad", "#16a085", "#c0392b"), strict=False))
    for row in range(len(names)):
        for column, transform in ((1, np.asarray), (2, deviations)):
            for what, windows in sets.items():
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


def _curve(content: PageContent) -> go.Figure:
    chart = go.Figure()
    for key, colour, what in (
        ("loss", "#888888", "training"),
        ("val_loss", REAL, "validation (fixed noise)"),
    ):
        points = [(line["step"], line[key]) for line in content.curve if key in line]
        if points:
            steps, values = zip(*points, strict=True)
            mode = "lines+markers" if len(points) < 10 else "lines"
            chart.add_trace(go.Scatter(x=steps, y=rounded(np.array(values)), mode=mode, name=what,
                                       line={"color": colour}))  # fmt: skip
    chart.update_xaxes(title_text="step")
    chart.update_yaxes(title_text="loss")
    return chart.update_layout(**{**LAYOUT, "height": 320})


def _evenly(windows: Array) -> Array:
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), _SHOWN_WINDOWS)).astype(int)
    return windows[chosen]


def _flat(windows: Array, column: int) -> Array:
    values = windows[:, :, column].ravel()
    flat: Array = values[~np.isnan(values)]
    return flat
