"""Numbers of windows of log returns, by name, for a judge: windows (N, L) in, one number out.

Losses are positive and of the price, 1 − exp of the sum of log returns: simple returns with the sign turned.
A drawdown counts the price before the window. So it is in all of `finance`.

`volatility_clustering`, `sizes_clustering` and `leverage_effect` are means over lags 1 to 10; `hill_…`
is the tail index α of 5 % of the values; `var_…`, `es_…` and `drawdown_…` are shares of the price,
over one step, over a window where the name says so, and within a window; see the modules beside this.
"""

from __future__ import annotations

__all__ = ["FINANCE", "FINANCE_WORDS"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evaluation.names import About
from ...evaluation.statistics import Statistic
from .dynamics import aggregated_kurtosis, clustering, leverage
from .paths import gain_loss_asymmetry, maximum_drawdown
from .tails import expected_shortfall, hill, losses, value_at_risk

Array = NDArray[np.floating[Any]]


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


FINANCE: dict[str, Statistic] = {
    "volatility_clustering": lambda r: _mean(clustering(r, "squares")),
    "sizes_clustering": lambda r: _mean(clustering(r, "sizes")),
    "leverage_effect": lambda r: _mean(leverage(r)),
    "hill_lower": lambda r: hill(r, "lower").alpha,
    "hill_upper": lambda r: hill(r, "upper").alpha,
    "gain_loss_asymmetry": gain_loss_asymmetry,
    "kurtosis_5_steps": lambda r: aggregated_kurtosis(r, 5),
    "kurtosis_20_steps": lambda r: aggregated_kurtosis(r, 20),
    "var_1%": lambda r: value_at_risk(losses(r), 0.01),
    "var_5%": lambda r: value_at_risk(losses(r), 0.05),
    "es_1%": lambda r: expected_shortfall(losses(r), 0.01),
    "es_5%": lambda r: expected_shortfall(losses(r), 0.05),
    "var_5%_of_window": lambda r: value_at_risk(losses(r, r.shape[1]), 0.05),
    "drawdown_mean": lambda r: float(maximum_drawdown(r).mean()),
    "drawdown_95%": lambda r: float(np.quantile(maximum_drawdown(r), 0.95)),
}
"""Stylised facts and risk of one column of log returns."""

_STEP, _SHARE = "of a step", "share of the price"

FINANCE_WORDS: dict[str, About] = {
    name: About(words, "domain")
    for name, words in {
        "volatility_clustering": "volatility clustering: autocorrelation of squared returns, lags 1–10",
        "sizes_clustering": "volatility clustering: autocorrelation of |returns|, lags 1–10",
        "leverage_effect": "leverage effect: returns with later squares, lags 1–10 (per unit return)",
        "hill_lower": "tail index of losses (Hill, 5 % of the values)",
        "hill_upper": "tail index of gains (Hill, 5 % of the values)",
        "gain_loss_asymmetry": "gain/loss asymmetry: how much later gains come (share of the window)",
        "kurtosis_5_steps": "excess kurtosis of returns over 5 steps",
        "kurtosis_20_steps": "excess kurtosis of returns over 20 steps",
        "var_1%": f"value at risk 1 % {_STEP} ({_SHARE})",
        "var_5%": f"value at risk 5 % {_STEP} ({_SHARE})",
        "es_1%": f"expected shortfall 1 % {_STEP} ({_SHARE})",
        "es_5%": f"expected shortfall 5 % {_STEP} ({_SHARE})",
        "var_5%_of_window": f"value at risk 5 % of a window ({_SHARE})",
        "drawdown_mean": f"maximum drawdown in a window: mean ({_SHARE})",
        "drawdown_95%": f"maximum drawdown in a window: 95 % quantile ({_SHARE})",
    }.items()
}
"""What each is called in tables."""
