r"""What a study of scenarios says of windows of log returns r (N, L), in the units of money and of a year.

    realised volatility   σ_i = √(A mean_t r²_{i,t})   a window's, annualised with A periods a year

Value at risk and expected shortfall are those of `tails`, drawdowns those of `paths`; skewness and excess
kurtosis pool all returns.

References:
    Andersen, Bollerslev (1998). Answering the skeptics: yes, standard volatility models do provide
    accurate forecasts. doi:10.2307/2527343
"""

from __future__ import annotations

__all__ = ["RISKS", "realised_volatilities"]

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evaluation.statistics import STATISTICS, Statistic
from .paths import maximum_drawdown
from .statistics import FINANCE

Array = NDArray[np.floating[Any]]


def realised_volatilities(r: Array, per_year: float = 252.0) -> Array:
    """σ of each window, (N,), a year's."""
    volatilities: Array = np.sqrt(per_year * np.mean(np.square(r), axis=1))
    return volatilities


def _median_volatility(r: Array, per_year: float) -> float:
    return float(np.median(realised_volatilities(r, per_year)))


def _a_step(figure: Statistic) -> Callable[[Array, float], float]:
    """A figure that does not ask how many steps a year has."""
    return lambda r, _: figure(r)


RISKS: dict[str, Callable[[Array, float], float]] = {
    "volatility": _median_volatility,
    "skewness": _a_step(STATISTICS["skewness"]),
    "kurtosis": _a_step(STATISTICS["kurtosis"]),
    "var_1%": _a_step(FINANCE["var_1%"]),
    "es_1%": _a_step(FINANCE["es_1%"]),
    "drawdown": _a_step(lambda r: float(np.median(maximum_drawdown(r)))),
}
"""Figures of windows (N, L) with so many steps a year; volatility and drawdown: medians over windows."""
