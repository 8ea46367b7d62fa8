r"""Scores of whole paths given as samples: what numbers one at a time cannot tell.

    energy score    E‖X − y‖ − ½ E‖X − X'‖       fair: the second mean leaves out a sample with itself
    depth           d(x) = mean distance of x to all others       small at the samples' centre
    joint coverage  share of y with d(y) at most the p-quantile of the samples' own d

Norms are over all axes after the second. The region of the joint coverage needs no shape: it holds the
samples that lie closest to all others. For the depth each number is told in standard deviations, so that
columns and steps of small unit count like others. These and the distances are of the samples and y together,
for y is one more sample if the answer is calibrated: its rank is then uniform, whatever the number of samples
and of values.

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
    x = np.concatenate((samples, truth[None])).reshape(count + 1, -1)
    spread = x.std(0)
    x = (x - x.mean(0)) / np.where(spread > 0.0, spread, 1.0)
    depths = squareform(pdist(x)).sum(0) / count
    rank = math.ceil(level * (count + 1))
    return rank > count or bool(depths[-1] <= np.sort(depths[:-1])[rank - 1])
