"""An ARIMA model a column, which goes on from the history: the baseline `arima`, told where it is.

With w_t = Δ^d x_t − m the errors of the history's rows are filtered from it,

    e_t = w_t − Σ_i φ_i w_{t−i} − Σ_j θ_j e_{t−j},   e = 0 in its first rows

and paths go on with errors of training rows, whole rows at a time, so that columns stay together. There are
no seasons in it.

References:
    Box, Jenkins (1970). Time series analysis: forecasting and control
    Pascual, Romo, Ruiz (2004). Bootstrap predictive inference for ARIMA processes.
    doi:10.1111/j.1467-9892.2004.01713.x
"""

from __future__ import annotations

__all__ = ["ARIMAForecaster"]

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ...core.types import NonNegativeInt, PositiveInt
from .._series import in_levels
from ..arima import ARIMABaseline
from ._windows import Numbers, Training, WindowForecaster

Array = NDArray[np.floating[Any]]


@register("forecaster", "arima")
class ARIMAForecaster(WindowForecaster):
    """An ARIMA model a column, of an order found; columns joined by their errors alone.

    Args:
        max_p: most autoregressive terms.
        max_q: most moving-average terms.
        differences: whether the columns are taken in differences; auto: those that wander.
        max_rows: to learn from; errors are taken from all.
    """

    needs = "40 rows, histories of some rows more than its terms; seconds a column"

    def __init__(
        self,
        max_p: NonNegativeInt = 2,
        max_q: NonNegativeInt = 2,
        differences: Literal["auto"] | bool = "auto",
        max_rows: PositiveInt = 2_000,
    ) -> None:
        self.max_p, self.max_q, self.differences, self.max_rows = max_p, max_q, differences, max_rows

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        least = self.max_p + self.max_q + 2
        if training.history_len < least:
            raise DataError(
                f"arima with {self.max_p} + {self.max_q} terms needs histories of {least} rows, they have "
                f"{training.history_len}: give a longer history, or a lower max_p and max_q"
            )
        self._model = ARIMABaseline(self.max_p, self.max_q, self.differences, "bootstrap", self.max_rows)
        self._model.fit(training.series, training.horizon, seed, on_progress)

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        model, shape = self._model, (len(history), n, self._horizon, self._channels)
        levels = history[:, 1:]
        w = np.where(model._which, np.diff(history, axis=1), levels) - model._means
        past, past_noise = (
            np.repeat(x[:, : -max(self.max_p, self.max_q, 1) - 1 : -1], n, axis=0)
            for x in (w, self._errors_of(w))
        )
        rows = numbers.integers("errors", n, self._horizon, len(model._residuals))
        noise = model._residuals[rows].reshape(-1, *shape[2:])
        steps = model.continued(past, past_noise, noise) + model._means
        return in_levels(steps, np.repeat(history[:, -1], n, axis=0), model._which).reshape(shape)

    def notes(self) -> list[str]:
        """The order of each column."""
        return self._model.notes()

    def _errors_of(self, w: Array) -> Array:
        """The errors of rows (N, H − 1, C)."""
        found = np.empty_like(w)
        for c in range(w.shape[2]):
            ar, ma = np.r_[1.0, -self._model._ar[:, c]], np.r_[1.0, self._model._ma[:, c]]
            errors = lfilter(ar, [1.0], w[:, :, c], axis=1)
            errors[:, : self._model._orders[c][0]] = 0.0  # their past is not known
            found[:, :, c] = lfilter([1.0], ma, errors, axis=1)
        return found
