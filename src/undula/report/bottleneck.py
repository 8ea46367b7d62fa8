"""The bottleneck probe in words, as a table and as pictures."""

from __future__ import annotations

__all__ = ["SET_NAMES", "probe_lines", "probe_rows", "probe_words", "save_probe", "save_reconstruction"]

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ..evaluation.bottleneck import PROBED, Bottleneck
from .plots import GENERATED, REAL, STYLE, TRAINING, save_figure
from .words import number

Array = NDArray[np.floating[Any]]

SET_NAMES = {
    "data": "data",
    "mean": "decode(mean)",
    "posterior": "decode(posterior)",
    "prior": "decode(prior)",
}
_SHORT = {"std": "sd", "kurtosis": "kurtosis", "acf_abs": "ACF of |x|"}


def probe_rows(probe: Bottleneck) -> list[list[str]]:
    """Rows of the table: part, column, set, and the statistics; the first row names them."""
    several = len(probe.columns) > 1
    head = ["part", *(["column"] if several else []), "windows"]
    head += [_SHORT.get(name, name.replace("_", " ").replace("quantile", "q")) for name in PROBED]
    rows = [head]
    for part, sets in probe.sets.items():
        for c, column in enumerate(probe.columns):
            for what, found in sets.items():
                numbers = [_number(found[name][c]) for name in PROBED]
                rows.append([part, *([column] if several else []), SET_NAMES[what], *numbers])
    return rows


def probe_words(probe: Bottleneck) -> list[str]:
    """What the probe says beside its table: the units, the errors of each column, and what they mean."""
    units = probe.units
    words = [
        f"{units.active} of {units.total} latent units are active, {sum(units.kl):.3g} nats a window; "
        f"nats a unit: {_listed(units.kl)}"
    ]
    for column, bands in zip(probe.columns, probe.bands, strict=True):
        text = ", ".join(f"{100 * b.low:g}–{100 * b.high:g} %: {number(b.rmse)}" for b in bands)
        words.append(f"rms error of decode(mean) by quantile of {column} ({probe.part}): {text}")
    return [*words, _meaning(probe)]


def probe_lines(probe: Bottleneck) -> list[str]:
    """The probe as lines for a terminal."""
    rows, (units, *rest) = probe_rows(probe), probe_words(probe)
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    words = len(rows[0]) - len(PROBED)
    lines = [f"bottleneck probe: {units}"]
    for row in rows:
        padded = zip(row, widths, strict=True)
        cells = [cell.ljust(w) if k < words else cell.rjust(w) for k, (cell, w) in enumerate(padded)]
        lines.append("  ".join(cells).rstrip())
    return [*lines, *rest]


def _meaning(probe: Bottleneck) -> str:
    """What diffusion in this latent space can and cannot repair, by the training part."""
    sets = next(iter(probe.sets.values()))
    if "prior" not in sets:
        return "decode(posterior) is the best that diffusion in this latent space can reach."
    cannot, gap = [], []
    for name in ("kurtosis", "tail_0.1%", "tail_99.9%", "acf_abs"):
        data, best, prior = (float(np.mean(sets[s][name])) for s in ("data", "posterior", "prior"))
        words = _SHORT.get(name, name.replace("_", " "))
        if abs(best - data) > 0.15 * abs(data):
            cannot.append(f"{words} {number(best)} instead of {number(data)}")
        if abs(prior - best) > 0.1 * abs(best):
            gap.append(f"{words} from {number(prior)} to {number(best)}")
    lost, won = ("; ".join(words) or "nothing that is probed here" for words in (cannot, gap))
    return f"no diffusion in this latent space repairs: {lost}. What it can win over the prior: {won}."


def _listed(values: list[float], most: int = 12) -> str:
    shown = ", ".join(number(v) for v in values[:most])
    return shown + (", …" if len(values) > most else "")


def _number(value: float) -> str:
    return "–" if not math.isfinite(value) else number(value)


def save_probe(path: Path, probe: Bottleneck, windows: dict[str, Array]) -> None:
    """Densities and autocorrelations of the four sets, nats by unit, errors by quantile.

    Args:
        path: of the PNG.
        probe: what was found.
        windows: the first part's sets, each (N, L, C); the first column is shown.
    """
    from ..evaluation.statistics import LAGS, autocorrelation, deviations

    colours = {"data": REAL, "mean": TRAINING, "posterior": GENERATED, "prior": "#8e44ad"}
    name = probe.columns[0]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 7))
        density, dynamics, kl, error = figure.subplots(2, 2).ravel()
        everything = np.concatenate([w[:, :, 0].ravel() for w in windows.values()])
        low, high = np.quantile(everything, [0.0002, 0.9998])
        edges = np.linspace(low, high, 61)
        middles = 0.5 * (edges[1:] + edges[:-1])
        for what, values in windows.items():
            heights = np.histogram(values[:, :, 0], edges, density=True)[0]
            shown = np.where(heights > 0, heights, np.nan)
            density.step(middles, shown, where="mid", color=colours[what], label=SET_NAMES[what], lw=1.3)
            rho = autocorrelation(deviations(values[:, :, 0]))
            dynamics.plot(np.arange(1, LAGS + 1), rho, "o-", ms=3, color=colours[what], label=SET_NAMES[what])
        density.set(yscale="log", xlabel=name, ylabel="density")
        dynamics.set(xlabel="lag (steps)", ylabel=f"autocorrelation of |{name} − mean|")
        density.legend(frameon=False)
        dynamics.legend(frameon=False)
        kl.bar(np.arange(1, len(probe.units.kl) + 1), probe.units.kl, color=REAL)
        kl.set(xlabel="latent unit, by what it says", ylabel="KL to the prior (nats)")
        bands = probe.bands[0]
        labels = [f"{100 * b.low:g}–{100 * b.high:g}" for b in bands]
        error.bar(labels, [b.rmse for b in bands], color=GENERATED, label="root mean square")
        error.plot(labels, [b.bias for b in bands], "o", color=REAL, label="mean error")
        error.set(xlabel=f"quantiles of {name} (%), {probe.part}", ylabel=f"decode(mean) − data, {name}")
        error.tick_params(axis="x", rotation=45)
        error.legend(frameon=False)
        figure.suptitle(f"Bottleneck: {probe.units.active} of {probe.units.total} units are active")
        save_figure(figure, path)


def save_reconstruction(
    path: Path,
    data: Array,
    mean: Array,
    draws: Array,
    columns: list[str],
    title: str,
    time: Array | None = None,
) -> None:
    """One window, what the decoder makes of its latent's mean, and where its draws lie.

    Args:
        path: of the PNG.
        data: the window, (L, C), in the data's units.
        mean: decode(mean), (L, C).
        draws: decode(posterior), (S, L, C).
        columns: names of the C columns.
        title: of the picture.
        time: time stamps of the steps; None: they are counted.
    """
    with mpl.rc_context(STYLE):
        shown = columns[:4]
        figure = Figure(figsize=(9, 0.8 + 2.6 * len(shown)))
        axes = figure.subplots(len(shown), 1, squeeze=False)[:, 0]
        steps = np.arange(len(data)) if time is None else time
        for c, (axis, name) in enumerate(zip(axes, shown, strict=True)):
            low, high = np.quantile(draws[:, :, c], [0.05, 0.95], axis=0)
            axis.fill_between(steps, low, high, color=GENERATED, alpha=0.2, lw=0,
                              label=f"decode(posterior), 5–95 % of {len(draws)} draws")  # fmt: skip
            axis.plot(steps, data[:, c], color=REAL, lw=1.3, label="data")
            axis.plot(steps, mean[:, c], color=GENERATED, lw=1.3, label="decode(mean)")
            axis.set_ylabel(name)
        axes[0].legend(frameon=False, loc="upper left", ncols=3, fontsize=8)
        axes[-1].set_xlabel("step" if time is None else "time")
        figure.suptitle(title)
        save_figure(figure, path)
