r"""Tails of returns: Hill's tail index, value at risk, expected shortfall.

With the order statistics x_(1) ≥ x_(2) ≥ … of the values of one tail, all positive,

    1/α̂ = (1/k) Σ_{i ≤ k} log(x_(i) / x_(k+1)),    standard error ≈ α̂/√k for independent values.

k is the number of values that count as tail. It is a choice, so it is part of the answer; without one
it is 5 % of the values of both tails together. Losses are of the price over a horizon of h steps,
ℓ = 1 − exp(r_1 + … + r_h) for log returns r, as a share of the price before:

    VaR_q = the (1 − q) quantile of ℓ,    ES_q = (1/q) ∫_0^q VaR_u du,

the integral over the empirical distribution, in which the value at the boundary counts in part.

References:
    Hill (1975). A simple general approach to inference about the tail of a distribution.
    doi:10.1214/aos/1176343247
    Acerbi, Tasche (2002). On the coherence of expected shortfall. doi:10.1016/S0378-4266(02)00283-2
"""

from __future__ import annotations

__all__ = ["TAIL_SHARE", "Hill", "expected_shortfall", "hill", "losses", "value_at_risk"]

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core.errors import DataError
from .paths import sums_over

Array = NDArray[np.floating[Any]]

TAIL_SHARE = 0.05
"""The share of all values that `hill` takes as one tail."""

_FEWEST = 10

_LARGEST = 700.0
"""Gains beyond the largest number count as that; losses are never larger than 1."""


@dataclass(frozen=True)
class Hill:
    """A tail index.

    Args:
        alpha: α̂; smaller is heavier; NaN where there are too few values.
        k: values in the tail.
        threshold: x_(k+1), where the tail begins, in the data's units.
        standard_error: α̂/√k, for independent values.
    """

    alpha: float
    k: int
    threshold: float
    standard_error: float


def hill(x: Array, tail: Literal["lower", "upper"] = "upper", k: int | None = None) -> Hill:
    """Hill's estimate of the tail index.

    Args:
        x: values of any shape; NaN are left out.
        tail: of the positive values, or of the negative ones with their signs turned.
        k: values in the tail; None: 5 % of all values. Fewer than 10 give NaN.

    Raises:
        DataError: if k is not between 1 and the number of values of that sign, less one.
    """
    flat = x[~np.isnan(x)]
    side = np.sort(flat[flat > 0] if tail == "upper" else -flat[flat < 0])[::-1]
    if k is None:
        k = int(TAIL_SHARE * len(flat))
        if k < _FEWEST or k >= len(side):
            return Hill(float("nan"), k, float("nan"), float("nan"))
    elif not 0 < k < len(side):
        raise DataError(
            f"hill: k = {k} values in the {tail} tail, of {len(side)} values of that sign: "
            f"expected 1 to {max(len(side) - 1, 1)}"
        )
    excess = float(np.log(side[:k] / side[k]).mean())
    alpha = 1.0 / excess if excess > 0 else float("nan")
    return Hill(alpha, k, float(side[k]), float(alpha / np.sqrt(k)))


def losses(returns: Array, horizon: int = 1) -> Array:
    """Losses of the price over every `horizon` steps within a window, as shares of it; gains are negative.

    Args:
        returns: log returns, (N, L).
        horizon: h steps; overlapping stretches of a window all count.
    """
    if not 0 < horizon <= returns.shape[1]:
        raise DataError(
            f"losses: a horizon of {horizon} steps in windows of {returns.shape[1]}: expected 1 to that"
        )
    values: Array = -np.expm1(np.minimum(sums_over(returns, horizon), _LARGEST))
    return values


def value_at_risk(loss: Array, q: float) -> float:
    """VaR_q: the loss that is exceeded with probability q.

    Args:
        loss: losses of any shape; NaN are left out.
        q: in (0, 1), such as 0.01.
    """
    flat = loss[~np.isnan(loss)]
    return float(np.quantile(flat, 1.0 - q)) if len(flat) else float("nan")


def expected_shortfall(loss: Array, q: float) -> float:
    """ES_q: the mean of the worst share q of the losses.

    Args:
        loss: losses of any shape; NaN are left out.
        q: in (0, 1), such as 0.01.
    """
    worst = np.sort(loss[~np.isnan(loss)])[::-1]
    if not len(worst):
        return float("nan")
    share = q * len(worst)
    weights = np.clip(share - np.arange(len(worst)), 0.0, 1.0)
    return float((weights * worst).sum() / share)
