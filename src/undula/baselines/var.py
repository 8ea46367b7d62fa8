"""A vector autoregression, started from random places of the training part.

    x_t = c + A_1 x_{t−1} + … + A_p x_{t−p} + e_t

by least squares over all stretches, p by Akaike's criterion ln det S_p + 2 p C² / T on the same T rows for
every p. (statsmodels' VAR gives the same for one stretch, and takes no more than one.) A window goes on
from p training rows drawn at random, with residuals drawn as whole rows (`bootstrap`: the tails and the
correlation of the data), or Gaussian ones of their covariance.

Columns that wander stay in levels: least squares is consistent there too, and prices that move together
stay together, which they would not if each were summed up on its own (`differences: true` does that).

References:
    Sims, Stock, Watson (1990). Inference in linear time series models with some unit roots.
    doi:10.2307/2938337
    Lütkepohl (2005). New introduction to multiple time series analysis. Ch. 3, 4
"""

from __future__ import annotations

__all__ = ["VARBaseline"]

from typing import Any, Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.errors import DataError
from ..core.registry import register
from ..core.types import PositiveInt
from ._series import differenced, draws, in_levels, whole_stretches

Array = NDArray[np.floating[Any]]

_MOST_LAGS, _ROWS_A_NUMBER = 10, 2
_MOST_GROWTH = 10.0


@register("baseline", "var")
class VARBaseline(BaseBaseline):
    """A vector autoregression: linear dynamics of all columns together, no clustering.

    Args:
        order: lags; null: by Akaike's criterion, up to 10 and to what the rows can bear.
        innovations: bootstrap: rows of residuals; gaussian: of their covariance.
        differences: whether the columns are taken in differences and summed up again.
    """

    needs = "stretches of some rows more than its lags"

    def __init__(
        self,
        order: PositiveInt | None = None,
        innovations: Literal["bootstrap", "gaussian"] = "bootstrap",
        differences: bool = False,
    ) -> None:
        self.order, self.innovations, self.differences = order, innovations, differences

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> VARBaseline:
        """Learn the coefficients; see `BaseBaseline.fit`."""
        stretches = whole_stretches(series, (self.order or 1) + 2 + self.differences, "var")
        channels = stretches[0].shape[1]
        self._length, self._which = length, np.full(channels, self.differences)
        steps = differenced(stretches, self._which)
        levels = [s[1:] for s in stretches]
        if not self.differences:  # no row is lost
            steps = levels = stretches
        self._scale = np.concatenate(steps).std(0)
        self._scale[self._scale == 0.0] = 1.0
        scaled = [s / self._scale for s in steps]
        self._order = self.order or _best_order(scaled)
        past, now = _lagged(scaled, self._order, self._order)
        if len(now) < _ROWS_A_NUMBER * past.shape[1]:
            raise DataError(
                f"var with {self._order} lags of {channels} columns has {past.shape[1]} coefficients a "
                f"column, and {len(now)} rows to learn them from: set a lower order, or give more data"
            )
        self._coefficients = np.linalg.lstsq(past, now, rcond=None)[0]
        self._residuals = now - past @ self._coefficients
        self._past = past
        self._levels = np.concatenate([s[self._order - 1 : -1] for s in levels if len(s) > self._order])
        self._refuse_explosion()
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows that go on from random training rows, (n, L, C)."""
        channels, length = len(self._scale), self._length
        start = draws(seed, "start").integers(0, len(self._past), n)
        noise = self._innovations(n, seed)
        past = self._past[start]
        steps = np.empty((n, length, channels))
        for t in range(length):
            steps[:, t] = past @ self._coefficients + noise[:, t]
            past = np.concatenate(
                (past[:, :1], steps[:, t], past[:, 1 : 1 + channels * (self._order - 1)]), axis=1
            )
        return in_levels(steps * self._scale, self._levels[start], self._which)

    def notes(self) -> list[str]:
        """The number of lags."""
        return [f"{self._order} {'lag' if self._order == 1 else 'lags'}, largest root {self._radius():.4f}"]

    def _innovations(self, n: int, seed: int) -> Array:
        """(n, L, C), in scaled units."""
        if self.innovations == "bootstrap":
            rows = draws(seed, "residuals").integers(0, len(self._residuals), (n, self._length))
            drawn: Array = self._residuals[rows]
            return drawn
        values, vectors = np.linalg.eigh(
            np.cov(self._residuals, rowvar=False, bias=True).reshape(len(self._scale), -1)
        )
        white = draws(seed, "residuals").standard_normal((n, self._length, len(self._scale)))
        gaussian: Array = white @ (vectors * np.sqrt(np.maximum(values, 0.0))).T
        return gaussian

    def _radius(self) -> float:
        """The largest modulus of the companion matrix's eigenvalues."""
        channels, size = len(self._scale), len(self._scale) * self._order
        companion = np.eye(size, k=-channels)
        companion[:channels] = self._coefficients[1:].T
        return float(np.abs(np.linalg.eigvals(companion)).max())

    def _refuse_explosion(self) -> None:
        growth = self._radius() ** self._length
        if growth > _MOST_GROWTH:
            raise DataError(
                f"var with {self._order} lags grows {growth:.3g}-fold within a window: set differences: "
                "true, or a lower order"
            )


def _lagged(stretches: list[Array], order: int, first: int) -> tuple[Array, Array]:
    """(1, x_{t−1}, …, x_{t−p}) and x_t of all stretches, for the rows from number `first` on."""
    past, now = [], []
    for x in stretches:
        if len(x) <= first:
            continue
        lags = sliding_window_view(x[first - order : -1], order, axis=0)[:, :, ::-1]  # (N, C, p)
        past.append(lags.swapaxes(1, 2).reshape(len(lags), -1))
        now.append(x[first:])
    regressors = np.concatenate(past)
    return np.concatenate((np.ones((len(regressors), 1)), regressors), axis=1), np.concatenate(now)


def _best_order(stretches: list[Array]) -> int:
    """The order of the lowest criterion, among those that leave enough rows."""
    channels = stretches[0].shape[1]
    longest = max(len(s) for s in stretches)
    orders = []
    for order in range(1, min(_MOST_LAGS, longest - 2) + 1):
        rows = sum(max(len(s) - order, 0) for s in stretches)
        if rows >= _ROWS_A_NUMBER * (1 + channels * order) and 2 * rows >= sum(map(len, stretches)):
            orders.append(order)
    if not orders:
        return 1
    criteria = []
    for order in orders:
        past, now = _lagged(stretches, order, orders[-1])
        residuals = now - past @ np.linalg.lstsq(past, now, rcond=None)[0]
        _, log_det = np.linalg.slogdet(residuals.T @ residuals / len(now))
        criteria.append(log_det + 2 * order * channels**2 / len(now))
    return orders[int(np.argmin(criteria))]
