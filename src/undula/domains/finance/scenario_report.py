"""Files of a study of scenarios: CSV, JSON, a picture and a page."""

from __future__ import annotations

__all__ = ["write_study"]

from pathlib import Path

import matplotlib as mpl
import plotly.graph_objects as go
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...core.files import write_json, write_table, write_text
from ...report.html import LAYOUT, as_html, render
from ...report.plots import GENERATED, REAL, STYLE, save_figure
from .risk import RISKS
from .scenario_words import HEADINGS, as_json, flat_rows, sentences, table_rows
from .scenarios import Row, ScenarioStudy

_OTHERS = ("#16a085", "#8e44ad", "#b7950b", "#c0392b", "#34495e")


def write_study(folder: str | Path, study: ScenarioStudy, title: str) -> dict[str, Path]:
    """Write a study as `scenarios_PART.csv`, `.json`, `.png` and `.html`; return their paths by extension.

    Args:
        folder: made if it is not there.
        study: what to write.
        title: of picture and page.
    """
    paths = {kind: Path(folder) / f"scenarios_{study.part}.{kind}" for kind in ("csv", "json", "png", "html")}
    write_table(paths["csv"], flat_rows(study))
    write_json(paths["json"], as_json(study))
    _save_picture(paths["png"], study, title)
    _write_page(paths["html"], study, title)
    return paths


def _colours(study: ScenarioStudy) -> dict[float, str]:
    """Guidance 1, the model as trained, in the colour of what is generated."""
    others = [w for w in _scales(study) if w != 1]
    return {1.0: GENERATED} | {w: _OTHERS[i % len(_OTHERS)] for i, w in enumerate(others)}


def _scales(study: ScenarioStudy) -> list[float]:
    return list(dict.fromkeys(row.guidance for row in study.rows if row.guidance is not None))


def _percent(values: list[float]) -> list[float]:
    return [100 * v for v in values]


def _save_picture(path: Path, study: ScenarioStudy, title: str) -> None:
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 6.4))
        axes = figure.subplots(2, 3)
        for axis, name in zip(axes.flat, RISKS, strict=True):
            _panel(axis, study, name)
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=7, frameon=False, fontsize=8.5)
        figure.suptitle(f"{title}: {study.target} over {study.length} steps, given {study.column}")
        save_figure(figure, path)


def _panel(axis: Axes, study: ScenarioStudy, name: str) -> None:
    """One figure against the level; stress sets stand at the mean of their levels."""
    scale = 1 if name in ("skewness", "kurtosis") else 100
    real = [r for r in study.real if not r.scenario.stress and r.windows]
    if name == "volatility":
        low, high = ([scale * r.range[end] for r in real] for end in (0, 1))
        levels = [r.scenario.level for r in real]
        axis.fill_between(levels, low, high, color=REAL, alpha=0.15, lw=0, label="90 % of real windows")
    _errorbars(axis, real, name, scale, REAL, "o", "real, matched")
    for guidance, colour in _colours(study).items():
        rows = study.by_guidance().get(guidance, [])
        _errorbars(axis, rows, name, scale, colour, ".-", f"guidance {guidance:g}")
    _errorbars(
        axis,
        [r for r in study.real if r.scenario.stress],
        name,
        scale,
        REAL,
        "s",
        "stress sets: real; samples ◆",
    )
    for guidance, colour in _colours(study).items():
        rows = study.by_guidance(stress=True).get(guidance, [])
        _errorbars(axis, rows, name, scale, colour, "D", None)
    axis.set(xlabel=f"{study.column} before the window", ylabel=HEADINGS[name])


def _errorbars(
    axis: Axes, rows: list[Row], name: str, scale: float, colour: str, style: str, label: str | None
) -> None:
    rows = [r for r in rows if r.windows]
    if not rows:
        return
    x = [r.told if r.scenario.stress else r.scenario.level for r in rows]
    y = [scale * r.risks[name].value for r in rows]
    below = [abs(scale * (r.risks[name].value - r.risks[name].low)) for r in rows]
    above = [abs(scale * (r.risks[name].high - r.risks[name].value)) for r in rows]
    axis.errorbar(x, y, (below, above), fmt=style, color=colour, ms=4, lw=1.1, elinewidth=0.9, label=label)


def _chart(study: ScenarioStudy) -> go.Figure:
    """Volatility against the level, with the real windows' range."""
    chart = go.Figure()
    real = [r for r in study.real if not r.scenario.stress and r.windows]
    levels = [r.scenario.level for r in real]
    band = _percent([r.range[1] for r in real] + [r.range[0] for r in reversed(real)])
    chart.add_trace(go.Scatter(x=levels + levels[::-1], y=band, fill="toself", mode="none",
                               fillcolor="rgba(31,90,153,.15)", name="90 % of real windows"))  # fmt: skip
    lines = {"real, matched": (real, REAL, "markers")}
    for guidance, colour in _colours(study).items():
        rows = study.by_guidance().get(guidance, [])
        lines[f"guidance {guidance:g}"] = (rows, colour, "lines+markers")
    for name, (rows, colour, mode) in lines.items():
        risks = [r.risks["volatility"] for r in rows]
        above = _percent([e.high - e.value for e in risks])
        below = _percent([e.value - e.low for e in risks])
        bars = {"array": above, "arrayminus": below, "symmetric": False}
        chart.add_trace(go.Scatter(x=[r.scenario.level for r in rows], y=_percent([e.value for e in risks]),
                                   mode=mode, name=name, marker={"color": colour, "size": 7},
                                   error_y=bars))  # fmt: skip
    chart.update_xaxes(title_text=f"{study.column} before the window")
    chart.update_yaxes(title_text="realised volatility, % a year", rangemode="tozero")
    return chart.update_layout(**{**LAYOUT, "height": 460})


def _write_page(path: Path, study: ScenarioStudy, title: str) -> None:
    has_levels = any(not r.scenario.stress and r.windows for r in study.real)
    html = render(
        "scenarios.html.j2",
        package="undula.domains.finance",
        title=title,
        study=study,
        chart=as_html(_chart(study), "volatility") if has_levels else "",
        sentences=sentences(study),
        headings=list(HEADINGS.values()),
        rows=table_rows(study),
    )
    write_text(path, html)
