"""What pages share: one file each, with the style and plotly's script, and charts of one look."""

from __future__ import annotations

__all__ = ["LAYOUT", "as_html", "render", "rounded"]

from importlib import resources
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jinja2 import Environment, select_autoescape
from numpy.typing import NDArray
from plotly.offline import get_plotlyjs

Array = NDArray[np.floating[Any]]

LAYOUT: dict[str, Any] = {
    "template": "plotly_white",
    "font": {"family": "system-ui, sans-serif", "size": 13},
    "margin": {"l": 60, "r": 20, "t": 40, "b": 45},
    "legend": {"orientation": "h", "y": 1.16, "x": 0},
}


def render(template: str, *, package: str = "undula.report", **values: Any) -> str:
    """A self-contained page: a template of a package with its values, the style and plotly's script."""
    folder = resources.files("undula.report")
    environment = Environment(autoescape=select_autoescape(default=True, default_for_string=True))
    text = environment.from_string((resources.files(package) / template).read_text(encoding="utf-8"))
    style = (folder / "style.css").read_text(encoding="utf-8")
    return text.render(**values, style=style, plotlyjs=get_plotlyjs())


def as_html(chart: go.Figure, name: str) -> str:
    """A chart as a block of a page that has plotly's script."""
    html: str = chart.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=f"chart-{name}",
        config={"displaylogo": False, "responsive": True},
    )
    return html


def rounded(values: Array) -> list[float | None]:
    """Six significant digits, None for NaN: a smaller page."""
    return [None if not np.isfinite(v) else float(f"{v:.6g}") for v in values]
