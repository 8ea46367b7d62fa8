r"""The discriminative score: can a recurrent network tell generated windows from real ones?

    score = |½ − accuracy|     on windows that it was not trained on; 0: it cannot, ½: always

The literature's judge has one GRU layer of ⌊D/2⌋ units (at least 2), 2000 steps of 128 real and 128
generated windows, and a random fifth of either set for the test. With so few units it sees little:
`hidden` 32 sees more.

References:
    Yoon, Jarrett, van der Schaar (2019). Time-series generative adversarial networks. NeurIPS
    Yuan, Qiao (2024). Diffusion-TS: interpretable diffusion for general time series. arXiv:2403.01742
"""

from __future__ import annotations

__all__ = ["discriminative_scores"]

from collections.abc import Callable, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from .pairs import Array, Pair, Scores, scale_of, split
from .recurrent import Cell, RecurrentCrowd, train_crowd

_CHUNK = 1024


def discriminative_scores(
    pairs: Sequence[Pair],
    repeats: int = 5,
    seed: int = 0,
    *,
    hidden: int | None = None,
    cell: Cell = "gru",
    steps: int = 2000,
    batch_size: int = 128,
    on_progress: Callable[[float], None] | None = None,
) -> Scores:
    """|½ − accuracy| of each pair and repeat, (pairs, repeats).

    Args:
        pairs: generated and real windows; each pair is scaled by its real windows.
        repeats: networks a pair, each with its own split, batches and initial weights.
        seed: of everything random.
        hidden: units; None: ⌊C/2⌋, at least 2.
        cell: gru or lstm.
        steps: of training.
        batch_size: windows of either set a step.
        on_progress: called with the share that is done.
    """
    features = pairs[0].real.values.shape[2]
    members = [_Member(pair, np.random.default_rng([seed, r])) for pair in pairs for r in range(repeats)]
    crowd = RecurrentCrowd(len(members), features, hidden or max(2, features // 2), cell, seed)
    labels = torch.cat([torch.zeros(batch_size), torch.ones(batch_size)])[None]

    def loss(crowd: RecurrentCrowd, step: int) -> Tensor:
        logits = crowd(torch.stack([member.batch(batch_size) for member in members]))
        return F.binary_cross_entropy_with_logits(logits, labels.expand_as(logits), reduction="none").mean(1)

    train_crowd(crowd, loss, steps, on_progress)
    tests = [member.test() for member in members]
    accuracy = _accuracies(crowd, tests)
    return np.abs(0.5 - accuracy).reshape(len(pairs), repeats)


class _Member:
    """One pair's windows, split."""

    def __init__(self, pair: Pair, rng: np.random.Generator) -> None:
        scale = scale_of(pair.real.values)
        self.rng = rng
        self.sets = [torch.from_numpy(scale(side.values)) for side in pair]
        parts = [split(side, rng) for side in pair]
        self.train, self.held_out = [part[0] for part in parts], [part[1] for part in parts]

    def batch(self, size: int) -> Tensor:
        """Generated windows, then real ones, (2·size, L, C)."""
        chosen = [self.rng.choice(part, size) for part in self.train]
        return torch.cat([windows[c] for windows, c in zip(self.sets, chosen, strict=True)])

    def test(self) -> tuple[Tensor, Tensor]:
        """Held-out windows and whether each is real."""
        windows = torch.cat([s[torch.from_numpy(p)] for s, p in zip(self.sets, self.held_out, strict=True)])
        real = torch.arange(len(windows)) >= len(self.held_out[0])
        return windows, real


@torch.no_grad()
def _accuracies(crowd: RecurrentCrowd, tests: list[tuple[Tensor, Tensor]]) -> Array:
    """Share of right answers of each member; the sets, of different sizes, are padded with zeros."""
    longest = max(len(windows) for windows, _ in tests)
    right = np.zeros(len(tests))
    for start in range(0, longest, _CHUNK):
        parts = [windows[start : start + _CHUNK] for windows, _ in tests]
        size = max(map(len, parts))
        batch = torch.stack([F.pad(p, (0, 0, 0, 0, 0, size - len(p))) for p in parts])
        said = crowd(batch) > 0
        for i, (part, (_, real)) in enumerate(zip(parts, tests, strict=True)):
            right[i] += int((said[i, : len(part)] == real[start : start + len(part)]).sum())
    return right / np.array([len(windows) for windows, _ in tests])
