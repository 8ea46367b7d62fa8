"""Statistics of one set of windows with block-bootstrap intervals.

Windows of one series overlap, and neighbouring ones resemble each other: the bootstrap draws runs of
neighbouring windows, not windows; two window lengths long unless told otherwise, which is too short for
what lasts longer, such as weather and seasons. Samples of a model are independent, and are drawn one by
one.

References:
    Künsch (1989). The jackknife and the bootstrap for general stationary observations.
    doi:10.1214/aos/1176347265
"""

from __future__ import annotations

__all__ = ["Estimate", "Statistic", "estimates"]

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..evaluation.blocks import RealWindows, bootstrap_interval

Array = NDArray[np.floating[Any]]

Statistic = Callable[[Array], float]


@dataclass(frozen=True)
class Estimate:
    """A number with its central 95 % interval; NaN where windows are too few for one."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class _Runs(RealWindows):
    """Windows that are drawn in runs of a given number; 0: those that begin within two window lengths."""

    block: int = 0

    @cached_property
    def run(self) -> int:
        """Neighbouring windows that are drawn together."""
        return self.block or super().run


def estimates(
    statistics: Mapping[str, Statistic],
    windows: Array,
    starts: NDArray[np.int64] | None = None,
    draws: int = 200,
    seed: int = 0,
    block: int | None = None,
) -> dict[str, Estimate]:
    """Statistics of one column's windows, by name.

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
    real = _Runs(
        windows[:, :, None],
        np.arange(len(windows)) if starts is None else starts,
        independent=starts is None,
        block=block or 0,
    )
    found = {}
    for name, statistic in statistics.items():
        low, high = float("nan"), float("nan")
        if draws:
            low, high = bootstrap_interval(statistic, real, 0, draws, seed)
        found[name] = Estimate(statistic(windows), low, high)
    return found
