"""Forecasts from many origins of windows whose future is known: for scores, and for calibration.

References:
    Vovk, Gammerman, Shafer (2005). Algorithmic learning in a random world (conformal prediction)
    Romano, Patterson, Candès (2019). Conformalized quantile regression. arXiv:1905.03222
"""

from __future__ import annotations

__all__ = ["Origins", "apart", "calibrated_spread", "origins_of", "spread_out"]

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..data.observation import Observation
from ..data.windows import Batch, WindowDataset

Array = NDArray[np.floating[Any]]

_LEVEL = 0.9
_TEMPERATURES = np.geomspace(0.25, 4.0, 65)


@dataclass(frozen=True)
class Origins:
    """Windows, cut into what a forecast is told and what came.

    Args:
        batch: the windows as the model is told of them.
        history: (N, H, C).
        truth: (N, L, C).
        observation: what a model that is told no history is guided by; None: it is told one.
    """

    batch: Batch
    history: Array
    truth: Array
    observation: Observation | None

    def paths(self, sample: Callable[..., Any], count: int, seed: int, told: bool) -> Array:
        """Paths (S, N, L, C) of a model.

        Args:
            sample: its `sample`.
            count: S.
            seed: of the samples.
            told: whether the model is told anything.
        """
        n, horizon = self.truth.shape[:2]
        found = sample(
            n * count, seed, given=self.batch if told else None, observation=self.observation, batch_size=1024
        )
        return np.stack(list(found))[:, -horizon:].reshape(count, n, horizon, -1)


def origins_of(windows: WindowDataset, most: int, what: str) -> Origins:
    """At most so many windows whose futures share no row.

    Args:
        windows: of one length.
        most: how many.
        what: they are, for the message: "test".

    Raises:
        DataError: if something is missing in them.
    """
    batch = windows.batch(apart(windows, most))
    told = bool(batch.history.shape[1])
    length = batch.future.shape[1]
    horizon = length if told else max(length // 2, 1)
    whole = np.concatenate([batch.history, batch.future], axis=1)
    truth = whole[:, -horizon:]
    if np.isnan(truth).any():
        raise DataError(f"the {what} part has missing values: fill them, or leave such rows out")
    observation = None
    if not told:
        known = batch.future.astype(float)
        known[:, -horizon:] = np.nan
        observation = Observation(known)
    return Origins(batch, whole[:, :-horizon], truth, observation)


def apart(windows: WindowDataset, most: int) -> NDArray[np.int64]:
    """Windows whose futures share no row, evenly spaced."""
    order = np.argsort(windows.starts, kind="stable")
    chosen, free = [], -1
    for i in order:
        first = int(windows.starts[i]) + windows.history_len
        if first >= free:
            chosen.append(int(i))
            free = first + int(windows.lengths[i])
    picked = np.unique(np.linspace(0, len(chosen) - 1, min(most, len(chosen))).round().astype(int))
    return np.array(chosen)[picked]


def calibrated_spread(
    paths: Array, truth: Array, method: Literal["conformal", "temperature"] = "conformal"
) -> Array:
    """By how much paths are to be spread out about their median, for each column, (C,).

    conformal: so that central 90 % intervals hold 90 % of the values that were not used for it (of N origins
    the ⌈.9 (N + 1)⌉-th smallest factor that would have held it, of each step). temperature: so that the CRPS
    is least.

    Args:
        paths: (S, N, L, C).
        truth: (N, L, C).
        method: one of the two.
    """
    middle = np.median(paths, axis=0)
    if method == "temperature":
        from ..evaluation.probabilistic import crps

        losses = [crps(spread_out(paths, t), truth).mean((0, 1)) for t in _TEMPERATURES]
        return _TEMPERATURES[np.argmin(losses, axis=0)]
    low, high = np.quantile(paths, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2], axis=0)
    half = np.where(truth > middle, high - middle, middle - low)
    factors = np.abs(truth - middle) / np.where(half > 0, half, np.inf)
    ordered = np.sort(factors.reshape(-1, factors.shape[-1]), axis=0)
    place = min(math.ceil(_LEVEL * (len(ordered) + 1)), len(ordered)) - 1
    return np.where(ordered[place] > 0, ordered[place], 1.0)


def spread_out(paths: Array, factor: Array | float) -> Array:
    """Paths (S, …, C) with their distance from the median times a factor, (C,) or a number."""
    middle = np.median(paths, axis=0)
    return middle + factor * (paths - middle)
