"""Linear quantile regressions for each step of the horizon, joined into paths by a Gaussian copula.

For each step h, column and level τ = .05, …, .95 the coefficients are

    β_{hτ} = argmin_β Σ_i ρ_τ(x_{i,T+h} − β'r_{ih}),   ρ_τ(u) = u (τ − [u < 0])

on recent values, the history's mean, values whole periods before the step and the step's features. The
program is solved exactly in its dual, max a'x with R'a = (1 − τ) R'1 and 0 ≤ a ≤ 1, whose multipliers are β.
Quantiles are sorted; beyond .05 and .95 the tails are exponential. Paths are Q_h(Φ(g_h)) with Gaussian g of
the rank correlation of the training windows' PITs over all steps and columns.

References:
    Koenker, Bassett (1978). Regression quantiles. doi:10.2307/1913643
    Chernozhukov, Fernández-Val, Galichon (2010). Quantile and probability curves without crossing.
    doi:10.3982/ECTA7880 (sorting)
    Pinson, Madsen, Nielsen, Papaefthymiou, Klöckl (2009). From probabilistic forecasts to statistical
    scenarios of short-term wind power production. doi:10.1002/we.284 (the copula)
"""

from __future__ import annotations

__all__ = ["QuantileRegressionForecaster"]

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ...core.threads import one_thread
from ...core.types import PositiveInt
from ._windows import Numbers, Training, WindowForecaster

Array = NDArray[np.floating[Any]]

LEVELS = np.arange(1, 20) / 20
_STEP = 0.05
_WINDOWS_A_NUMBER = 5


@register("forecaster", "quantile_regression")
class QuantileRegressionForecaster(WindowForecaster):
    """Linear quantile regressions for each step: spread and skewness that depend on the features.

    Args:
        lags: recent values of each column.
        period: rows of a season, whose values before a step are told as far as the history has them; 1: none.
        seasons: how many periods back.
        max_windows: to learn from, from all over.
    """

    needs = "hundreds of training windows; up to minutes for many columns and steps"

    def __init__(
        self,
        lags: PositiveInt = 3,
        period: PositiveInt = 24,
        seasons: PositiveInt = 2,
        max_windows: PositiveInt = 1_000,
    ) -> None:
        self.lags, self.period, self.seasons, self.max_windows = lags, period, seasons, max_windows

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        windows = training.windows(self.max_windows)
        self._location, self._known = windows.history.mean((0, 1)), windows.features.mean((0, 1))
        self._scale = _positive(windows.history.std((0, 1)))
        self._known_scale = _positive(windows.features.std((0, 1)))
        designs = [self._design(windows.history, windows.features, h) for h in range(self._horizon)]
        least = _WINDOWS_A_NUMBER * max(d.shape[2] for d in designs)
        if len(windows.history) < least:
            raise DataError(
                f"quantile_regression needs {least} training windows of {self._history_len} + {self._horizon}"
                f" rows, there are {len(windows.history)}: give longer series, or fewer lags and features"
            )
        targets = (windows.future - self._location) / self._scale
        self._coefficients = list[Array]()  # for each step (C, P, 19)
        with one_thread():
            for h, design in enumerate(designs):
                self._coefficients.append(
                    np.stack(
                        [regression_quantiles(design[c], targets[:, h, c]) for c in range(self._channels)]
                    )
                )
                if on_progress is not None:
                    on_progress((h + 1) / self._horizon, f"step {h + 1} of {self._horizon}")
        quantiles = self._quantiles(windows.history, windows.features)
        self._root = _copula_root(_pit(quantiles, windows.future).reshape(len(targets), -1))
        self._used = len(targets)

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        size = self._horizon * self._channels
        share = norm.cdf(numbers.normal("copula", n, size) @ self._root.T)
        share = share.reshape(len(history), n, self._horizon, self._channels)
        return _inverse(self._quantiles(history, features), share)

    def notes(self) -> list[str]:
        """How many windows and regressors."""
        return [f"{self._coefficients[0].shape[1]} coefficients a step and level, of {self._used:,} windows"]

    def _quantiles(self, history: Array, features: Array) -> Array:
        """Sorted, in units, (N, L, C, 19)."""
        found = [
            np.moveaxis(self._design(history, features, h) @ self._coefficients[h], 0, 1)
            for h in range(self._horizon)
        ]
        scaled = np.sort(np.stack(found, axis=1), axis=-1)
        units: Array = scaled * self._scale[:, None] + self._location[:, None]
        return units

    def _design(self, history: Array, features: Array, step: int) -> Array:
        """Regressors of each column at a step, (C, N, P): own ones, and the others' last values."""
        x, rows = (history - self._location) / self._scale, history.shape[1]
        known = (features[:, rows + step] - self._known) / self._known_scale
        recent = x[:, -self.lags :]
        first = rows + step - self.period * (step // self.period + 1)  # the same phase, already seen
        back = [first - self.period * k for k in range(self.seasons)] if self.period > 1 else []
        back = [row for row in back if 0 <= row < rows - recent.shape[1]]
        columns = []
        for c in range(self._channels):
            others = np.delete(x[:, -1], c, axis=1)
            own = (np.ones((len(x), 1)), recent[:, :, c], x[:, :, c].mean(1, keepdims=True), x[:, back, c])
            columns.append(np.concatenate((*own, others, known), axis=1))
        return np.stack(columns)


def regression_quantiles(regressors: Array, y: Array, levels: Array = LEVELS) -> Array:
    """Coefficients (P, levels) of quantiles of y (M,) that are linear in regressors (M, P)."""
    from scipy.optimize import linprog

    total, found = regressors.sum(0), np.empty((regressors.shape[1], len(levels)))
    for number, level in enumerate(levels):
        solution = linprog(
            -y, A_eq=regressors.T, b_eq=(1 - level) * total, bounds=(0.0, 1.0), method="highs-ds"
        )
        if solution.status != 0:
            raise DataError(
                f"quantile_regression finds no coefficients at level {level:.2f} ({solution.message}): leave "
                "out features that others determine, or use residual_bootstrap"
            )
        found[:, number] = -solution.eqlin.marginals
    return found


def _tails(quantiles: Array) -> tuple[Array, Array]:
    """Scales of the exponential tails that go on as from .10 to .05 and from .90 to .95."""
    low = (quantiles[..., 1] - quantiles[..., 0]) / np.log(2)
    high = (quantiles[..., -1] - quantiles[..., -2]) / np.log(2)
    return low, high


def _inverse(quantiles: Array, share: Array) -> Array:
    """Values at shares (N, n, L, C) in (0, 1) of distributions with quantiles (N, L, C, 19)."""
    number = np.clip((share / _STEP).astype(np.int64), 1, len(LEVELS) - 1)
    i, h, c = (np.arange(size) for size in quantiles.shape[:3])
    place = (i[:, None, None, None], h[:, None], c)
    below, above = quantiles[(*place, number - 1)], quantiles[(*place, number)]
    found: Array = below + (above - below) * (share - LEVELS[number - 1]) / _STEP
    low, high = (scale[:, None] for scale in _tails(quantiles))
    first, last = quantiles[:, None, ..., 0], quantiles[:, None, ..., -1]
    tiny = np.finfo(float).tiny
    found = np.where(share < _STEP, first + low * np.log(np.maximum(share, tiny) / _STEP), found)
    return np.where(share > 1 - _STEP, last - high * np.log(np.maximum(1 - share, tiny) / _STEP), found)


def _pit(quantiles: Array, y: Array) -> Array:
    """The shares of values (M, L, C) in distributions with quantiles (M, L, C, 19)."""
    number = (quantiles < y[..., None]).sum(-1)
    inner = np.clip(number, 1, len(LEVELS) - 1)
    below = np.take_along_axis(quantiles, inner[..., None] - 1, axis=-1)[..., 0]
    above = np.take_along_axis(quantiles, inner[..., None], axis=-1)[..., 0]
    found = LEVELS[inner - 1] + _STEP * (y - below) / _positive(above - below)
    low, high = (_positive(scale) for scale in _tails(quantiles))
    lower = _STEP * np.exp(np.minimum((y - quantiles[..., 0]) / low, 0.0))
    upper = 1 - _STEP * np.exp(np.minimum((quantiles[..., -1] - y) / high, 0.0))
    return np.select([number == 0, number == len(LEVELS)], [lower, upper], found)


def _copula_root(shares: Array) -> Array:
    """A root of the correlation of normal scores (M, D), shrunk to the identity as D comes near M."""
    count, size = shares.shape
    scores = norm.ppf(rankdata(shares, axis=0) / (count + 1))
    scores -= scores.mean(0)
    scores /= _positive(scores.std(0))
    weight = size / (size + count)
    correlation = (1 - weight) * scores.T @ scores / count
    np.fill_diagonal(correlation, 1.0)
    root: Array = np.linalg.cholesky(correlation)
    return root


def _positive(scale: Array) -> Array:
    return np.where(scale > 0.0, scale, 1.0)
