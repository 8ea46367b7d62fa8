"""The page of a run: one file, no request to anywhere, readable by someone who was not there."""

from __future__ import annotations

__all__ = ["PageContent", "write_page"]

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ..core.files import write_text
from ..evaluation.bottleneck import Bottleneck
from ..evaluation.figure import Judgement
from .bottleneck import probe_rows, probe_words
from .charts import Sets, dynamics_chart, marginals_chart, quantiles_chart, windows_chart
from .histories import Histories, fan_chart, rolling_chart
from .html import LAYOUT, as_html, render, rounded
from .plots import REAL
from .profiles import Profile, profile_chart
from .words import SEVERAL_COLUMNS, group_verdicts, rows, shift_in_words, tally_in_words

Array = NDArray[np.floating[Any]]


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
        probe: of the autoencoder in whose latents was diffused; None: there is none.
        made: who made the samples: a half-sentence.
        profiles: courses over a window, where the data's field has them.
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
    probe: Bottleneck | None = None
    made: str = "A diffusion model was trained"
    profiles: list[Profile] = field(default_factory=list)

    @property
    def sets(self) -> Sets:
        """What the charts show."""
        return Sets(self.columns, self.real, self.train, self.generated, self.baselines)


def write_page(path: Path, content: PageContent) -> None:
    """Write the page atomically."""
    table = rows(content.judgement)
    charts = {
        "windows": windows_chart(content.sets),
        "marginals": marginals_chart(content.sets),
        "quantiles": quantiles_chart(content.sets),
        "dynamics": dynamics_chart(content.sets),
        "curve": _curve(content),
    }
    if content.histories is not None:
        charts["fans"], charts["rolling"] = fan_chart(content.histories), rolling_chart(content.histories)
    html = render(
        "page.html.j2",
        content=content,
        rows=table,
        verdicts=group_verdicts(content.judgement),
        tally=tally_in_words(content.judgement),
        columns_note=SEVERAL_COLUMNS if len(content.columns) > 1 else "",
        shift=shift_in_words(content.judgement),
        baselines=list(content.baselines),
        probe_rows=[] if content.probe is None else probe_rows(content.probe),
        probe_words=[] if content.probe is None else probe_words(content.probe),
        charts={name: as_html(chart, name) for name, chart in charts.items()},
        profiles=profile_chart(content.profiles),
    )
    write_text(path, html)


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
