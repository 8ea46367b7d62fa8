"""The page of a search: its history, what mattered, and every trial as a line through its values."""

from __future__ import annotations

__all__ = ["Axis", "Point", "SearchContent", "write_search_page"]

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go

from ..core.files import write_text
from .html import LAYOUT, as_html, render
from .plots import GENERATED, REAL, TRAINING


@dataclass(frozen=True)
class Axis:
    """A parameter that was varied.

    Args:
        name: its key.
        log: whether it varied on a logarithmic scale.
        number: whether its values are numbers in a range.
    """

    name: str
    log: bool
    number: bool


@dataclass(frozen=True)
class Point:
    """A trial.

    Args:
        number: of the trial.
        state: finished, pruned, failed or running.
        value: of the metric, if finished.
        values: of the parameters, by key.
        val_losses: on the way, by step.
        reason: why it failed or was pruned.
    """

    number: int
    state: str
    value: float | None
    values: dict[str, Any]
    val_losses: dict[int, float]
    reason: str


@dataclass(frozen=True)
class SearchContent:
    """What the page shows.

    Args:
        title: the experiment's name.
        metric: what was sought.
        minimize: whether less is better.
        axes: the parameters.
        points: the trials.
        best: number of the best one.
        importances: share of each parameter; may be empty.
        facts: (what, value) pairs.
        config: of the best trial, as YAML.
    """

    title: str
    metric: str
    minimize: bool
    axes: list[Axis]
    points: list[Point]
    best: int
    importances: dict[str, float]
    facts: list[tuple[str, str]]
    config: str

    @property
    def finished(self) -> list[Point]:
        """The trials that have a value."""
        return [p for p in self.points if p.value is not None]


def write_search_page(path: Path, content: SearchContent) -> None:
    """Write the page atomically."""
    charts = {"history": _history(content), "parallel": _parallel(content), "curves": _curves(content)}
    if content.importances:
        charts["importances"] = _importances(content)
    ranked = sorted(content.finished, key=lambda p: (p.value or 0.0) * (1 if content.minimize else -1))
    others = [p for p in content.points if p.value is None]
    html = render(
        "search.html.j2",
        content=content,
        ranked=[*ranked, *others],
        shown=_shown,
        short=_short,
        charts={name: as_html(chart, name) for name, chart in charts.items()},
    )
    write_text(path, html)


def _history(content: SearchContent) -> go.Figure:
    done = content.finished
    numbers, values = [p.number for p in done], [p.value for p in done]
    better = np.minimum if content.minimize else np.maximum
    chart = go.Figure()
    chart.add_trace(
        go.Scatter(x=numbers, y=values, mode="markers", name="finished trial",
                   marker={"color": REAL, "size": 8}, text=[_in_lines(p) for p in done],
                   hovertemplate="%{text}<extra></extra>")
    )  # fmt: skip
    best = better.accumulate(np.array(values, float)).tolist()
    chart.add_trace(
        go.Scatter(x=numbers, y=best, mode="lines", name="best so far",
                   line={"color": GENERATED, "shape": "hv", "width": 2})
    )  # fmt: skip
    ended = [(p.number, list(p.val_losses.values())[-1]) for p in content.points
             if p.state == "pruned" and p.val_losses and content.metric == "val_loss"]  # fmt: skip
    if ended:
        x, y = zip(*ended, strict=True)
        chart.add_trace(go.Scatter(x=x, y=y, mode="markers", name="pruned, its last value",
                                   marker={"color": TRAINING, "symbol": "x", "size": 8}))  # fmt: skip
    chart.update_xaxes(title_text="trial")
    chart.update_yaxes(title_text=content.metric)
    if len(content.points) <= 20:
        chart.update_xaxes(dtick=1)
    return chart.update_layout(**{**LAYOUT, "height": 380})


def _importances(content: SearchContent) -> go.Figure:
    ordered = sorted(content.importances.items(), key=lambda item: item[1])
    chart = go.Figure(go.Bar(x=[v for _, v in ordered], y=[k for k, _ in ordered], orientation="h",
                             marker={"color": REAL}))  # fmt: skip
    chart.update_xaxes(title_text="share of the importance", range=[0, 1])
    chart.update_yaxes(automargin=True)
    return chart.update_layout(**{**LAYOUT, "height": 120 + 36 * len(ordered)})


def _parallel(content: SearchContent) -> go.Figure:
    done = content.finished
    dimensions = [_dimension(axis, [p.values[axis.name] for p in done]) for axis in content.axes]
    values = [p.value for p in done]
    dimensions.append({"label": content.metric, "values": values})
    lines = {"color": values, "colorscale": "Viridis", "reversescale": not content.minimize,
             "showscale": True, "colorbar": {"title": {"text": content.metric}}}  # fmt: skip
    chart = go.Figure(go.Parcoords(dimensions=dimensions, line=lines))
    return chart.update_layout(**{**LAYOUT, "height": 420, "margin": {"l": 90, "r": 40, "t": 70, "b": 30}})


def _dimension(axis: Axis, values: list[Any]) -> dict[str, Any]:
    label = _short(axis.name)
    if not axis.number:
        ordered = sorted(
            values, key=lambda v: (not isinstance(v, int | float), v if isinstance(v, int | float) else 0)
        )
        names = list(dict.fromkeys(_shown(v) for v in ordered))
        places = [names.index(_shown(v)) for v in values]
        return {"label": label, "values": places, "tickvals": list(range(len(names))), "ticktext": names}
    if not axis.log:
        whole = sorted(set(values))
        few = len(whole) <= 12 and all(float(v).is_integer() for v in whole)
        return {"label": label, "values": values} | ({"tickvals": whole} if few else {})
    exponents = [math.log10(v) for v in values]
    low, high = math.floor(2 * min(exponents)) / 2, math.ceil(2 * max(exponents)) / 2
    ticks = np.arange(low, high + 0.25, 0.5).tolist()
    return {"label": label, "values": exponents, "range": [ticks[0], max(ticks[-1], ticks[0] + 0.5)],
            "tickvals": ticks, "ticktext": [f"{10**t:.2g}" for t in ticks]}  # fmt: skip


def _short(key: str) -> str:
    """A config's key without what every key of a component has."""
    return key.removeprefix("components.").replace(".params", "")


def _curves(content: SearchContent) -> go.Figure:
    chart = go.Figure()
    shown = set()
    styles = {"finished": (REAL, 1.2), "pruned": (TRAINING, 1.0), "failed": (TRAINING, 1.0)}
    for point in sorted(content.points, key=lambda p: p.number == content.best):
        if not point.val_losses:
            continue
        name = "the best trial" if point.number == content.best else point.state
        colour, width = (GENERATED, 2.5) if point.number == content.best else styles.get(
            point.state, (TRAINING, 1.0))  # fmt: skip
        chart.add_trace(
            go.Scatter(x=list(point.val_losses), y=list(point.val_losses.values()), mode="lines+markers",
                       line={"color": colour, "width": width}, marker={"size": 4}, name=name,
                       legendgroup=name, showlegend=name not in shown,
                       text=[_in_lines(point)] * len(point.val_losses),
                       hovertemplate="%{text}<br>step %{x}: %{y:.5g}<extra></extra>")
        )  # fmt: skip
        shown.add(name)
    chart.update_xaxes(title_text="step")
    chart.update_yaxes(title_text="validation loss")
    return chart.update_layout(**{**LAYOUT, "height": 360})


def _in_lines(point: Point) -> str:
    return "<br>".join([f"trial {point.number}", *(f"{k}: {_shown(v)}" for k, v in point.values.items())])


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
