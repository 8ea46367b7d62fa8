"""Given a history: continuations against what happened, and what moves along the window.

The fan plot shows sampled paths' quantiles at every step, given one history each. The rolling
figures look back `width` steps, across the join of history and window, so that a break there shows:

    spread   the standard deviation of the last `width` values
    change   the mean of |x_t − x_{t−1}| over the last `width` steps
"""

from __future__ import annotations

__all__ = ["Histories", "fan_chart", "rolling", "rolling_chart"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ..evaluation.probabilistic import coverage, crps
from .html import LAYOUT, rounded
from .plots import GENERATED, REAL, TRAINING

Array = NDArray[np.floating[Any]]

_SHOWN_COLUMNS, _STEPS_BEFORE = 2, 3
_BANDS = ((0.05, 0.95, "rgba(217,95,14,0.18)"), (0.25, 0.75, "rgba(217,95,14,0.34)"))


@dataclass(frozen=True)
class Histories:
    """Histories, what followed them, and what the model says could follow.

    Args:
        columns: names of the C features.
        fan_histories: of a few held-out windows, (n, H, C).
        fan_truths: what followed, (n, L, C).
        fan_paths: sampled continuations, (n, S, L, C).
        real_histories: of many held-out windows, (N, H, C).
        real: what followed, (N, L, C).
        told: histories of the generated windows, (M, H, C).
        generated: a continuation of each, (M, L, C).
    """

    columns: list[str]
    fan_histories: Array
    fan_truths: Array
    fan_paths: Array
    real_histories: Array
    real: Array
    told: Array
    generated: Array

    @property
    def width(self) -> int:
        """Steps that a rolling figure looks back: half of the window, and within the history."""
        return int(max(2, min(self.real.shape[1] // 2, self.real_histories.shape[1])))

    @property
    def coverage(self) -> float:
        """Share of the held-out values of the fans that lie in their 90 % band."""
        return coverage(self.fan_paths.swapaxes(0, 1), self.fan_truths)

    @property
    def crps(self) -> tuple[float, float]:
        """CRPS of the fans and of samples that were told other histories, in columns' standard deviations.

        The first below the second says that the model uses the history; NaN aside.
        """
        sd = np.nanstd(self.real, axis=(0, 1))
        answers = (self.fan_paths.swapaxes(0, 1), np.repeat(self.generated[:, None], len(self.fan_truths), 1))
        scores = [crps(samples, self.fan_truths) / np.where(sd > 0, sd, 1.0) for samples in answers]
        own, others = (float(np.nanmean(score)) for score in scores)
        return own, others


def rolling(history: Array, window: Array, width: int) -> dict[str, Array]:
    """Rolling figures at every step of the windows, each (N, L).

    Args:
        history: what came before, (N, H).
        window: (N, L).
        width: steps to look back; at most H.
    """
    whole = np.concatenate([history, window], axis=1)
    steps = window.shape[1]
    views = sliding_window_view(whole, width, axis=1)[:, -steps:]
    changes = sliding_window_view(np.abs(np.diff(whole, axis=1)), width - 1, axis=1)[:, -steps:]
    return {"spread": views.std(-1), "change": changes.mean(-1)}


def fan_chart(content: Histories) -> go.Figure:
    """A row a column, a plot a held-out window: history, truth, and bands of the sampled paths."""
    names = content.columns[:_SHOWN_COLUMNS]
    count, steps = content.fan_truths.shape[:2]
    before = min(content.fan_histories.shape[1], _STEPS_BEFORE * steps)
    chart = make_subplots(rows=len(names), cols=count, horizontal_spacing=0.05, vertical_spacing=0.12)
    past, ahead = np.arange(-before, 0) + 1, np.arange(1, steps + 1)
    for row in range(len(names)):
        for n in range(count):
            first, place = row == 0 and n == 0, {"row": row + 1, "col": n + 1}
            paths = content.fan_paths[n, :, :, row]
            for low, high, colour in _BANDS:
                ends = np.nanquantile(paths, [low, high], axis=0)
                name = f"{100 * (high - low):.0f} % of the paths"
                chart.add_trace(
                    go.Scatter(x=[*ahead, *ahead[::-1]], y=[*rounded(ends[1]), *rounded(ends[0][::-1])],
                               fill="toself", fillcolor=colour, line={"width": 0}, mode="lines", name=name,
                               legendgroup=name, showlegend=first, hoverinfo="skip"), **place,
                )  # fmt: skip
            join = np.concatenate([content.fan_histories[n, -before:, row], content.fan_truths[n, :, row]])
            lines = (
                ("history", past, join[:before], TRAINING, "solid"),
                ("what happened", np.r_[0, ahead], join[before - 1 :], REAL, "solid"),
                ("median path", ahead, np.nanmedian(paths, axis=0), GENERATED, "dash"),
            )
            for name, x, y, colour, dash in lines:
                chart.add_trace(
                    go.Scatter(x=x.tolist(), y=rounded(y), mode="lines", name=name, legendgroup=name,
                               showlegend=first, line={"color": colour, "dash": dash, "width": 1.8}), **place,
                )  # fmt: skip
        chart.update_yaxes(title_text=names[row], row=row + 1, col=1)
    chart.update_xaxes(title_text="step", row=len(names))
    return chart.update_layout(**{**LAYOUT, "height": 130 + 250 * len(names)})


def rolling_chart(content: Histories) -> go.Figure:
    """A row a column: medians and 80 % bands of the rolling figures, real and generated."""
    names, width = content.columns[:_SHOWN_COLUMNS], content.width
    titles = {
        "spread": f"standard deviation of {width} values",
        "change": f"mean |change| of {width - 1} steps",
    }
    chart = make_subplots(rows=len(names), cols=2, horizontal_spacing=0.08, vertical_spacing=0.12,
                          subplot_titles=list(titles.values()))  # fmt: skip
    sides = (
        ("real", content.real_histories, content.real, REAL, "rgba(31,90,153,0.18)"),
        ("generated", content.told, content.generated, GENERATED, "rgba(217,95,14,0.18)"),
    )
    for row, name in enumerate(names):
        for who, histories, windows, colour, shade in sides:
            figures = rolling(histories[:, :, row], windows[:, :, row], width)
            for column, key in enumerate(titles):
                low, middle, high = np.nanquantile(figures[key], [0.1, 0.5, 0.9], axis=0)
                x, place = np.arange(1, len(middle) + 1).tolist(), {"row": row + 1, "col": column + 1}
                first = row == 0 and column == 0
                chart.add_trace(
                    go.Scatter(x=x + x[::-1], y=rounded(np.r_[high, low[::-1]]), fill="toself",
                               fillcolor=shade, line={"width": 0}, mode="lines",
                               name=f"80 % of the {who} windows", legendgroup=f"{who} band",
                               showlegend=first, hoverinfo="skip"), **place,
                )  # fmt: skip
                chart.add_trace(
                    go.Scatter(x=x, y=rounded(middle), mode="lines", name=f"{who}, median", legendgroup=who,
                               showlegend=first, line={"color": colour, "width": 2}), **place,
                )  # fmt: skip
        chart.update_yaxes(title_text=name, row=row + 1, col=1)
    chart.update_xaxes(title_text="step", row=len(names))
    layout = {**LAYOUT, "height": 180 + 240 * len(names), "margin": {**LAYOUT["margin"], "t": 90}}
    return chart.update_layout(**{**layout, "legend": {**LAYOUT["legend"], "y": 1.25}})
