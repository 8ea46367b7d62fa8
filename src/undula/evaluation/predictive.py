r"""The predictive score: train on generated windows, predict real ones.

A GRU of ⌊D/2⌋ units (at least 2) learns from generated windows to say the last column one step ahead
from the other columns (from itself, where it is the only one), 5000 steps of 128 windows under the L1
loss; the score is its mean absolute error on the real windows, in units of each column's range. Real
data themselves have a score well above 0, and most models reach it: it says little.

References:
    Yoon, Jarrett, van der Schaar (2019). Time-series generative adversarial networks. NeurIPS
"""

from __future__ import annotations

__all__ = ["predictive_scores"]

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from .pairs import Pair, Scores, scale_of
from .recurrent import RecurrentCrowd, train_crowd

_CHUNK = 2048


def predictive_scores(
    pairs: Sequence[Pair],
    repeats: int = 5,
    seed: int = 0,
    *,
    steps: int = 5000,
    batch_size: int = 128,
    on_progress: Callable[[float], None] | None = None,
) -> Scores:
    """Mean absolute error of each pair and repeat, (pairs, repeats).

    Args:
        pairs: generated and real windows; each pair is scaled by its real windows.
        repeats: networks a pair, each with its own batches and initial weights.
        seed: of everything random.
        steps: of training.
        batch_size: windows a step.
        on_progress: called with the share that is done.
    """
    features = pairs[0].real.values.shape[2]
    told = max(1, features - 1)
    scales = [scale_of(pair.real.values) for pair in pairs]
    sets = [
        [torch.from_numpy(scale(side.values)) for side in pair]
        for scale, pair in zip(scales, pairs, strict=True)
    ]
    rngs = [np.random.default_rng([seed, r]) for _ in pairs for r in range(repeats)]
    members = [generated for generated, _ in sets for _ in range(repeats)]
    crowd = RecurrentCrowd(len(members), told, max(2, features // 2), "gru", seed)

    def loss(crowd: RecurrentCrowd, step: int) -> Tensor:
        chosen = [m[rng.integers(0, len(m), batch_size)] for m, rng in zip(members, rngs, strict=True)]
        return _error(crowd, torch.stack(chosen), told).mean((1, 2))

    train_crowd(crowd, loss, steps, on_progress)
    scores = np.zeros((len(pairs), repeats))
    with torch.no_grad():
        for p, (_, real) in enumerate(sets):
            everyone = real.expand(len(members), *real.shape)
            errors = [
                _error(crowd, everyone[:, i : i + _CHUNK], told).sum((1, 2))
                for i in range(0, len(real), _CHUNK)
            ]
            mean = torch.stack(errors).sum(0) / (len(real) * (real.shape[1] - 1))
            scores[p] = mean.reshape(len(pairs), repeats)[p].numpy()
    return scores


def _error(crowd: RecurrentCrowd, windows: Tensor, told: int) -> Tensor:
    """|prediction − last column| one step ahead, (M, B, L − 1)."""
    said = torch.sigmoid(crowd(windows[:, :, :-1, :told], every_step=True))
    return (said - windows[:, :, 1:, -1]).abs()
