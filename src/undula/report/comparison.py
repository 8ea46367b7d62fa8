"""The page of a comparison: one file, no request to anywhere."""

from __future__ import annotations

__all__ = ["ComparisonContent", "RunFacts", "write_comparison_page"]

import json
import math
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..core.files import write_text
from ..evaluation.comparing import Compared
from .comparison_words import caveats, difference_in_words, mean_in_words, verdict
from .html import LAYOUT, as_html, render, rounded
from .words import name_in_words, number

_COLOURS = ("#1f5a99", "#d95f0e", "#16a085", "#8e44ad", "#c0392b", "#b7950b", "#34495e", "#e377c2")
_LINES = ("dot", "dashdot", "longdash", "longdashdot")
_COLUMNS, _SHORT, _TITLE = 3, 12, 44


@dataclass(frozen=True)
class RunFacts:
    """A run of a comparison.

    Args:
        label: of its config.
        seed: of the run.
        folder: of the run.
        status: finished, or what became of it.
        parameters: of the network.
        steps: of the training.
        train_s: seconds of the training.
        calls: of the network a sample.
        sample_s_per_1000: seconds of 1,000 samples.
    """

    label: str
    seed: int
    folder: str
    status: str
    parameters: int | None = None
    steps: int | None = None
    train_s: float | None = None
    calls: int | None = None
    sample_s_per_1000: float | None = None


@dataclass(frozen=True)
class ComparisonContent:
    """What a page shows.

    Args:
        title: of the comparison.
        compared: the figures.
        differences: keys in which the configs differ, with their values by label.
        sources: what the user named, by label.
        runs: all runs.
        notes: about the data, a sentence each.
        protocol: how the figures were computed.
    """

    title: str
    compared: Compared
    differences: dict[str, dict[str, Any]]
    sources: dict[str, str]
    runs: list[RunFacts]
    notes: list[str]
    protocol: str


def write_comparison_page(path: Path, content: ComparisonContent) -> None:
    """Write the page atomically."""
    compared = content.compared
    charts = {"figures": _figures(compared)}
    if compared.intervals:
        charts["differences"] = _differences(compared)
    html = render(
        "comparison.html.j2",
        content=content,
        labels=compared.labels,
        names={figure.name: name_in_words(figure.name, figure.words) for figure in compared.figures},
        baselines=list(dict.fromkeys(name for figure in compared.figures for name in figure.baselines)),
        caveats=caveats(compared),
        cell=mean_in_words,
        interval=difference_in_words,
        verdict=verdict,
        number=lambda value: "–" if value is None or math.isnan(value) else number(value),
        value=lambda key, label: (
            json.dumps(content.differences[key][label], ensure_ascii=False)
            if label in content.differences[key]
            else "–"
        ),
        charts={name: as_html(chart, name) for name, chart in charts.items()},
    )
    write_text(path, html)


def _figures(compared: Compared) -> go.Figure:
    """A small chart a figure: a point a seed, the mean, the floor and the baselines as lines."""
    figures, labels = compared.figures, compared.labels
    lines = -(-len(figures) // _COLUMNS)
    short = max(map(len, labels)) <= _SHORT  # long names would run into each other below the axes
    ticks = labels if short else [str(place + 1) for place in range(len(labels))]
    chart = make_subplots(
        rows=lines, cols=_COLUMNS, vertical_spacing=min(0.12, 0.4 / lines), horizontal_spacing=0.09,
        subplot_titles=[
            "<br>".join(textwrap.wrap(name_in_words(figure.name, figure.words), _TITLE)) for figure in figures
        ],
    )  # fmt: skip
    shown: set[str] = set()
    for index, figure in enumerate(figures):
        row, column = divmod(index, _COLUMNS)
        where = {"row": row + 1, "col": column + 1}
        levels = {"floor": figure.floor} | {k.replace("_", " "): v for k, v in figure.baselines.items()}
        for number_, (name, level) in enumerate(levels.items()):
            if math.isfinite(level):
                line = {
                    "color": "#333333" if name == "floor" else "#999999",
                    "dash": "solid" if name == "floor" else _LINES[(number_ - 1) % len(_LINES)],
                    "width": 1.2,
                }
                chart.add_trace(
                    go.Scatter(x=[-0.5, len(labels) - 0.5], y=rounded(np.full(2, level)), mode="lines",
                               line=line, name=name, legendgroup=name, showlegend=name not in shown),
                    **where,
                )  # fmt: skip
                shown.add(name)
        for place, label in enumerate(labels):
            if label not in figure.values:
                continue
            colour = _COLOURS[place % len(_COLOURS)]
            by_seed = figure.values[label]
            x = place + np.linspace(-0.15, 0.15, len(by_seed)) if len(by_seed) > 1 else [place]
            chart.add_trace(
                go.Scatter(x=x, y=rounded(np.array(list(by_seed.values()))), mode="markers",
                           marker={"color": colour, "size": 7, "opacity": 0.7}, legendgroup=label,
                           name=label if short else f"{ticks[place]}: {label}", showlegend=label not in shown,
                           text=[f"{label}, seed {s}" for s in by_seed],
                           hovertemplate="%{text}: %{y}<extra></extra>"),
                **where,
            )  # fmt: skip
            shown.add(label)
            mean = rounded(np.full(2, figure.means[label]))
            chart.add_trace(
                go.Scatter(x=[place - 0.25, place + 0.25], y=mean, mode="lines", showlegend=False,
                           line={"color": colour, "width": 2.5}, legendgroup=label, hoverinfo="skip"),
                **where,
            )  # fmt: skip
        chart.update_xaxes(tickvals=list(range(len(labels))), ticktext=ticks, title_text="config", **where)
        unit = (
            "share"
            if figure.name == "copying"
            else "difference from held-out"
            if figure.held_out
            else "distance"
        )
        chart.update_yaxes(title_text=f"{unit} ({figure.better} is better)", title_font={"size": 10}, **where)
    chart.update_annotations(font_size=12)
    height, margin = 150 + 290 * lines, {**LAYOUT["margin"], "t": 150}
    legend = {"orientation": "h", "yanchor": "bottom", "y": 1.0 + 30 / (height - 200), "x": 0}
    return chart.update_layout(**{**LAYOUT, "height": height, "margin": margin, "legend": legend})


def _differences(compared: Compared) -> go.Figure:
    """Paired differences with their intervals, in units of the larger floor."""
    chart = go.Figure()
    figures = [f for f in compared.figures if f.floor > 0]
    pairs = compared.pairs
    for place, (a, b) in enumerate(pairs):
        found = [(f, pair.difference) for f in figures if (pair := f.pair(a, b)) is not None]
        found = [(f, d) for f, d in found if math.isfinite(d.low)]
        offset = 0.0 if len(pairs) == 1 else 0.5 * (place / (len(pairs) - 1) - 0.5)
        chart.add_trace(
            go.Scatter(
                x=rounded(np.array([d.mean / f.floor for f, d in found])),
                y=[figures.index(f) + offset for f, _ in found],
                error_x={"array": rounded(np.array([(d.high - d.mean) / f.floor for f, d in found]))},
                mode="markers", marker={"size": 7, "color": _COLOURS[place % len(_COLOURS)]},
                name=f"{a} − {b}",
            )
        )  # fmt: skip
    chart.add_vline(x=0, line={"color": "#333333", "width": 1})
    chart.update_yaxes(tickvals=list(range(len(figures))), autorange="reversed", title_text="figure",
                       ticktext=[name_in_words(f.name, f.words) for f in figures])  # fmt: skip
    chart.update_xaxes(
        title_text="difference in units of the larger floor, with its 95 % interval over seeds"
    )
    return chart.update_layout(
        **{**LAYOUT, "height": 140 + 34 * len(figures), "margin": {**LAYOUT["margin"], "l": 260}}
    )
