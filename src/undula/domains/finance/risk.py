r"""Risk figures of windows of log returns r (N, L), in the units of money and of a year.

    realised volatility   σ_i = √(A mean_t r²_{i,t})            a window's, annualised with A periods a year
    simple return         R = e^r − 1;   price P_{i,t} = e^{r_{i,1} + … + r_{i,t}}, P_{i,0} = 1
    value at risk         VaR_q = −(quantile q of R)            of all steps; a loss is positive
    expected shortfall    ES_q = −mean(R | R ≤ quantile q)
    maximum drawdown      max_t (1 − P_{i,t}/max_{s ≤ t} P_{i,s})

Losses are of simple returns, never of standardised ones. Skewness and excess kurtosis pool all returns.

References:
    McNeil, Frey, Embrechts (2015). Quantitative risk management. ISBN 978-0-691-16627-8
    Andersen, Bollerslev (1998). Answering the skeptics: yes, standard volatility models do provide
    accurate forecasts. doi:10.2307/2527343
"""

from __future__ import annotations

__all__ = [
    "RISKS",
    "drawdowns",
    "expected_shortfall",
    "kurtosis",
    "realised_volatilities",
    "skewness",
    "value_at_risk",
]

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.floating[Any]]

_TAIL = 0.01


def realised_volatilities(r: Array, per_year: float = 252.0) -> Array:
    """σ of each window, (N,), a year's."""
    volatilities: Array = np.sqrt(per_year * np.mean(np.square(r), axis=1))
    return volatilities


def drawdowns(r: Array) -> Array:
    """The largest fall of each window from its highest price so far, (N,), a share."""
    path = np.concatenate([np.zeros((len(r), 1)), np.cumsum(r, axis=1)], axis=1)
    falls: Array = np.max(-np.expm1(path - np.maximum.accumulate(path, axis=1)), axis=1)
    return falls


def value_at_risk(r: Array, q: float = _TAIL) -> float:
    """The loss of a step that a share q of all steps exceeds."""
    return -float(np.expm1(np.quantile(r, q)))


def expected_shortfall(r: Array, q: float = _TAIL) -> float:
    """The mean loss of the steps at or beyond the value at risk."""
    pooled = r.ravel()
    return -float(np.expm1(pooled[pooled <= np.quantile(pooled, q)]).mean())


def skewness(r: Array) -> float:
    """Of all returns."""
    return float(stats.skew(r, axis=None))


def kurtosis(r: Array) -> float:
    """Excess kurtosis of all returns."""
    return float(stats.kurtosis(r, axis=None))


def _median_volatility(r: Array, per_year: float) -> float:
    return float(np.median(realised_volatilities(r, per_year)))


def _a_step(figure: Callable[[Array], float]) -> Callable[[Array, float], float]:
    """A figure that does not ask how many steps a year has."""
    return lambda r, _: figure(r)


RISKS: dict[str, Callable[[Array, float], float]] = {
    "volatility": _median_volatility,
    "skewness": _a_step(skewness),
    "kurtosis": _a_step(kurtosis),
    "var_1%": _a_step(value_at_risk),
    "es_1%": _a_step(expected_shortfall),
    "drawdown": _a_step(lambda r: float(np.median(drawdowns(r)))),
}
"""Figures of windows (N, L) with so many steps a year; volatility and drawdown: medians over windows."""
