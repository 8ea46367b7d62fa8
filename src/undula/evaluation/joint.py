r"""Scores of whole paths given as samples: what numbers one at a time cannot tell.

    energy score    E‖X − y‖ − ½ E‖X − X'‖       fair: the second mean leaves out a sample with itself
    depth           d(x) = E‖X − x‖              small at the samples' centre
    joint coverage  share of y with d(y) at most the p-quantile of the samples' own d (each without itself)

Norms are over all axes after the second. For the depth each number is first told in the samples' standard
deviations, so that columns and steps of small unit count like others. The region of the joint coverage needs
no shape: it holds the samples that lie closest to all others, and a path of a calibrated answer falls into it
with probability p.

References:
    Gneiting, Raftery (2007). Strictly proper scoring rules. doi:10.1198/016214506000001437
    Székely, Rizzo (2013). Energy statistics: a class of statistics based on distances.
    doi:10.1016/j.jspi.2013.03.018
    Vovk, Gammerman, Shafer (2005). Algorithmic learning in a random world (the rank of one more sample)
"""

from __future__ import annotations

__all__ = ["energy_score", "joint_coverage"]

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist, pdist, squareform

Array = NDArray[np.floating[Any]]

_NONE = 1e-6
"""Spread, in units of the mean's size, of a number that all samples agree on."""


def energy_score(samples: Array, truth: Array, fair: bool = True) -> Array:
    """The energy score of each path, (N,), in the unit of the data.

    Args:
        samples: (S, N, …), S ≥ 2 if fair.
        truth: (N, …), without missing values.
        fair: whether the score is unbiased in the number of samples.
    """
    count = len(samples)
    pairs = max(count * (count - 1), 1) if fair else count**2
    found = np.empty(len(truth))
    for i, y in enumerate(truth):
        x = samples[:, i].reshape(count, -1)
        found[i] = cdist(x, y.reshape(1, -1)).mean() - pdist(x).sum() / pairs
    return found


def joint_coverage(samples: Array, truth: Array, level: float = 0.9) -> float:
    """Share of paths inside the region of the samples that lie closest to the others.

    Args:
        samples: (S, N, …), S ≥ level / (1 − level).
        truth: (N, …), without missing values.
        level: share of samples in the region.
    """
    return float(np.mean([_inside(samples[:, i], y, level) for i, y in enumerate(truth)]))


def _inside(samples: Array, truth: Array, level: float) -> bool:
    """Whether one path (…) lies in the region of its samples (S, …)."""
    count = len(samples)
    x, y = samples.reshape(count, -1), truth.reshape(1, -1)
    mean, spread = x.mean(0), x.std(0)
    spread = np.maximum(spread, _NONE * np.abs(mean))
    spread = np.where(spread > 0.0, spread, _NONE)
    x, y = (x - mean) / spread, (y - mean) / spread
    depths = np.sort(squareform(pdist(x)).sum(0) / (count - 1))
    rank = math.ceil(level * (count + 1))  # of one more sample among S + 1
    return rank > count or bool(cdist(x, y).mean() <= depths[rank - 1])
