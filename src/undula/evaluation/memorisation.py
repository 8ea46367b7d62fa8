"""The copying check: do samples lie nearer to training windows than real windows do?

The distance of every sample to its nearest training window is compared with a reference: training
windows, each with its own block of time (two windows to either side) left out, so that a change of
regime after the training part is not mistaken for originality. `value` is the share of samples
nearer than the reference's lowest 1 %; chance alone gives 1 %, a copy gives all.
"""

from __future__ import annotations

__all__ = ["CopyingCheck", "copying_check"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import RealWindows

Array = NDArray[np.floating[Any]]

CHANCE = 0.01
_MOST_TRAINING, _MOST_REFERENCE, _CHUNK = 20_000, 2_000, 512
_BLOCK = 2
"""Windows to either side of a real one that its nearest neighbour may not come from."""

_TOLERANCE, _SIGMAS = 2.0, 4.0
"""`copies` is said above twice the share of chance, plus four standard errors."""


@dataclass(frozen=True)
class CopyingCheck:
    """How near samples come to training windows.

    Args:
        value: share of samples nearer to a training window than chance allows.
        floor: the share that chance gives.
        verdict: "ok" or "copies".
        median_ratio: median distance of samples over that of the reference.
        flags: which samples, (N,).
    """

    value: float
    floor: float
    verdict: str
    median_ratio: float
    flags: NDArray[np.bool_]


def copying_check(samples: Array, train: RealWindows) -> CopyingCheck:
    """Compare samples with the training windows.

    Args:
        samples: generated windows, (N, L, C).
        train: the training windows; columns are brought to their standard deviations.
    """
    chosen = _evenly(len(train.windows), _MOST_TRAINING)
    windows, starts = train.windows[chosen], train.starts[chosen]
    scale = np.nanstd(windows, axis=(0, 1))
    scale = np.where(scale > 0, scale, 1.0)
    known = _flat(windows, scale)
    probes = _evenly(len(known), _MOST_REFERENCE)
    apart = 1 if train.independent else (_BLOCK + 1) * windows.shape[1]
    reference = _nearest(known[probes], known, np.abs(starts[probes][:, None] - starts) < apart)
    distances = _nearest(_flat(samples, scale), known)
    limit = np.quantile(reference, CHANCE)
    flags = distances < limit
    value = float(flags.mean())
    spread = np.sqrt(CHANCE * (1 - CHANCE) * (1 / len(distances) + 1 / len(reference)))
    ratio = float(np.median(distances) / np.median(reference))
    verdict = "copies" if value > _TOLERANCE * CHANCE + _SIGMAS * spread else "ok"
    return CopyingCheck(value, CHANCE, verdict, ratio, flags)


def _evenly(n: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def _flat(windows: Array, scale: Array) -> Array:
    flat: Array = np.nan_to_num(windows / scale).reshape(len(windows), -1)
    return flat


def _nearest(points: Array, known: Array, left_out: NDArray[np.bool_] | None = None) -> Array:
    """Distance of each point to the nearest known one that is not left out."""
    squares = (known**2).sum(1)
    nearest = np.empty(len(points))
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        distances = (points[part] ** 2).sum(1)[:, None] + squares - 2.0 * points[part] @ known.T
        if left_out is not None:
            distances[left_out[part]] = np.inf
        nearest[part] = distances.min(1)
    return np.sqrt(np.maximum(nearest, 0.0))
