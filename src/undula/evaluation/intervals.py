"""Statistics of one set of windows with their bootstrap intervals, for whatever way the windows are drawn.

The percentile interval of the statistic over sets that are drawn with replacement: `blocks` says how, so that
overlap and likeness of neighbours count. Blocks are two window lengths long unless told otherwise, which is
too short for what lasts longer, such as weather and seasons. Samples of a model are independent, and are
drawn one by one.

References:
    Efron, Tibshirani (1993). An introduction to the bootstrap. doi:10.1201/9780429246593
    Künsch (1989). The jackknife and the bootstrap for general stationary observations.
    doi:10.1214/aos/1176347265
"""

from __future__ import annotations

__all__ = ["Drawn", "Estimate", "bootstrap", "estimates"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from .blocks import RealWindows
from .statistics import Statistic

Array = NDArray[np.floating[Any]]


class Drawn(Protocol):
    """How windows are drawn: `RealWindows`, `ScatteredWindows`."""

    @property
    def enough(self) -> bool:
        """Whether there are enough of them for an interval."""

    def resample(self, rng: np.random.Generator) -> NDArray[np.int64]:
        """Numbers of windows, drawn with replacement."""


@dataclass(frozen=True)
class Estimate:
    """A number with its central interval; NaN where windows are too few for one."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool | None:
        """Whether a value lies in the interval; None if there is none."""
        return None if np.isnan(self.low) else self.low <= value <= self.high


def bootstrap(
    statistics: Mapping[str, Statistic],
    windows: Array,
    drawn: Drawn,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Central intervals of statistics, by name; NaN where windows are too few, or it is not defined.

    Args:
        statistics: of windows (N, L); all are of the same draws.
        windows: of one column, (N, L).
        drawn: how they are drawn.
        draws: bootstrap samples; 0: no intervals.
        seed: of the draws.
        level: share of the draws inside, such as 0.9.
    """
    if not draws or not drawn.enough:
        return dict.fromkeys(statistics, (float("nan"), float("nan")))
    rng = np.random.default_rng(seed)
    values: dict[str, list[float]] = {name: [] for name in statistics}
    for _ in range(draws):
        some = windows[drawn.resample(rng)]
        for name, statistic in statistics.items():
            values[name].append(statistic(some))
    return {name: _central(np.array(found), level) for name, found in values.items()}


def _central(values: Array, level: float) -> tuple[float, float]:
    known = values[~np.isnan(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def estimates(
    statistics: Mapping[str, Statistic],
    windows: Array,
    starts: NDArray[np.int64] | None = None,
    draws: int = 200,
    seed: int = 0,
    block: int | None = None,
) -> dict[str, Estimate]:
    """Statistics of one column's windows, by name, with their central 95 % intervals.

    Args:
        statistics: of windows (N, L), such as `FINANCE` and `ENERGY`.
        windows: (N, L) or (N, L, 1), in the data's units.
        starts: first row of each window in its series, (N,); None: the windows are independent samples.
        draws: bootstrap samples of each interval; 0: no intervals.
        seed: of the bootstrap.
        block: neighbouring windows drawn together; None: those that begin within two window lengths.

    Raises:
        DataError: if the windows have another shape, starts are not one for each, or a block is empty.
    """
    windows = windows[..., 0] if windows.ndim == 3 and windows.shape[2] == 1 else windows
    if windows.ndim != 2 or 0 in windows.shape:
        raise DataError(
            f"the windows have shape {windows.shape}: expected (N, L), one column; choose one with "
            "windows[:, :, i]"
        )
    if starts is not None and starts.shape != (len(windows),):
        raise DataError(
            f"{starts.shape} starts for {len(windows):,} windows: expected one row number for each"
        )
    if block is not None and (block < 1 or starts is None):
        why = "expected at least 1" if block < 1 else "independent samples are drawn one by one: give starts"
        raise DataError(f"block = {block} windows: {why}")
    real = RealWindows(
        windows[:, :, None],
        np.arange(len(windows)) if starts is None else starts,
        independent=starts is None,
        block=block or 0,
    )
    ends = bootstrap(statistics, windows, real, draws, seed)
    return {name: Estimate(statistic(windows), *ends[name]) for name, statistic in statistics.items()}
