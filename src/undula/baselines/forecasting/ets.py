"""Exponential smoothing a column, of a form found: level, trend, damped trend, seasons.

    x_t = l_{t−1} + φ b_{t−1} + s_{t−m} + e_t
    l_t = l_{t−1} + φ b_{t−1} + α e_t,   b_t = φ b_{t−1} + β e_t,   s_t = s_{t−m} + γ e_t

The form is that of the lowest Akaike criterion among ANN, AAN, AAdN and, where a history has two periods, the
same with seasons (ANA, AAA, AAdA), fitted by maximum likelihood to the last rows of the longest stretch
(statsmodels). A history's state follows from it alone: errors are linear in the state before its first row,
which is found by least squares. Paths add errors of training windows' next steps, whole rows at a time.

References:
    Hyndman, Koehler, Ord, Snyder (2008). Forecasting with exponential smoothing. Ch. 2, 5
    doi:10.1007/978-3-540-71918-2
"""

from __future__ import annotations

__all__ = ["ETSForecaster"]

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ...core.types import PositiveInt
from .._series import whole_stretches
from ._windows import Numbers, Training, WindowForecaster

Array = NDArray[np.floating[Any]]

_LEAST_ROWS, _LEAST_HISTORY, _MOST_WINDOWS = 20, 3, 5_000
_SAME = 1e-8
"""Directions of the state that the history tells less of than this are left at 0."""


@dataclass(frozen=True, kw_only=True)
class _Form:
    """A form and its coefficients; γ is None without seasons, and `period` then 0."""

    trend: bool = False
    period: int = 0
    alpha: float = 0.0
    beta: float = 0.0
    gamma: float = 0.0
    phi: float = 1.0

    @property
    def name(self) -> str:
        trend = "N" if not self.trend else "A" if self.phi == 1.0 else "Ad"
        return f"A{trend}{'A' if self.period else 'N'}"

    @property
    def matrices(self) -> tuple[Array, Array, Array]:
        """F (S, S), g (S,) and w (S,) of x_t = w'z_{t−1} + e_t, z_t = F z_{t−1} + g e_t.

        The state is the level, the trend and the last m seasons, the oldest first.
        """
        size = 1 + self.trend + self.period
        f, g, w = np.zeros((size, size)), np.zeros(size), np.zeros(size)
        f[0, 0], g[0], w[0] = 1.0, self.alpha, 1.0
        if self.trend:
            f[0, 1] = f[1, 1] = w[1] = self.phi
            g[1] = self.beta
        if self.period:
            first = 1 + self.trend
            f[first:, first:] = np.roll(np.eye(self.period), 1, axis=1)
            w[first], g[-1] = 1.0, self.gamma
        return f, g, w


class _Filter:
    """The maps of one column from a history (H,) to forecasts and from errors to paths.

    Args:
        form: with its coefficients.
        history_len: H.
        horizon: L.
    """

    def __init__(self, form: _Form, history_len: int, horizon: int) -> None:
        f, g, w = form.matrices
        decay = f - np.outer(g, w)  # z_t = decay z_{t−1} + g x_t
        of_state, of_values = np.eye(len(g)), np.zeros((len(g), history_len))  # z_t of z_0 and of x
        told = np.empty((history_len, len(g)))
        answered = np.empty((history_len, history_len))
        for t in range(history_len):
            told[t], answered[t] = w @ of_state, w @ of_values
            of_state, of_values = decay @ of_state, decay @ of_values
            of_values[:, t] += g
        unexplained = np.eye(history_len) - answered  # e = unexplained x − told z_0
        self.state = of_values + of_state @ np.linalg.pinv(told, rcond=_SAME) @ unexplained
        self.point = np.empty((horizon, history_len))
        self.response = np.eye(horizon)  # of x_{T+h} to e_{T+j}
        power, impulse, responses = self.state, g, list[float]()
        for h in range(horizon):
            self.point[h] = w @ power
            power = f @ power
            responses.append(float(w @ impulse))
            impulse = f @ impulse
        for h in range(1, horizon):
            self.response[h, :h] = responses[:h][::-1]


@register("forecaster", "ets")
class ETSForecaster(WindowForecaster):
    """Exponential smoothing a column, of a form found; columns joined by their errors alone.

    Args:
        period: of seasons, rows; 1: none. They need histories of two periods.
        max_rows: to learn the coefficients from.
    """

    needs = "20 rows; seconds a column"

    def __init__(self, period: PositiveInt = 24, max_rows: PositiveInt = 1_000) -> None:
        self.period, self.max_rows = period, max_rows

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        if training.history_len < _LEAST_HISTORY:
            raise DataError(
                f"ets needs histories of {_LEAST_HISTORY} rows, they have {training.history_len}: give a "
                "longer history, or use naive"
            )
        longest = max(whole_stretches(training.series, _LEAST_ROWS, training.who), key=len)
        seasonal = self.period > 1 and 2 * self.period <= min(training.history_len, len(longest) // 2)
        self._forms = list[_Form]()
        for c in range(training.channels):
            self._forms.append(_best_form(longest[-self.max_rows :, c], self.period if seasonal else 0))
            if on_progress is not None:
                on_progress((c + 1) / training.channels, f"column {c + 1}: {self._in_words(c)}")
        self._filters = [_Filter(form, training.history_len, training.horizon) for form in self._forms]
        windows = training.windows(_MOST_WINDOWS)
        self._errors = windows.future[:, 0] - self._point(windows.history)[:, 0]
        self._errors -= self._errors.mean(0)

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        errors = self._errors[numbers.integers("errors", n, self._horizon, len(self._errors))]
        moved = np.stack([errors[..., c] @ f.response.T for c, f in enumerate(self._filters)], axis=-1)
        found: Array = self._point(history)[:, None] + moved
        return found

    def notes(self) -> list[str]:
        """The form of each column."""
        return [f"column {c + 1}: {self._in_words(c)}" for c in range(len(self._forms))]

    def _point(self, history: Array) -> Array:
        """(N, L, C)."""
        return np.stack([history[:, :, c] @ f.point.T for c, f in enumerate(self._filters)], axis=-1)

    def _in_words(self, column: int) -> str:
        form = self._forms[column]
        trend = f", β {form.beta:.3f}, φ {form.phi:.3f}" if form.trend else ""
        seasons = f", γ {form.gamma:.3f}, period {form.period}" if form.period else ""
        return f"ETS {form.name}, α {form.alpha:.3f}{trend}{seasons}"


def _best_form(x: Array, period: int) -> _Form:
    """The form of the lowest criterion with its coefficients; `period` 0: without seasons."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    spread = float(x.std())
    if spread == 0.0:
        return _Form()
    scaled = (x - x.mean()) / spread
    found = list[tuple[float, int, _Form]]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of optimisers that stop early: the criterion says how well
        for trend, damped in ((None, False), ("add", False), ("add", True)):
            for season in (None, "add") if period else (None,):
                model = ETSModel(
                    scaled,
                    trend=trend,
                    damped_trend=damped,
                    seasonal=season,
                    seasonal_periods=period if season else None,
                    initialization_method="heuristic",
                )
                fit = model.fit(disp=False)
                if not (np.isfinite(fit.aic) and np.isfinite(fit.params).all()):
                    continue
                values = dict(zip(model.param_names, np.asarray(fit.params, float), strict=True))
                form = _Form(
                    trend=trend is not None,
                    period=period if season else 0,
                    alpha=values["smoothing_level"],
                    beta=values.get("smoothing_trend", 0.0),
                    gamma=values.get("smoothing_seasonal", 0.0),
                    phi=values.get("damping_trend", 1.0),
                )
                found.append((float(fit.aic), len(found), form))
    return min(found)[2] if found else _Form(alpha=0.5)
