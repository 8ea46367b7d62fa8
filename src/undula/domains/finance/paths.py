r"""The prices that windows of log returns make, and what happens on the way.

    P_0 = 1,  P_t = exp(r_1 + … + r_t)
    maximum drawdown     max_{s ≤ t} (1 − P_t / P_s), a share of the price
    first passage        T₊ = min {t : S_t ≥ ρ},  T₋ = min {t : S_t ≤ −ρ},  S_t = Σ_{i ≤ t} (r_i − r̄)

Losses of an index come faster than gains of the same size: the gain/loss asymmetry is

    (E min(T₊, L) − E min(T₋, L)) / L    for ρ = `LEVEL` · sd(r) · √L,

with the mean drift r̄ taken out, since a drift alone makes gains come first. It is 0 for a walk whose
steps have a symmetric distribution, and positive where losses come first.

References:
    Jensen, Johansen, Simonsen (2003). Inverse statistics in economics: the gain-loss asymmetry.
    doi:10.1016/S0378-4371(02)01884-8
    Magdon-Ismail, Atiya (2004). Maximum drawdown. Risk Magazine 17(10).
"""

from __future__ import annotations

__all__ = ["LEVEL", "first_passage", "gain_loss_asymmetry", "maximum_drawdown", "prices", "sums_over"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

LEVEL = 0.5
"""ρ in standard deviations of the sum of a window's returns."""


def prices(returns: Array, start: float = 1.0) -> Array:
    """Prices (N, L + 1) that begin at `start` and have these log returns (N, L); none counts as 0."""
    path: Array = start * np.exp(_log_prices(returns))
    return path


def _log_prices(returns: Array) -> Array:
    sums = np.nancumsum(returns, axis=1)
    path: Array = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
    return path


def sums_over(returns: Array, steps: int) -> Array:
    """Sums over every `steps` neighbours, (N, L − steps + 1); NaN where one of them is missing."""
    total = np.concatenate([np.zeros((len(returns), 1)), np.nancumsum(returns, axis=1)], axis=1)
    sums: Array = total[:, steps:] - total[:, :-steps]
    missing = np.isnan(returns)
    if missing.any():
        sums[np.lib.stride_tricks.sliding_window_view(missing, steps, axis=1).any(axis=-1)] = np.nan
    return sums


def maximum_drawdown(returns: Array) -> Array:
    """The largest loss from a high to a later low in each window, (N,), as a share of the high.

    Args:
        returns: log returns, (N, L); the price before the first one counts as a high.
    """
    path = _log_prices(returns)
    deepest: Array = (np.maximum.accumulate(path, axis=1) - path).max(axis=1)
    return -np.expm1(-deepest)


def first_passage(returns: Array, level: float) -> Array:
    """The step in which the sum of the returns first reaches a level, (N,); infinite where it does not.

    Args:
        returns: (N, L).
        level: ρ > 0: reached from below; ρ < 0: from above. In units of the returns.
    """
    sums = np.nancumsum(returns, axis=1)
    reached = sums >= level if level > 0 else sums <= level
    steps: Array = np.where(reached.any(axis=1), reached.argmax(axis=1) + 1.0, np.inf)
    return steps


def gain_loss_asymmetry(returns: Array, level: float | None = None) -> float:
    """How much later gains of size ρ come than losses, as a share of the window; NaN if nothing varies.

    Args:
        returns: log returns, (N, L).
        level: ρ, in units of the returns; None: half a standard deviation of a window's sum.
    """
    length = returns.shape[1]
    sd = float(np.nanstd(returns))
    if not sd > 0:
        return float("nan")
    rho = LEVEL * sd * np.sqrt(length) if level is None else level
    centred = returns - np.nanmean(returns)
    up, down = (np.minimum(first_passage(centred, sign * rho), length) for sign in (1.0, -1.0))
    return float((up - down).mean() / length)
