r"""How returns depend on the past: volatility clustering, leverage, aggregational Gaussianity.

    clustering   ρ_k of r² and of |r|, k = 1 … K: autocorrelations around the pooled mean
    leverage     L_k = ⟨r_t r²_{t+k}⟩ / ⟨r²⟩², r less its mean: negative where losses raise volatility
    aggregation  excess kurtosis of the sums of h returns: for independent returns κ_h = κ_1 / h

References:
    Cont (2001). Empirical properties of asset returns. doi:10.1080/713665670
    Bouchaud, Matacz, Potters (2001). Leverage effect in financial markets. doi:10.1103/PhysRevLett.87.228701
"""

from __future__ import annotations

__all__ = ["LAGS", "aggregated_kurtosis", "clustering", "leverage"]

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ...evaluation.statistics import LAGS, autocorrelation
from .paths import sums_over

Array = NDArray[np.floating[Any]]


def clustering(returns: Array, of: Literal["squares", "sizes"] = "squares", lags: int = LAGS) -> Array:
    """Autocorrelations of r² or |r| at lags 1 … `lags`; NaN for lags that do not fit.

    Args:
        returns: (N, L), less their pooled mean before they are squared.
        of: squares or sizes (absolute values).
        lags: K.
    """
    centred = returns - np.nanmean(returns)
    return autocorrelation(centred**2 if of == "squares" else np.abs(centred), lags)


def leverage(returns: Array, lags: int = LAGS) -> Array:
    """L_1 … L_lags of returns (N, L); NaN for lags that do not fit."""
    centred = returns - np.nanmean(returns)
    squares, length = centred**2, returns.shape[1]
    scale = float(np.nanmean(squares)) ** 2
    values = [
        np.nanmean(centred[:, :-k] * squares[:, k:]) if k < length and scale > 0 else np.nan
        for k in range(1, lags + 1)
    ]
    return np.array(values) / (scale or 1.0)


def aggregated_kurtosis(returns: Array, steps: int) -> float:
    """Excess kurtosis of the sums of `steps` returns within windows (N, L); NaN where they do not fit."""
    if steps > returns.shape[1]:
        return float("nan")
    sums = sums_over(returns, steps)
    flat = sums[~np.isnan(sums)]
    return float(stats.kurtosis(flat)) if len(flat) else float("nan")
