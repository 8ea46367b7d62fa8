"""The stylised facts of one set of windows of log returns, each with its interval."""

from __future__ import annotations

__all__ = ["finance_facts"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evaluation.intervals import Estimate, estimates
from .statistics import FINANCE


def finance_facts(
    returns: NDArray[np.floating[Any]],
    starts: NDArray[np.int64] | None = None,
    draws: int = 200,
    seed: int = 0,
    block: int | None = None,
) -> dict[str, Estimate]:
    """`FINANCE` of one column of log returns, with block-bootstrap intervals.

    Args:
        returns: log returns, (N, L) or (N, L, 1).
        starts: first row of each window in its series, (N,); None: the windows are independent samples.
        draws: bootstrap samples of each interval; 0: no intervals.
        seed: of the bootstrap.
        block: neighbouring windows drawn together; None: those that begin within two window lengths.

    Raises:
        DataError: if the windows have another shape, or there is not one start for each.
    """
    return estimates(FINANCE, returns, starts, draws, seed, block)
