"""The copying check: do samples lie nearer to one training window than real windows do?

Of every sample the distance to its nearest training window is divided by the mean distance to its
nearest `_NEIGHBOURS`: a calm window is near to many others, a copy is near to one. The reference is
the same number of training windows, each with its own block of time (two windows to either side)
left out, so that a change of regime after the training part is not mistaken for originality.
`value` is the share of samples below the reference's lowest 1 %; chance alone gives 1 %, copies
give all.

References:
    Carlini et al. (2023). Extracting training data from diffusion models. arXiv:2301.13188 (the
    distance in units of its neighbourhood)
"""

from __future__ import annotations

__all__ = ["CHANCE", "CopyingCheck", "Originals", "copying_check"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import RealWindows

Array = NDArray[np.floating[Any]]

CHANCE = 0.01
_MOST_TRAINING, _MOST_REFERENCE, _CHUNK = 20_000, 2_000, 512
_NEIGHBOURS = 50
_BLOCK = 2
"""Windows to either side of a real one that its neighbours may not come from."""

_ROUNDING = 1e-12
"""Squared distances below this share of the squares' sum are 0 to rounding."""

_TOLERANCE, _SIGMAS = 2.0, 4.0
"""`copies` is said above twice the floor, plus four standard errors."""


@dataclass(frozen=True)
class CopyingCheck:
    """How near samples come to training windows.

    Args:
        value: share of samples nearer to one training window than chance allows.
        floor: the share that samples have which cannot be copies.
        verdict: "ok" or "copies".
        median_ratio: median of the samples' ratios over that of the reference's.
        flags: which samples, (N,).
    """

    value: float
    floor: float
    verdict: str
    median_ratio: float
    flags: NDArray[np.bool_]


def copying_check(
    samples: Array, train: RealWindows, floor: float = CHANCE, separate: int | None = None
) -> CopyingCheck:
    """Compare samples with the training windows.

    Args:
        samples: generated windows, (N, L, C).
        train: the training windows; columns are brought to their standard deviations.
        floor: the share that windows have which cannot be copies; at least that of chance.
        separate: as how many independent samples they count: neighbours of a series are flagged together;
            None: all.
    """
    return Originals.of(train).check(samples, floor, separate)


@dataclass(frozen=True)
class Originals:
    """The training windows, ready to be compared with any samples.

    Args:
        known: the windows, flat, each column in its standard deviations, (N, L C).
        scale: these standard deviations, (C,).
        reference: the ratios of training windows to those of other times.
    """

    known: Array
    scale: Array
    reference: Array

    @classmethod
    def of(cls, train: RealWindows) -> Originals:
        """Of training windows."""
        chosen = _evenly(len(train.windows), _MOST_TRAINING)
        windows, starts = train.windows[chosen], train.starts[chosen]
        scale = np.nanstd(windows, axis=(0, 1))
        scale = np.where(scale > 0, scale, 1.0)
        known = _flat(windows, scale)
        probes = _evenly(len(known), _MOST_REFERENCE)
        apart = 1 if train.independent else min((_BLOCK + 1) * windows.shape[1], int(np.ptp(starts)) // 4 + 1)
        reference = _ratios(known[probes], known, np.abs(starts[probes][:, None] - starts) < apart)
        return cls(known, scale, reference)

    def check(self, samples: Array, floor: float = CHANCE, separate: int | None = None) -> CopyingCheck:
        """Compare samples (N, L, C) with them; see `copying_check`."""
        ratios = _ratios(_flat(samples, self.scale), self.known)
        flags = ratios < np.quantile(self.reference, CHANCE)
        value = float(flags.mean())
        spread = np.sqrt(floor * (1 - floor) * (1 / (separate or len(ratios)) + 1 / len(self.reference)))
        median_ratio = float(np.median(ratios) / np.median(self.reference))
        verdict = "copies" if value > _TOLERANCE * floor + _SIGMAS * spread else "ok"
        return CopyingCheck(value, floor, verdict, median_ratio, flags)


def _evenly(n: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def _flat(windows: Array, scale: Array) -> Array:
    flat: Array = np.nan_to_num(windows / scale).reshape(len(windows), -1)
    return flat


def _ratios(points: Array, known: Array, left_out: NDArray[np.bool_] | None = None) -> Array:
    """Distance of each point to the nearest known one over the mean to its neighbours; 1 for 0/0."""
    squares = (known**2).sum(1)
    least_known = len(known) - (0 if left_out is None else int(left_out.sum(1).max()))
    neighbours = max(1, min(_NEIGHBOURS, least_known))
    ratios = np.empty(len(points))
    for start in range(0, len(points), _CHUNK):
        part = slice(start, start + _CHUNK)
        scale = (points[part] ** 2).sum(1)[:, None] + squares
        distances = scale - 2.0 * points[part] @ known.T
        distances[distances < _ROUNDING * scale] = 0.0
        if left_out is not None:
            distances[left_out[part]] = np.inf
        nearest = np.partition(distances, neighbours - 1, axis=1)[:, :neighbours]
        nearest = np.sqrt(nearest)
        mean = nearest.mean(1)
        ratios[part] = np.where(mean > 0, nearest.min(1) / np.where(mean > 0, mean, 1.0), 1.0)
    return ratios
