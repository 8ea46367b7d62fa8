"""GARCH-t a column with filtered historical simulation.

    r_t = m + Σ_i φ_i r_{t−i} + e_t,   e_t = σ_t z_t,   σ_t² = ω + (α + γ [e_{t−1} < 0]) e_{t−1}² + β σ_{t−1}²

by maximum likelihood with Student-t z (package `arch`). A window goes on from a training day drawn at
random, with its volatility; its z are standardised residuals of training days, the same days for all
columns, so that tails and cross-correlation are the data's. Columns that wander are taken in differences.
For returns; other data seldom look like this.

References:
    Bollerslev (1987). A conditionally heteroskedastic time series model. doi:10.2307/1925546
    Glosten, Jagannathan, Runkle (1993). doi:10.1111/j.1540-6261.1993.tb05128.x (`leverage`)
    Barone-Adesi, Giannopoulos, Vosper (1999). VaR without correlations for portfolios of derivative
    securities (filtered historical simulation)
"""

from __future__ import annotations

__all__ = ["GARCHBaseline"]

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.errors import DataError
from ..core.registry import register
from ..core.types import NonNegativeInt
from ._series import differenced, draws, in_levels, wandering, whole_stretches

Array = NDArray[np.floating[Any]]

_LEAST_ROWS = 200
_UNIT = 10.0
"""Standard deviation in which `arch` fits well."""


@register("baseline", "garch")
class GARCHBaseline(BaseBaseline):
    """GARCH(1,1)-t a column: heavy tails and clustered volatility; what happens together stays together.

    Args:
        leverage: whether falls raise the volatility more than rises (GJR).
        lags: autoregressive terms of the mean.
        differences: whether the columns are taken in differences; auto: those that wander.
    """

    needs = "200 rows, best of returns"

    def __init__(
        self,
        leverage: bool = False,
        lags: NonNegativeInt = 0,
        differences: Literal["auto"] | bool = "auto",
    ) -> None:
        self.leverage, self.lags, self.differences = leverage, lags, differences

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> GARCHBaseline:
        """Learn mean and volatility of each column; see `BaseBaseline.fit`."""
        stretches = whole_stretches(series, self.lags + 3, "garch")
        self._which, self._length = wandering(stretches, self.differences), length
        steps = np.concatenate(differenced(stretches, self._which))
        if len(steps) < _LEAST_ROWS:
            raise DataError(
                f"garch needs {_LEAST_ROWS} training rows, there are {len(steps)}: use block_bootstrap"
            )
        self._steps, self._levels = steps, np.concatenate([s[1:] for s in stretches])
        channels = steps.shape[1]
        self._mean = np.empty((1 + self.lags, channels))
        self._omega, self._alpha, self._gamma, self._beta, self._nu = np.zeros((5, channels))
        self._errors, self._sigma = np.zeros_like(steps), np.ones_like(steps)
        for c in range(channels):
            self._fit_column(c)
            if on_progress is not None:
                on_progress((c + 1) / channels, f"column {c + 1}: {self._in_words(c)}")
        self._first = self.lags  # the rows before have no residual
        self._standardised = (self._errors / self._sigma)[self._first :]
        self._standardised -= self._standardised.mean(0)
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows that go on from random training days, (n, L, C)."""
        start = draws(seed, "start").integers(self._first, len(self._steps), n)
        days = draws(seed, "days").integers(0, len(self._standardised), (n, self._length))
        z = self._standardised[days]
        past = self._steps[start[:, None] - np.arange(self.lags)]  # (n, lags, C), the newest first
        steps = self.continued(past, self._errors[start], self._sigma[start] ** 2, z)
        return in_levels(steps, self._levels[start], self._which)

    def continued(self, past: Array, error: Array, variance: Array, z: Array) -> Array:
        """What follows a day, in units of the series or of its differences.

        Args:
            past: the values up to the day, the newest first, (n, lags, C).
            error: e of the day, (n, C).
            variance: σ² of the day, (n, C).
            z: standardised errors to come, (n, L, C).

        Returns:
            Values to come, (n, L, C).
        """
        steps = np.empty_like(z)
        for t in range(z.shape[1]):
            variance = self.next_variance(error, variance)
            error = np.sqrt(variance) * z[:, t]
            steps[:, t] = self._mean[0] + (self._mean[1:] * past).sum(1) + error
            if self.lags:
                past = np.concatenate((steps[:, t, None], past[:, :-1]), axis=1)
        return steps

    def next_variance(self, error: Array, variance: Array) -> Array:
        """σ² of the day after one with this error and variance, (n, C)."""
        found: Array = (
            self._omega + (self._alpha + self._gamma * (error < 0)) * error**2 + self._beta * variance
        )
        return found

    def notes(self) -> list[str]:
        """The coefficients of each column."""
        return [f"column {c + 1}: {self._in_words(c)}" for c in range(len(self._nu))]

    def _in_words(self, column: int) -> str:
        gamma = f", γ {self._gamma[column]:.3f}" if self.leverage else ""
        what = ", in differences" if self._which[column] else ""
        return (
            f"α {self._alpha[column]:.3f}{gamma}, β {self._beta[column]:.3f}, ν {self._nu[column]:.1f}{what}"
        )

    def _fit_column(self, column: int) -> None:
        from arch import arch_model

        x = self._steps[:, column]
        unit = float(x.std()) / _UNIT
        if not unit > 0.0:
            raise DataError(
                f"garch: column {column + 1} does not move: leave it out, or use another baseline"
            )
        mean: dict[str, Any] = {"mean": "AR", "lags": self.lags} if self.lags else {"mean": "Constant"}
        model = arch_model(
            x / unit, **mean, vol="GARCH", p=1, o=int(self.leverage), q=1, dist="t", rescale=False
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what matters of them is checked below
            found = model.fit(disp="off", show_warning=False)
        if found.convergence_flag != 0 or not np.isfinite(found.params).all():
            raise DataError(
                f"garch does not fit column {column + 1} (the optimiser stops with code "
                f"{found.convergence_flag}): its volatility is not of this kind; use block_bootstrap or "
                "gaussian_mixture, or transform: log_return"
            )
        values = found.params.to_numpy()
        self._mean[:, column] = values[: 1 + self.lags]
        self._mean[0, column] *= unit
        self._omega[column] = values[1 + self.lags] * unit**2
        self._alpha[column], self._beta[column] = found.params["alpha[1]"], found.params["beta[1]"]
        self._gamma[column] = found.params["gamma[1]"] if self.leverage else 0.0
        self._nu[column] = found.params["nu"]
        self._errors[self.lags :, column] = found.resid[self.lags :] * unit
        self._sigma[self.lags :, column] = found.conditional_volatility[self.lags :] * unit
