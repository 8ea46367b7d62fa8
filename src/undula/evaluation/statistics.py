r"""Statistics of one feature's windows (N, L), and distances between two sets of windows.

Moments and quantiles pool all numbers. Autocorrelations pool products within windows around the
pooled mean, so that differences between windows (calm and stormy ones) count as correlation, as
they do in the series itself:

    ρ_k = mean_{i,t} (x_{i,t} − x̄)(x_{i,t+k} − x̄) / mean (x − x̄)²

A tail is a quantile of the values' distances from their median, in their standard deviations: its
weight does not depend on whether the period was calm, as a quantile does. `leverage` is the mean
over lags 1–10 of the correlation between x_t and |x_{t+k}|.

References:
    Cont (2001). Empirical properties of asset returns: stylized facts and statistical issues.
    doi:10.1080/713665670
"""

from __future__ import annotations

__all__ = [
    "DISTANCES",
    "LAGS",
    "STATISTICS",
    "Between",
    "Statistic",
    "autocorrelation",
    "deviations",
    "leverage_by_lag",
]

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.floating[Any]]

Statistic = Callable[[Array], float]
Between = Callable[[Array, Array], float]

LAGS = 10


def autocorrelation(x: Array, lags: int = LAGS) -> Array:
    """ρ_1 … ρ_lags of windows (N, L); NaN for lags that do not fit."""
    return _lagged(x, x, lags)


def leverage_by_lag(x: Array, lags: int = LAGS) -> Array:
    """Correlation of x_t with |x_{t+k} − x̄| for k = 1 … lags."""
    return _lagged(x, deviations(x), lags)


def deviations(x: Array) -> Array:
    """|x − x̄| with the pooled mean."""
    return np.abs(x - np.nanmean(x))


def _lagged(first: Array, second: Array, lags: int) -> Array:
    a, b = first - np.nanmean(first), second - np.nanmean(second)
    scale = np.sqrt(np.nanmean(a**2) * np.nanmean(b**2))
    length = first.shape[1]
    values = [np.nanmean(a[:, :-k] * b[:, k:]) if k < length else np.nan for k in range(1, lags + 1)]
    return np.array(values) / scale if scale > 0 else np.full(lags, np.nan)


def _mean_over_lags(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def _pooled(x: Array) -> Array:
    flat: Array = x[~np.isnan(x)]
    return flat


def _quantile(q: float) -> Statistic:
    return lambda x: float(np.nanquantile(x, q))


def _tail(q: float) -> Statistic:
    def tail(x: Array) -> float:
        sd = float(np.nanstd(x))
        return float(np.nanquantile(x, q) - np.nanmedian(x)) / sd if sd > 0 else float("nan")

    return tail


def _shape(moment: Callable[[Array], Any]) -> Statistic:
    """A standardised moment; NaN of values that are all the same."""

    def of(x: Array) -> float:
        values = _pooled(x)
        return float(moment(values)) if len(values) and np.ptp(values) > 0 else float("nan")

    return of


STATISTICS: dict[str, Statistic] = {
    "std": lambda x: float(np.nanstd(x)),
    "skewness": _shape(stats.skew),
    "kurtosis": _shape(stats.kurtosis),
    "quantile_0.1%": _quantile(0.001),
    "quantile_1%": _quantile(0.01),
    "quantile_99%": _quantile(0.99),
    "quantile_99.9%": _quantile(0.999),
    "tail_0.1%": _tail(0.001),
    "tail_99.9%": _tail(0.999),
    "acf": lambda x: _mean_over_lags(autocorrelation(x)),
    "acf_abs": lambda x: _mean_over_lags(autocorrelation(deviations(x))),
    "acf_squared": lambda x: _mean_over_lags(autocorrelation(deviations(x) ** 2)),
    "leverage": lambda x: _mean_over_lags(leverage_by_lag(x)),
}
"""Numbers that generated and real windows should share; kurtosis is excess kurtosis."""


def _wasserstein(x: Array, y: Array) -> float:
    return float(stats.wasserstein_distance(_pooled(x), _pooled(y)))


def _ks(x: Array, y: Array) -> float:
    """The largest gap between the distribution functions; ties are handled exactly."""
    a, b = np.sort(_pooled(x)), np.sort(_pooled(y))
    points = np.concatenate([a, b])
    below_a = np.searchsorted(a, points, side="right") / len(a)
    below_b = np.searchsorted(b, points, side="right") / len(b)
    return float(np.abs(below_a - below_b).max())


def _increments(x: Array, y: Array) -> float:
    """Wasserstein distance of the first differences, in the standard deviation of those of y."""
    a, b = (_pooled(np.diff(v, axis=1)) for v in (x, y))
    scale = float(b.std()) if len(b) else 0.0
    return float(stats.wasserstein_distance(a, b)) / scale if scale > 0 and len(a) else float("nan")


DISTANCES: dict[str, Between] = {
    "wasserstein": _wasserstein,
    "ks": _ks,
    "increments": _increments,
}
"""Distances between the numbers of two sets of windows of one column; wasserstein in the data's units."""
