"""The order in which windows are seen: a function of (seed, epoch) alone."""

from __future__ import annotations

__all__ = ["epoch_batches"]

import numpy as np
from numpy.typing import NDArray

from ..core.randomness import derive_seed

_BUCKET = 32
"""Batches within which windows of similar length are brought together."""


def epoch_batches(
    lengths: NDArray[np.int64], batch_size: int, seed: int, epoch: int
) -> list[NDArray[np.int64]]:
    """The batches of one epoch; every window is in exactly one.

    Windows of different lengths are sorted within stretches of 32 batches, so that little of a
    batch is padding, and the batches are shuffled again.

    Args:
        lengths: of all windows, (N,).
        batch_size: windows a batch; the last may have fewer.
        seed: the run's.
        epoch: counted from 0.
    """
    rng = np.random.default_rng(derive_seed(seed, "order", epoch))
    order = rng.permutation(len(lengths))
    if (lengths == lengths[0]).all():
        return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    stretch = _BUCKET * batch_size
    batches: list[NDArray[np.int64]] = []
    for start in range(0, len(order), stretch):
        part = order[start : start + stretch]
        part = part[np.argsort(lengths[part], kind="stable")]
        batches += [part[i : i + batch_size] for i in range(0, len(part), batch_size)]
    return [batches[i] for i in rng.permutation(len(batches))]
