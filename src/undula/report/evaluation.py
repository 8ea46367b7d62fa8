"""The page of an evaluation: what was compared, the verdict in words, every figure, the pictures."""

from __future__ import annotations

__all__ = ["Evaluated", "write_evaluation_page", "write_pictures"]

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from ..core.files import write_text
from ..evaluation.distances import power_spectrum
from ..evaluation.embedding import Embedding, embed
from ..evaluation.judge import Judgement, Protocol
from .charts import Sets, dynamics_chart, marginals_chart, quantiles_chart, windows_chart
from .html import LAYOUT, as_html, render, rounded
from .plots import GENERATED, REAL, save_dynamics, save_embedding, save_marginals, save_windows
from .profiles import Profile, profile_chart, save_profiles
from .words import SEVERAL_COLUMNS, columns_table, copied, group_verdicts, groups, headline, tally_in_words

Array = NDArray[np.floating[Any]]

_SHOWN = 6


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Args:
        judgement: the figures.
        protocol: what the real windows are to the generator.
        columns: names of the columns.
        notes: what was aligned and found, a sentence each.
        real: real windows, (N, L, C).
        train: what the generator was trained on, (N, L, C); None: the real windows.
        synthetic: (N, L, C).
        baselines: windows of each, (N, L, C).
        flags: which synthetic windows are nearer to one training window than chance allows, (N,).
        literal: share of synthetic windows that occur among the real ones, number for number.
        seed: of everything random.
        profiles: courses over a day and a week, or over a window, where the data's field has them.
        not_compared: real columns that another set does not have.
        separate: as many windows as would hold the synthetic rows without overlap; None: all of them.
    """

    judgement: Judgement
    protocol: Protocol
    columns: list[str]
    notes: list[str]
    real: Array
    train: Array | None
    synthetic: Array
    baselines: dict[str, Array]
    flags: NDArray[np.bool_]
    literal: float
    seed: int
    profiles: list[Profile] = field(default_factory=list)
    not_compared: list[str] = field(default_factory=list)
    separate: int | None = None

    @property
    def headline(self) -> str:
        """The verdict in a sentence or two."""
        said = headline(self.judgement, self.literal, self.separate)
        missing = f" Not compared: {', '.join(self.not_compared)}." if self.not_compared else ""
        return said + missing

    @property
    def copied(self) -> bool:
        """Whether synthetic windows are copies, all or some."""
        return copied(self.judgement, self.literal)

    @cached_property
    def embedding(self) -> Embedding:
        """Both sets in a plane."""
        return embed(self.real, self.synthetic)

    @property
    def real_label(self) -> str:
        """What the real windows are to the generator, in a word."""
        return "real" if self.train is None else "held-out"


def write_pictures(folder: Path, found: Evaluated) -> list[Path]:
    """PNGs of windows, densities, autocorrelations and embeddings; their paths."""
    paths = [folder / f"{name}.png" for name in ("windows", "marginals", "dynamics", "embedding")]
    names = (found.real_label, "synthetic")
    few = [
        w[np.linspace(0, len(w) - 1, min(len(w), _SHOWN)).astype(int)] for w in (found.real, found.synthetic)
    ]
    save_windows(
        paths[0], list(few[0]), list(few[1]), found.columns, f"{names[0]} and synthetic windows", *names
    )
    save_marginals(paths[1], found.real, found.synthetic, found.columns, *names)
    save_dynamics(paths[2], found.real, found.synthetic, found.columns, *names)
    save_embedding(paths[3], found.embedding, *names)
    if found.profiles:
        paths.append(folder / "profiles.png")
        save_profiles(paths[-1], found.profiles)
    return paths


def write_evaluation_page(path: Path, found: Evaluated) -> None:
    """Write the page atomically."""
    sets = Sets(
        found.columns,
        found.real,
        found.train,
        found.synthetic,
        found.baselines,
        found.real_label,
        "synthetic",
    )
    charts = {
        "windows": windows_chart(sets),
        "marginals": marginals_chart(sets),
        "quantiles": quantiles_chart(sets),
        "dynamics": dynamics_chart(sets),
        "spectrum": _spectrum_chart(sets),
        "embedding": _embedding_chart(found.embedding, found.real_label),
    }
    html = render(
        "evaluation.html.j2",
        found=found,
        verdicts=group_verdicts(found.judgement, found.literal),
        groups=groups(found.judgement),
        by_column=columns_table(found.judgement),
        tally=tally_in_words(found.judgement),
        columns_note=SEVERAL_COLUMNS if len(found.columns) > 1 else "",
        baselines=list(found.baselines),
        flagged=np.flatnonzero(found.flags)[:50].tolist(),
        charts={name: as_html(chart, name) for name, chart in charts.items()},
        profiles=profile_chart(found.profiles),
    )
    write_text(path, html)


def _spectrum_chart(sets: Sets) -> go.Figure:
    names = sets.columns[:4]
    chart = make_subplots(rows=1, cols=len(names), horizontal_spacing=0.08)
    for what, windows, colour in sets.shown:
        mean, sd = np.nanmean(sets.real, axis=(0, 1)), np.nanstd(sets.real, axis=(0, 1))
        spectrum = power_spectrum(np.nan_to_num((windows - mean) / np.where(sd > 0, sd, 1.0)))
        frequencies = np.arange(len(spectrum)) / windows.shape[1]
        for c, name in enumerate(names):
            chart.add_trace(
                go.Scatter(x=rounded(frequencies), y=rounded(np.maximum(spectrum[:, c], 1e-12)), name=what,
                           legendgroup=what, showlegend=c == 0, mode="lines", line={"color": colour}),
                row=1, col=c + 1,
            )  # fmt: skip
            chart.update_xaxes(title_text=f"{name}: frequency (1/step)", row=1, col=c + 1)
    chart.update_yaxes(type="log")
    chart.update_yaxes(title_text="power (of unit variance)", col=1)
    return chart.update_layout(**{**LAYOUT, "height": 360})


def _embedding_chart(embedding: Embedding, real: str) -> go.Figure:
    chart = make_subplots(
        rows=1, cols=2, subplot_titles=["principal components", "t-SNE (neighbourhoods only)"]
    )
    for column, points in enumerate((embedding.pca, embedding.tsne), 1):
        for what, colour, inside in (
            (real, REAL, ~embedding.generated),
            ("synthetic", GENERATED, embedding.generated),
        ):
            chart.add_trace(
                go.Scatter(x=rounded(points[inside, 0]), y=rounded(points[inside, 1]), mode="markers",
                           marker={"color": colour, "size": 4, "opacity": 0.6}, legendgroup=what, name=what,
                           showlegend=column == 1),
                row=1, col=column,
            )  # fmt: skip
        chart.update_xaxes(title_text="first coordinate", row=1, col=column)
        chart.update_yaxes(title_text="second coordinate", row=1, col=column)
    return chart.update_layout(**{**LAYOUT, "height": 420})
