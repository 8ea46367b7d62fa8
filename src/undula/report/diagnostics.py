"""PNG pictures of what a denoiser does: along a sampler's path, by noise level, in its attention."""

from __future__ import annotations

__all__ = ["save_attention", "save_calibration", "save_loss_by_noise", "save_trajectories"]

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from ..diffusion.diagnosis import LevelRow
from .plots import GENERATED, REAL, STYLE, TRAINING, save_figure

Array = NDArray[np.floating[Any]]

_LOG_SNR = "log SNR λ   (← noise      data →)"
_MEMBERS, _MOMENTS = 3, 6


def save_trajectories(
    path: Path,
    calls: Sequence[Mapping[str, Any]],
    spread: Sequence[tuple[float, float, float]],
    column: str,
    title: str,
) -> None:
    """Some members' x_t and D at moments of the sampler's path, and how both develop.

    Args:
        path: of the PNG.
        calls: a noise level each, in order: `log_snr`; `x_t` and `d` (B, L'), one channel of what is
            diffused, each over its spread; and `series` (B, L), D in the data's units.
        spread: per call λ, x_t's spread over the expected one, distance of D from its last.
        column: whose `series` is shown, with its unit where known.
        title: of the picture.
    """
    chosen = np.unique(np.linspace(0, len(calls) - 1, _MOMENTS).round().astype(int))
    members = min(_MEMBERS, len(calls[0]["d"]))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.3 * len(chosen), 1.55 * (members + 1) + 3.2))
        parts: Any = figure.subfigures(2, 1, height_ratios=[1.55 * (members + 1), 3.2])
        top, bottom = parts
        axes = top.subplots(members + 1, len(chosen), squeeze=False, sharex="col")
        for j, k in enumerate(chosen):
            call = calls[k]
            for i in range(members):
                axis = axes[i, j]
                axis.plot(call["x_t"][i], color=TRAINING, lw=0.8, alpha=0.8, label="x_t / its spread")
                axis.plot(call["d"][i], color=GENERATED, lw=1.2, label="D / s")
                axis.set_ylim(-3.6, 3.6)
            for i in range(members):
                axes[members, j].plot(call["series"][i], color=REAL, lw=0.9, alpha=0.7)
            place = f"{call['log_snr']:.1f}" if np.isfinite(call["log_snr"]) else "−∞"
            axes[0, j].set_title(f"level {k + 1} of {len(calls)}\nλ = {place}")
            axes[members, j].set_xlabel("step")
        for i in range(members):
            axes[i, 0].set_ylabel(f"sample {i}\n(diffused)")
        axes[members, 0].set_ylabel(f"D as\n{column}")
        low = min(float(np.min(calls[k]["series"][:members])) for k in chosen[1:])
        high = max(float(np.max(calls[k]["series"][:members])) for k in chosen[1:])
        for axis in axes[members]:
            axis.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        for axis in axes[:, 1:].flat:
            axis.tick_params(labelleft=False)
        top.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper right", ncols=2, frameon=False)
        top.suptitle(title, x=0.01, ha="left")
        left, right = bottom.subplots(1, 2)
        finite = [row for row in spread if np.isfinite(row[0])]
        level = [row[0] for row in finite]
        left.plot(level, [row[1] for row in finite], ".-", color=GENERATED, ms=4, label="measured")
        left.axhline(1.0, color="grey", lw=0.8, label="as in training")
        left.set(
            xlabel=_LOG_SNR,
            ylabel="spread of x_t /\n√(α²s² + σ²)",
            title="Does x_t stay where it was trained?",
        )
        low, high = left.get_ylim()
        left.set_ylim(min(low, 0.8), max(high, 1.2))
        left.legend(frameon=False)
        right.plot(level, [row[2] for row in finite], ".-", color=GENERATED, ms=4)
        right.set(
            xlabel=_LOG_SNR,
            ylabel="rms of D − its last / s",
            title="When is a sample decided?",
            ylim=(0, None),
        )
        save_figure(figure, path)


def save_loss_by_noise(path: Path, rows: Sequence[LevelRow], title: str, reference: str) -> None:
    """The objective's loss, and the error of D beside the Gaussian's.

    Args:
        path: of the PNG.
        rows: by noise level.
        title: of the picture.
        reference: what the Gaussian is, or why there is none.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.8))
        left, right = figure.subplots(1, 2)
        level = [row.log_snr for row in rows]
        left.plot(level, [row.error for row in rows], ".-", color=GENERATED, label="network")
        exact = [row.gaussian_error for row in rows]
        if exact[0] is not None:
            left.plot(level, exact, "-", color=REAL, label="exact denoiser of a Gaussian")
        left.axhline(1.0, color="grey", lw=0.8, ls=":", label="the mean alone")
        left.set(
            xlabel=_LOG_SNR,
            ylabel="E‖D − x₀‖² / s², a number",
            yscale="log",
            title="Error of D, held-out windows",
        )
        left.legend(frameon=False, title=reference, title_fontsize=7.5, alignment="left")
        right.plot(level, [row.loss for row in rows], ".-", color=GENERATED)
        losses = [row.loss for row in rows]
        wide = max(losses) > 10 * min(losses) > 0
        right.set(xlabel=_LOG_SNR, ylabel="the objective's loss, weight included", title="Loss")
        right.set(**({"yscale": "log"} if wide else {"ylim": (0, None)}))
        figure.suptitle(title)
        save_figure(figure, path)


def save_calibration(path: Path, rows: Sequence[LevelRow], title: str, reference: str) -> None:
    """Slopes of x_0 on D and of D on the exact denoiser of a Gaussian, and their distance.

    Args:
        path: of the PNG.
        rows: by noise level.
        title: of the picture.
        reference: what the Gaussian is, or why there is none.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 3.8))
        left, right = figure.subplots(1, 2)
        for name, colour, label in (
            ("calibration", GENERATED, "x₀ on D: 1 is calibrated"),
            ("gaussian_slope", REAL, "D on the Gaussian's: 1 for Gaussian data"),
        ):
            points = [(row.log_snr, getattr(row, name)) for row in rows if getattr(row, name) is not None]
            if points:
                left.plot(*zip(*points, strict=True), ".-", color=colour, label=label)
        left.axhline(1.0, color="grey", lw=0.8)
        low, high = left.get_ylim()
        left.set(
            xlabel=_LOG_SNR,
            ylabel="slope of the regression",
            title="Slopes",
            ylim=(max(low, -1), min(high, 3)),
        )
        left.legend(frameon=False)
        points = [(r.log_snr, r.gaussian_excess) for r in rows if r.gaussian_excess is not None]
        if points:
            right.plot(*zip(*points, strict=True), ".-", color=REAL)
            right.set(yscale="log")
        else:
            right.text(0.5, 0.5, reference, ha="center", va="center", transform=right.transAxes, wrap=True)
        right.set(
            xlabel=_LOG_SNR,
            ylabel="‖D − D_G‖² / E‖D_G − x₀‖²",
            title="Excess over the Gaussian's least error",
        )
        figure.suptitle(f"{title}\n{reference}", fontsize=9)
        save_figure(figure, path)


def save_attention(path: Path, maps: Mapping[str, Mapping[str, Array]], title: str, keys: str) -> None:
    """Mean attention over heads and members: a row a layer, a column a noise level.

    Args:
        path: of the PNG.
        maps: by layer, then by noise level in words: weights (T, S).
        title: of the picture.
        keys: what the columns of a map are.
    """
    layers, levels = list(maps), list(next(iter(maps.values())))
    with mpl.rc_context({**STYLE, "axes.grid": False}):
        figure = Figure(figsize=(0.9 + 2.7 * len(levels), 0.9 + 2.5 * len(layers)))
        axes = figure.subplots(len(layers), len(levels), squeeze=False)
        for i, layer in enumerate(layers):
            highest = max(float(maps[layer][level].max()) for level in levels)
            for j, level in enumerate(levels):
                axis = axes[i, j]
                image = axis.imshow(
                    maps[layer][level],
                    vmin=0.0,
                    vmax=highest,
                    cmap="viridis",
                    aspect="auto",
                    interpolation="none",
                )
                axis.xaxis.set_major_locator(MaxNLocator(5, integer=True))
                axis.yaxis.set_major_locator(MaxNLocator(5, integer=True))
                if i == 0:
                    axis.set_title(level)
                if i == len(layers) - 1:
                    axis.set_xlabel(keys)
            axes[i, 0].set_ylabel(f"{layer}\nattending token")
            figure.colorbar(image, ax=axes[i, :].tolist(), label="weight", fraction=0.05)
        figure.suptitle(title)
        save_figure(figure, path)
