"""What happened at the same phase of the period: training rows, whatever the history.

A path is a stretch of L training rows that begins at the phase of the first row to forecast, so each of its
values is a draw of the training values at its phase. Windows carry no clock: the phase of a history is the
one that makes its values and features most likely under independent Gaussians by phase,

    p̂ = argmax_p Σ_t log N(x_t; μ_{p+t}, σ²_{p+t})

Features that are functions of the phase (the hour's sine) have no spread, and decide it.

References:
    Gneiting, Balabdaoui, Raftery (2007). Probabilistic forecasts, calibration and sharpness.
    doi:10.1111/j.1467-9868.2007.00587.x (the climatological forecast)
"""

from __future__ import annotations

__all__ = ["ClimatologyForecaster"]

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.errors import DataError
from ...core.registry import register
from ...core.types import PositiveInt
from ._windows import Numbers, Training, WindowForecaster

Array = NDArray[np.floating[Any]]

_FLOOR = 1e-3
"""Of a phase's spread, in standard deviations of the column."""


@register("forecaster", "climatology")
class ClimatologyForecaster(WindowForecaster):
    """Training rows at the same phase of a period.

    Args:
        period: rows; 1: any training rows.
    """

    needs = "some periods of training rows; features that tell the phase, or a history that does"

    def __init__(self, period: PositiveInt = 24) -> None:
        self.period = period

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        rows = [np.concatenate(both, axis=1) for both in zip(training.series, training.features, strict=True)]
        rows.sort(key=len, reverse=True)
        phases: list[NDArray[np.int64]] = []
        for number, stretch in enumerate(rows):  # the longest begins at phase 0, others where they fit
            first = 0 if number == 0 else int(self._phase(stretch[None])[0])
            phases.append((first + np.arange(len(stretch))) % self.period)
            self._profile(np.concatenate(rows[: number + 1]), np.concatenate(phases))
        length, blocks, of_blocks = training.horizon, [], []
        for stretch, phase in zip(rows, phases, strict=True):
            if len(stretch) >= length:
                values = stretch[:, : training.channels]
                view = sliding_window_view(values, length, axis=0).swapaxes(1, 2)
                whole = np.isfinite(view).all((1, 2))
                blocks.append(view[whole])
                of_blocks.append(phase[: len(view)][whole])
        order = np.concatenate([np.zeros(0, np.int64), *of_blocks])
        self._counts = np.bincount(order, minlength=self.period)
        if not self._counts.all():
            raise DataError(
                f"climatology needs {length} training rows without missing values from each of the "
                f"{self.period} phases on, {int((self._counts == 0).sum())} phases have none: give longer "
                "series, or a shorter period"
            )
        self._blocks = np.concatenate(blocks)[np.argsort(order, kind="stable")]
        self._starts = np.cumsum(self._counts) - self._counts

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        unknown = np.full((len(history), self._horizon, self._channels), np.nan)
        rows = np.concatenate((np.concatenate((history, unknown), axis=1), features), axis=2)
        phase = (self._phase(rows) + history.shape[1]) % self.period
        share = numbers.uniform("rows", n, 1)[..., 0]
        found: Array = self._blocks[
            self._starts[phase][:, None] + (share * self._counts[phase][:, None]).astype(np.int64)
        ]
        return found

    def notes(self) -> list[str]:
        """How many stretches a phase has."""
        return [f"{int(self._counts.min()):,} to {int(self._counts.max()):,} training stretches a phase"]

    def _profile(self, rows: Array, phases: NDArray[np.int64]) -> None:
        """Mean and spread by phase, (m, C + K), of the values that are there."""
        known = np.isfinite(rows)
        values = np.where(known, rows, 0.0)
        count = np.maximum(known.sum(0), 1)
        mean = values.sum(0) / count
        spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(0) / count)
        spread[spread == 0.0] = 1.0
        sums, squares, counts = np.zeros((3, self.period, rows.shape[1]))
        scaled = np.where(known, (values - mean) / spread, 0.0)
        for found, what in ((sums, scaled), (squares, scaled**2), (counts, known)):
            np.add.at(found, phases, what)
        counts = np.maximum(counts, 1.0)
        of_phase = np.sqrt(np.maximum(squares / counts - (sums / counts) ** 2, _FLOOR**2))
        self._mean, self._spread = mean + spread * sums / counts, spread * of_phase

    def _phase(self, rows: Array) -> NDArray[np.int64]:
        """The most likely phase of the first row of windows (N, T, C + K) with missing values."""
        likelihood = np.empty((len(rows), self.period))
        for p in range(self.period):
            phases = (p + np.arange(rows.shape[1])) % self.period
            mean, spread = self._mean[phases], self._spread[phases]
            likelihood[:, p] = -np.nansum(((rows - mean) / spread) ** 2 / 2 + np.log(spread), axis=(1, 2))
        return likelihood.argmax(1)
