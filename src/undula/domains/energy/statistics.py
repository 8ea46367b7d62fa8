r"""Numbers of windows of load or generation, by name, for a judge: windows (N, L) in, one number out.

    ramp_k_q            quantile q of x_{t+k} − x_t, in the data's units, for k = 1, 3 steps
    peak_mean, peak_95% of the windows' largest values; peak_step: mean step of these, from 0
    base_mean           mean of the windows' smallest values
    load_factor         mean over windows of mean/maximum; NaN if a maximum is not positive
    zero_mass           share of values that are exactly 0

A window should be a day (24 hourly steps from midnight: data.align: day) for peaks to be daily ones.
Distances between two sets of windows:

    load_duration   ∫_0^1 |Q_x(p) − Q_y(p)| dp: the mean distance of the load duration curves, which are
                    the quantile functions read from the top; hence the Wasserstein-1 distance of the values,
                    and a judge that shows that one does not show it again
    profile         root mean square over steps of the difference of the mean windows
    ramps           the Wasserstein-1 distance of the differences over one step

References:
    Hong, Fan (2016). Probabilistic electric load forecasting: a tutorial review.
    doi:10.1016/j.ijforecast.2015.11.011
    Sevlian, Rajagopal (2013). Detection and statistics of wind power ramps. doi:10.1109/TPWRS.2013.2266378
"""

from __future__ import annotations

__all__ = [
    "ENERGY",
    "ENERGY_DISTANCES",
    "ENERGY_WORDS",
    "energy_figures",
    "load_duration_curve",
    "ramps",
    "zero_mass",
]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...evaluation.field import FieldFigures
from ...evaluation.names import About
from ...evaluation.statistics import DISTANCES, Between, Statistic

Array = NDArray[np.floating[Any]]


def ramps(windows: Array, lag: int = 1) -> Array:
    """x_{t+lag} − x_t within windows (N, L), flat, in the data's units; empty where the lag does not fit."""
    if lag >= windows.shape[1]:
        return np.empty(0)
    differences = (windows[:, lag:] - windows[:, :-lag]).ravel()
    there: Array = differences[~np.isnan(differences)]
    return there


def zero_mass(windows: Array) -> float:
    """The share of values that are exactly 0; NaN are left out."""
    flat = windows[~np.isnan(windows)]
    return float((flat == 0).mean()) if len(flat) else float("nan")


def load_duration_curve(windows: Array, shares: Array) -> Array:
    """The load that is exceeded for a share of the time, in the data's units.

    Args:
        windows: values of any shape; NaN are left out.
        shares: of the time, in [0, 1].
    """
    curve: Array = np.nanquantile(windows, 1.0 - shares)
    return curve


def _ramp(lag: int, q: float) -> Statistic:
    def quantile(windows: Array) -> float:
        values = ramps(windows, lag)
        return float(np.quantile(values, q)) if len(values) else float("nan")

    return quantile


def _load_factor(windows: Array) -> float:
    highest = np.nanmax(windows, axis=1)
    return float((np.nanmean(windows, axis=1) / highest).mean()) if (highest > 0).all() else float("nan")


ENERGY: dict[str, Statistic] = {
    "ramp_1_1%": _ramp(1, 0.01),
    "ramp_1_99%": _ramp(1, 0.99),
    "ramp_3_1%": _ramp(3, 0.01),
    "ramp_3_99%": _ramp(3, 0.99),
    "peak_mean": lambda x: float(np.nanmax(x, axis=1).mean()),
    "peak_95%": lambda x: float(np.quantile(np.nanmax(x, axis=1), 0.95)),
    "peak_step": lambda x: float(np.nanargmax(x, axis=1).mean()),
    "base_mean": lambda x: float(np.nanmin(x, axis=1).mean()),
    "load_factor": _load_factor,
    "zero_mass": zero_mass,
}
"""Ramps, peaks and zeros of one column of load or generation."""


def _profile(x: Array, y: Array) -> float:
    return float(np.sqrt(np.mean((np.nanmean(x, axis=0) - np.nanmean(y, axis=0)) ** 2)))


ENERGY_DISTANCES: dict[str, Between] = {
    "load_duration": DISTANCES["wasserstein"],
    "profile": _profile,
    "ramps": lambda x, y: float(stats.wasserstein_distance(ramps(x), ramps(y))),
}
"""Distances between two sets of windows (N, L) of one column, in the data's units."""


def _about(words: str, unit: bool = True) -> About:
    return About(words, "domain", unit=unit)


ENERGY_WORDS: dict[str, About] = {
    "ramp_1_1%": _about("ramps over 1 step: 1 % quantile"),
    "ramp_1_99%": _about("ramps over 1 step: 99 % quantile"),
    "ramp_3_1%": _about("ramps over 3 steps: 1 % quantile"),
    "ramp_3_99%": _about("ramps over 3 steps: 99 % quantile"),
    "peak_mean": _about("peak of a window: mean"),
    "peak_95%": _about("peak of a window: 95 % quantile"),
    "peak_step": _about("step of the peak in a window, from 0: mean", unit=False),
    "base_mean": _about("smallest value of a window: mean"),
    "load_factor": _about("load factor of a window: mean over maximum", unit=False),
    "zero_mass": _about("share of values that are exactly 0", unit=False),
    "load_duration": _about("load duration curve (the values' Wasserstein distance): mean gap"),
    "profile": _about("mean window, step by step: root mean square gap"),
    "ramps": _about("ramps over 1 step: Wasserstein distance"),
}
"""What each is called in tables."""


def energy_figures(columns: Sequence[str]) -> FieldFigures:
    """`ENERGY` and `ENERGY_DISTANCES` for a judge, of all columns."""
    return FieldFigures(
        about=ENERGY_WORDS,
        statistics=ENERGY,
        distances=ENERGY_DISTANCES,
        columns=tuple(range(len(columns))),
        names=tuple(columns),
        same={"load_duration": "wasserstein"},
    )
