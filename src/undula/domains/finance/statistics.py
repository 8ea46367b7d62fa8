"""Numbers of windows of log returns, by name, for a judge: windows (N, L) in, one number out.

`volatility_clustering`, `sizes_clustering` and `leverage_effect` are means over lags 1 to 10; `hill_…`
is the tail index α of 5 % of the values; `var_…`, `es_…` and `drawdown_…` are shares of the price,
over one step, over a window where the name says so, and within a window; see the modules beside this.
"""

from __future__ import annotations

__all__ = ["FINANCE", "return_columns"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evaluation.statistics import Statistic
from .dynamics import aggregated_kurtosis, clustering, leverage
from .paths import gain_loss_asymmetry, maximum_drawdown
from .tails import expected_shortfall, hill, losses, value_at_risk

Array = NDArray[np.floating[Any]]

_RETURNS = ("log_return", "logret")


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


def return_columns(columns: Sequence[str]) -> list[str]:
    """The columns that hold log returns, by their names: those for which `FINANCE` has a meaning."""
    return [name for name in columns if name.endswith(_RETURNS)]
