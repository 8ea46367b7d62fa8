"""PNG pictures: generated and real windows, distributions, autocorrelations."""

from __future__ import annotations

__all__ = [
    "GENERATED",
    "REAL",
    "STYLE",
    "TRAINING",
    "save_dynamics",
    "save_embedding",
    "save_figure",
    "save_marginals",
    "save_windows",
]

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..core.files import atomic_path
from ..evaluation.embedding import Embedding
from ..evaluation.statistics import LAGS, autocorrelation, deviations

Array = NDArray[np.floating[Any]]

REAL, GENERATED, TRAINING = "#1f5a99", "#d95f0e", "#7f8c8d"
_SHOWN = 6
STYLE: Any = {"axes.spines.top": False, "axes.spines.right": False, "font.size": 9, "axes.grid": True,
          "grid.alpha": 0.25, "figure.constrained_layout.use": True}  # fmt: skip


def save_figure(figure: Figure, path: Path) -> None:
    """Write a picture atomically."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, format="png")


def save_windows(
    path: Path,
    real: list[Array],
    generated: list[Array],
    columns: list[str],
    title: str,
    real_label: str = "real",
    label: str = "generated",
) -> None:
    """Some real and generated windows side by side, a row a column, on one scale.

    Args:
        path: of the PNG.
        real: windows (L_i, C) in the data's units.
        generated: likewise.
        columns: names of the C columns.
        title: of the picture.
        real_label: what the real windows are called.
        label: what the generated ones are called.
    """
    with mpl.rc_context(STYLE):
        shown = columns[:4]
        figure = Figure(figsize=(10, 0.6 + 2.2 * len(shown)))
        axes = figure.subplots(len(shown), 2, sharey="row", squeeze=False)
        for row, name in enumerate(shown):
            for axis, windows, colour, what in (
                (axes[row, 0], real, REAL, real_label),
                (axes[row, 1], generated, GENERATED, label),
            ):
                for window in windows[:_SHOWN]:
                    axis.plot(window[:, row], color=colour, lw=0.9, alpha=0.65)
                axis.set_title(f"{what} ({min(len(windows), _SHOWN)} windows)")
                axis.set_xlabel("step")
            axes[row, 0].set_ylabel(name)
        figure.suptitle(title)
        save_figure(figure, path)


def save_marginals(
    path: Path,
    real: Array,
    generated: Array,
    columns: list[str],
    real_label: str = "held-out",
    label: str = "generated",
) -> None:
    """Density on a log scale, and quantiles against quantiles.

    Args:
        path: of the PNG.
        real: windows (N, L, C).
        generated: likewise.
        columns: names of the C columns.
        real_label: what the real windows are called.
        label: what the generated ones are called.
    """
    with mpl.rc_context(STYLE):
        shown = columns[:4]
        figure = Figure(figsize=(10, 0.6 + 3 * len(shown)))
        axes = figure.subplots(len(shown), 2, squeeze=False)
        for row, name in enumerate(shown):
            x, y = real[:, :, row].ravel(), generated[:, :, row].ravel()
            x, y = x[~np.isnan(x)], y[~np.isnan(y)]
            low, high = np.quantile(np.concatenate([x, y]), [0.0005, 0.9995])
            edges = np.linspace(low, high, 60)
            left, right = axes[row]
            left.hist(x, edges, density=True, histtype="step", color=REAL, label=real_label)
            left.hist(y, edges, density=True, histtype="step", color=GENERATED, label=label)
            left.set(yscale="log", xlabel=name, ylabel="density")
            left.legend(frameon=False)
            q = np.linspace(0.001, 0.999, 400)
            right.plot(
                np.quantile(x, q),
                np.quantile(y, q),
                ".",
                ms=3,
                color=GENERATED,
                label="quantiles 0.1 % to 99.9 %",
            )
            right.axline((float(np.median(x)),) * 2, slope=1, color="grey", lw=0.8, label="equal")
            right.set(xlabel=f"{real_label} {name}", ylabel=f"{label} {name}")
            right.legend(frameon=False)
        save_figure(figure, path)


def save_dynamics(
    path: Path,
    real: Array,
    generated: Array,
    columns: list[str],
    real_label: str = "held-out",
    label: str = "generated",
) -> None:
    """Autocorrelation of the values and of their absolute values.

    Args:
        path: of the PNG.
        real: windows (N, L, C).
        generated: likewise.
        columns: names of the C columns.
        real_label: what the real windows are called.
        label: what the generated ones are called.
    """
    with mpl.rc_context(STYLE):
        shown = columns[:4]
        figure = Figure(figsize=(10, 0.6 + 2.6 * len(shown)))
        axes = figure.subplots(len(shown), 2, squeeze=False)
        lags = np.arange(1, LAGS + 1)
        for row, name in enumerate(shown):
            for axis, transform, what in (
                (axes[row, 0], np.asarray, name),
                (axes[row, 1], deviations, f"|{name} − mean|"),
            ):
                for windows, colour, which in ((real, REAL, real_label), (generated, GENERATED, label)):
                    rho = autocorrelation(transform(windows[:, :, row]))
                    axis.plot(lags, rho, "o-", ms=3, color=colour, label=which)
                axis.axhline(0, color="grey", lw=0.6)
                axis.set(xlabel="lag (steps)", ylabel=f"autocorrelation\nof {what}")
                axis.legend(frameon=False)
        save_figure(figure, path)


def save_embedding(
    path: Path, embedding: Embedding, real_label: str = "real", label: str = "generated"
) -> None:
    """Real and generated windows in a plane, by principal components and by t-SNE; labels name the sets."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 4.4))
        for axis, points, title in zip(
            figure.subplots(1, 2),
            (embedding.pca, embedding.tsne),
            ("principal components of the real windows", "t-SNE of both sets (neighbourhoods only)"),
            strict=True,
        ):
            for inside, colour, what in (
                (~embedding.generated, REAL, real_label),
                (embedding.generated, GENERATED, label),
            ):
                axis.scatter(*points[inside].T, s=7, alpha=0.5, color=colour, label=what, linewidths=0)
            axis.set(title=title, xlabel="first coordinate", ylabel="second coordinate")
            axis.legend(loc="best", markerscale=2)
        save_figure(figure, path)
