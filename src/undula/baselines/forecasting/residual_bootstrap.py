"""A linear autoregression for each step of the horizon, with whole error paths.

    x_{T+h} − x_T = c_h + Σ_k A_{hk} (x_{T−k} − x_T) + B_h (x_T − x̄) + D_h f_{T+h} + e_h

by least squares for each h (a direct forecast), in standard deviations, for all columns together, with a
ridge on A and D alone: at a strong penalty what is left is a line in the last row, which a walk and white
noise both are. The penalty is that of the smallest error in five blocks of training windows left out in turn,
and the errors drawn are those of the blocks left out, so they are as large as errors of forecasts are; a path
takes those of one window for all h and columns.

References:
    Hoerl, Kennard (1970). Ridge regression. doi:10.1080/00401706.1970.10488634
    Marcellino, Stock, Watson (2006). A comparison of direct and iterated multistep AR methods.
    doi:10.1016/j.jeconom.2005.07.020
"""

from __future__ import annotations

__all__ = ["ResidualBootstrapForecaster"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.registry import register
from ...core.types import PositiveInt
from ._bootstrap import BootstrapForecaster
from ._windows import Training, Windows

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS, _WINDOWS_A_NUMBER, _FOLDS = 5_000, 5, 5
_PENALTIES = np.array([1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0])
"""A training window, in variances of the standardised columns."""


@register("forecaster", "residual_bootstrap")
class ResidualBootstrapForecaster(BootstrapForecaster):
    """A ridge autoregression for each step of the horizon, plus whole error paths of training windows.

    Args:
        lags: rows of the history that it sees; null: all, as far as there are five training windows for
            each coefficient.
    """

    needs = "ten training windows; best: many more than the history has numbers"

    def __init__(self, lags: PositiveInt | None = None) -> None:
        self.lags = lags

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        windows = training.windows(_MOST_WINDOWS, least=2 * _FOLDS)
        bearable = (len(windows.history) // _WINDOWS_A_NUMBER - self._features) // self._channels
        self._lags = min(self.lags or max(bearable, 1), training.history_len)
        self._location = windows.history.mean((0, 1))
        self._scale = _positive(windows.history.std((0, 1)))
        self._known = windows.features.mean((0, 1))
        self._known_scale = _positive(windows.features.std((0, 1)))
        self._errors = self._errors_of(windows)

    def _errors_of(self, windows: Windows) -> Array:
        last = windows.history[:, -1:]
        targets = (windows.future - last) / self._scale  # (M, L, C)
        common = self._of_history(windows.history)
        free = 1 + self._channels
        fold = np.arange(len(last)) * _FOLDS // len(last)
        errors = np.empty((len(_PENALTIES), *targets.shape))
        designs = [
            np.concatenate((common, self._of_features(windows.features, h)), axis=1)
            for h in range(self._horizon)
        ]
        for h, design in enumerate(designs):
            for number in range(_FOLDS):
                out = fold == number
                found = _ridge(design[~out], targets[~out, h], _PENALTIES, free)
                errors[:, out, h] = targets[out, h] - design[out] @ found
        best = int((errors**2).mean((1, 2, 3)).argmin())
        self._penalty = float(_PENALTIES[best])
        self._coefficients = np.stack(
            [_ridge(d, targets[:, h], _PENALTIES[best : best + 1], free)[0] for h, d in enumerate(designs)]
        )  # (L, P, C)
        found = errors[best] * self._scale
        return found

    def _point(self, history: Array, features: Array) -> Array:
        common = self._of_history(history)
        steps = [
            np.concatenate((common, self._of_features(features, h)), axis=1) @ self._coefficients[h]
            for h in range(self._horizon)
        ]
        found: Array = history[:, -1:] + np.stack(steps, axis=1) * self._scale
        return found

    def notes(self) -> list[str]:
        """Lags and penalty."""
        return [
            f"{self._lags} {'row' if self._lags == 1 else 'rows'} of the history, penalty {self._penalty:g}"
        ]

    def _of_history(self, history: Array) -> Array:
        """1, the last row and what the rows before differ from it, (N, 1 + lags · C)."""
        x = (history[:, -self._lags :] - self._location) / self._scale
        before = (x[:, :-1] - x[:, -1:]).reshape(len(x), -1)
        return np.concatenate((np.ones((len(x), 1)), x[:, -1], before), axis=1)

    def _of_features(self, features: Array, step: int) -> Array:
        """The features of a step to forecast, (N, K)."""
        found: Array = (
            features[:, features.shape[1] - self._horizon + step] - self._known
        ) / self._known_scale
        return found


def _positive(scale: Array) -> Array:
    return np.where(scale > 0.0, scale, 1.0)


def _ridge(x: Array, y: Array, penalties: Array, free: int) -> Array:
    """Coefficients (J, P, C) of y (M, C) on x (M, P), whose first columns bear no penalty."""
    unbound, bound = x[:, :free], x[:, free:]
    of_both = np.linalg.lstsq(unbound, np.concatenate((bound, y), axis=1), rcond=None)[0]
    of_bound, of_y = of_both[:, : bound.shape[1]], of_both[:, bound.shape[1] :]
    left = bound - unbound @ of_bound
    values, vectors = np.linalg.eigh(left.T @ left / len(x))
    projected = vectors.T @ (left.T @ (y - unbound @ of_y) / len(x))
    slopes = vectors @ (projected / (np.maximum(values, 0.0)[:, None] + penalties[:, None, None]))
    return np.concatenate((of_y - of_bound @ slopes, slopes), axis=1)
