"""An ARIMA model a column, started from random places of the training part.

With w_t = Δ^d x_t − m:   w_t = Σ_i φ_i w_{t−i} + e_t + Σ_j θ_j e_{t−j}

by maximum likelihood (statsmodels' state space form, in which the rows between stretches are missing), p
and q by Akaike's criterion; d = 1 where a unit root is not refused at 5 % (augmented Dickey-Fuller), for
likelihoods of different d cannot be compared. Windows go on from a training row drawn at random, with its
w and e. Residuals are drawn as whole rows, the same for all columns, so that what happens together goes on
happening together; or they are Gaussian and independent.

References:
    Box, Jenkins (1970). Time series analysis: forecasting and control
"""

from __future__ import annotations

__all__ = ["ARIMABaseline"]

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ..core.baseline import BaseBaseline, OnProgress
from ..core.errors import DataError
from ..core.registry import register
from ..core.types import NonNegativeInt, PositiveInt
from ._series import differenced, draws, in_levels, wandering, whole_stretches

Array = NDArray[np.floating[Any]]

_GAP, _SETTLING, _LEAST_ROWS = 20, 20, 40


@register("baseline", "arima")
class ARIMABaseline(BaseBaseline):
    """An ARIMA model a column, of an order found: linear dynamics, columns joined by their residuals alone.

    Args:
        max_p: most autoregressive terms.
        max_q: most moving-average terms.
        differences: whether the columns are taken in differences; auto: those that wander.
        innovations: bootstrap: rows of residuals; gaussian: independent, of their variances.
        max_rows: to learn from; residuals are taken from all.
    """

    needs = "40 rows; seconds a column"

    def __init__(
        self,
        max_p: NonNegativeInt = 2,
        max_q: NonNegativeInt = 2,
        differences: Literal["auto"] | bool = "auto",
        innovations: Literal["bootstrap", "gaussian"] = "bootstrap",
        max_rows: PositiveInt = 2_000,
    ) -> None:
        self.max_p, self.max_q, self.max_rows = max_p, max_q, max_rows
        self.differences, self.innovations = differences, innovations

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> ARIMABaseline:
        """Find the orders and learn the coefficients; see `BaseBaseline.fit`."""
        stretches = whole_stretches(series, 4, "arima")
        self._which, self._length = wandering(stretches, self.differences), length
        steps = differenced(stretches, self._which)
        if sum(map(len, steps)) < _LEAST_ROWS:
            raise DataError(
                f"arima needs {_LEAST_ROWS} training rows, there are {sum(map(len, steps))}: give more data"
            )
        channels, lags = len(self._which), max(self.max_p, self.max_q, 1)
        self._means, self._orders = np.empty(channels), list[tuple[int, int]]()
        self._ar, self._ma = np.zeros((self.max_p, channels)), np.zeros((self.max_q, channels))
        chosen = _some(steps, self.max_rows)
        for c in range(channels):
            self._fit_column(c, _with_gaps([s[:, c] for s in chosen]))
            if on_progress is not None:
                on_progress((c + 1) / channels, f"column {c + 1}: {self._order_in_words(c)}")
        residuals = [self._residuals_of(s) for s in steps]
        skips = [max(lags, min(_SETTLING, len(s) // 2)) for s in steps]
        usable = [
            (s, e, x[1:], k)
            for s, e, x, k in zip(steps, residuals, stretches, skips, strict=True)
            if len(s) > k
        ]
        if not usable:
            raise DataError(
                f"arima needs a training stretch of more than {lags + 1} rows: set a lower max_p and max_q"
            )
        self._residuals = np.concatenate([e[k:] for _, e, _, k in usable])
        self._residuals -= self._residuals.mean(0)
        self._levels = np.concatenate([x[k:] for _, _, x, k in usable])
        past = [_windows_before(s - self._means, k, lags) for s, _, _, k in usable]
        self._past = np.concatenate(past)  # (N, lags, C), the newest first
        self._past_noise = np.concatenate([_windows_before(e, k, lags) for _, e, _, k in usable])
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows that go on from random training rows, (n, L, C)."""
        start = draws(seed, "start").integers(0, len(self._levels), n)
        if self.innovations == "bootstrap":
            noise = self._residuals[
                draws(seed, "residuals").integers(0, len(self._residuals), (n, self._length))
            ]
        else:
            white = draws(seed, "residuals").standard_normal((n, self._length, len(self._means)))
            noise = white * self._residuals.std(0)
        steps = self.continued(self._past[start], self._past_noise[start], noise)
        return in_levels(steps + self._means, self._levels[start], self._which)

    def continued(self, past: Array, past_noise: Array, noise: Array) -> Array:
        """What follows a past, less its means.

        Args:
            past: w, the newest first, (n, lags, C) with at least max_p lags.
            past_noise: e, likewise, with at least max_q lags.
            noise: e to come, (n, L, C).

        Returns:
            w to come, (n, L, C).
        """
        steps = np.empty_like(noise)
        for t in range(noise.shape[1]):
            steps[:, t] = (
                noise[:, t]
                + (self._ar * past[:, : self.max_p]).sum(1)
                + (self._ma * past_noise[:, : self.max_q]).sum(1)
            )
            past = np.concatenate((steps[:, t, None], past[:, :-1]), axis=1)
            past_noise = np.concatenate((noise[:, t, None], past_noise[:, :-1]), axis=1)
        return steps

    def notes(self) -> list[str]:
        """The order of each column."""
        return [f"column {c + 1}: {self._order_in_words(c)}" for c in range(len(self._orders))]

    def _order_in_words(self, column: int) -> str:
        p, q = self._orders[column]
        return f"ARIMA({p}, {int(self._which[column])}, {q})"

    def _fit_column(self, column: int, x: Array) -> None:
        """The order of the lowest criterion and its coefficients, of values with gaps."""
        from statsmodels.tools.sm_exceptions import ConvergenceWarning
        from statsmodels.tsa.arima.model import ARIMA

        spread = float(np.nanstd(x)) or 1.0
        found = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", (ConvergenceWarning))
            warnings.simplefilter("ignore", UserWarning)  # of starting values, which it then replaces
            warnings.simplefilter("ignore", RuntimeWarning)
            for p in range(self.max_p + 1):
                for q in range(self.max_q + 1):
                    fit = ARIMA(x / spread, order=(p, 0, q), trend="c").fit(cov_type="none", low_memory=True)
                    found.append((float(fit.aic), p, q, fit))
        _, p, q, best = min(found, key=lambda entry: entry[:3])
        self._orders.append((p, q))
        self._means[column] = spread * best.params[0]
        self._ar[:p, column] = best.arparams if p else 0.0
        self._ma[:q, column] = best.maparams if q else 0.0

    def _residuals_of(self, steps: Array) -> Array:
        """E = φ(B)/θ(B) w of a stretch (T, C), from e = 0 before it: the first are not right yet."""
        found = np.empty_like(steps)
        for c in range(steps.shape[1]):
            ar, ma = np.r_[1.0, -self._ar[:, c]], np.r_[1.0, self._ma[:, c]]
            found[:, c] = lfilter(ar, ma, steps[:, c] - self._means[c])
        return found


def _some(stretches: list[Array], most: int) -> list[Array]:
    """Stretches from all over with at most so many rows together, of one that is longer its last rows."""
    order = np.random.default_rng(0).permutation(len(stretches)) if len(stretches) > 1 else [0]
    found, left = list[Array](), most
    for number in order:
        if left < _LEAST_ROWS and found:
            break
        found.append(stretches[number][-left:])
        left -= len(found[-1])
    return found


def _with_gaps(stretches: list[Array]) -> Array:
    """Values one stretch after the other, missing values between."""
    gap = np.full(_GAP, np.nan)
    return np.concatenate([part for stretch in stretches for part in (stretch, gap)][:-1])


def _windows_before(rows: Array, first: int, lags: int) -> Array:
    """For each row t ≥ first, the rows t, t − 1, …, t − lags + 1: (N, lags, C)."""
    index = np.arange(first, len(rows))[:, None] - np.arange(lags)
    return rows[index]
