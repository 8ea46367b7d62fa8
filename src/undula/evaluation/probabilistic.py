r"""Scores of probabilistic answers given as samples.

    CRPS      E|X − y| − ½ E|X − X'|          fair: the second mean leaves out a sample with itself
    coverage  share of y between the (1 − p)/2 and (1 + p)/2 quantiles of the samples

Coverage alone is passed by answers that are many times too wide; the CRPS is not.

References:
    Gneiting, Raftery (2007). Strictly proper scoring rules. doi:10.1198/016214506000001437
    Ferro (2014). Fair scores for ensemble forecasts. doi:10.1002/qj.2270
"""

from __future__ import annotations

__all__ = ["coverage", "crps"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


def crps(samples: Array, truth: Array, fair: bool = True) -> Array:
    """The continuous ranked probability score of each number, of the shape of `truth`.

    Args:
        samples: (S, …), in the unit of the score.
        truth: what happened, (…).
        fair: whether the score is unbiased in the number of samples.
    """
    count = len(samples)
    ordered = np.sort(samples, axis=0)
    rank = (2.0 * np.arange(count) - count + 1.0).reshape(-1, *[1] * (ordered.ndim - 1))
    pairs = max(count - 1, 1) if fair else count
    spread = (rank * ordered).sum(0) / (count * pairs)  # ½ E|X − X'|
    score: Array = np.abs(samples - truth).mean(0) - spread
    return score


def coverage(samples: Array, truth: Array, level: float = 0.9) -> float:
    """Share of `truth` (…) inside the central interval of the samples (S, …); unknown values (NaN) aside."""
    known = np.isfinite(truth)
    low, high = np.nanquantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return float(((low <= truth) & (truth <= high))[known].mean())
