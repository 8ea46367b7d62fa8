r"""TS2Vec: representations of series that are learned by contrast, without labels.

Two overlapping crops of a series, each with steps of its input hidden at random, go through a dilated
convolution; the representations of the same step in both are to be nearer to each other than to those
of other steps (temporal contrast) and of other series (instance contrast). The loss is taken again
after halving the time axis by maxima until one step is left. A window's representation is the maximum
over its steps.

References:
    Yue et al. (2022). TS2Vec: towards universal representation of time series. arXiv:2106.10466
"""

from __future__ import annotations

__all__ = ["TS2VecEncoder", "fit_ts2vec", "hierarchical_contrast"]

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_swa_multi_avg_fn

from ..core.randomness import derive_seed, forked_generator

Array = NDArray[np.floating[Any]]

_SMALL, _STEPS_SMALL, _STEPS = 100_000, 200, 600
_CHUNK = 2048


class TS2VecEncoder(nn.Module):
    """Dilated convolutions over a window's steps.

    Args:
        features: C.
        hidden: channels inside.
        output: size of a representation.
        depth: residual blocks of dilations 1, 2, 4, …; one more gives the output.
        dropout: of the representations, in training.
    """

    def __init__(
        self, features: int, hidden: int = 64, output: int = 320, depth: int = 10, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.project = nn.Linear(features, hidden)
        widths = [hidden] * depth + [output]
        self.blocks = nn.ModuleList(
            _Block(before, after, 2**i, last=i == depth)
            for i, (before, after) in enumerate(zip([hidden, *widths], widths, strict=False))
        )

    def forward(self, x: Tensor, hidden_steps: Tensor | None = None) -> Tensor:
        """Representations of every step, (B, L, output).

        Args:
            x: windows, (B, L, C).
            hidden_steps: True where a step's input is hidden, (B, L); None: nowhere.
        """
        h = self.project(x)
        if hidden_steps is not None:
            h = h.masked_fill(hidden_steps[..., None], 0.0)
        for block in self.blocks:
            h = block(h)
        return F.dropout(h, self.dropout, self.training)

    @torch.no_grad()
    def encode(self, windows: Array) -> Array:
        """One representation a window, (N, output), in float64."""
        self.eval()
        parts = [
            self(torch.from_numpy(windows[i : i + _CHUNK])).amax(1) for i in range(0, len(windows), _CHUNK)
        ]
        encoded: Array = torch.cat(parts).double().numpy()
        return encoded


class _Block(nn.Module):
    """h ← conv(gelu(conv(gelu(h)))) + h."""

    def __init__(self, before: int, after: int, dilation: int, last: bool) -> None:
        super().__init__()
        self.first, self.second = _Convolution(before, after, dilation), _Convolution(after, after, dilation)
        self.skip = nn.Linear(before, after) if last or before != after else nn.Identity()

    def forward(self, h: Tensor) -> Tensor:
        update: Tensor = self.second(F.gelu(self.first(F.gelu(h))))
        return update + self.skip(h)


class _Convolution(nn.Module):
    """Three taps, `dilation` steps apart, with zeros beyond the ends, on (B, L, C).

    Where the outer taps lie beyond both ends of the series, only the middle one is computed.
    """

    def __init__(self, before: int, after: int, dilation: int) -> None:
        super().__init__()
        limit = (3 * before) ** -0.5
        self.dilation = dilation
        self.weight = nn.Parameter(torch.empty(3, before, after).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.empty(after).uniform_(-limit, limit))

    def forward(self, h: Tensor) -> Tensor:
        length, d = h.shape[1], self.dilation
        if d >= length:
            return torch.addmm(self.bias, h.flatten(0, 1), self.weight[1]).unflatten(0, h.shape[:2])
        padded = F.pad(h, (0, 0, d, d))
        taps = torch.cat((padded[:, :length], h, padded[:, 2 * d :]), -1)
        return torch.addmm(self.bias, taps.flatten(0, 1), self.weight.flatten(0, 1)).unflatten(0, h.shape[:2])


def hierarchical_contrast(a: Tensor, b: Tensor) -> Tensor:
    """Mean over scales of ½ (instance contrast + temporal contrast) of two views (B, T, D)."""
    losses = []
    while True:
        temporal = a.shape[1] > 1
        losses.append(
            0.5 * (_instance_contrast(a, b) + _temporal_contrast(a, b))
            if temporal
            else 0.5 * _instance_contrast(a, b)
        )
        if not temporal:
            return torch.stack(losses).mean()
        a, b = (F.max_pool1d(view.mT, 2).mT for view in (a, b))


def _instance_contrast(a: Tensor, b: Tensor) -> Tensor:
    """Each step's pair against the same step of the other series."""
    if len(a) == 1:
        return a.new_zeros(())
    return _contrast(a.transpose(0, 1), b.transpose(0, 1))


def _temporal_contrast(a: Tensor, b: Tensor) -> Tensor:
    """Each step's pair against the other steps of the same series."""
    return _contrast(a, b)


def _contrast(a: Tensor, b: Tensor) -> Tensor:
    """−log softmax of the pairs' similarity among all others, for rows a_i and b_i of (G, K, D)."""
    k = a.shape[1]
    both = torch.cat((a, b), 1)
    similarity = both @ both.mT
    similarity = similarity.masked_fill(torch.eye(2 * k, dtype=torch.bool, device=a.device), -torch.inf)
    partner = torch.arange(2 * k, device=a.device).roll(k)
    return -F.log_softmax(similarity, -1).gather(-1, partner.expand(len(a), -1)[..., None]).mean()


def fit_ts2vec(
    windows: Array,
    seed: int = 0,
    steps: int | None = None,
    batch_size: int = 8,
    learning_rate: float = 1e-3,
    on_progress: Callable[[float], None] | None = None,
) -> TS2VecEncoder:
    """Train an encoder; its weights are the mean over all steps.

    Args:
        windows: (N, L, C), float32, on a common scale.
        seed: of initial weights, batches, crops and hidden steps.
        steps: of training; None: 200 for at most 100,000 numbers, else 600.
        batch_size: windows a step.
        learning_rate: of AdamW.
        on_progress: called with the share that is done.
    """
    count = steps or (_STEPS_SMALL if windows.size <= _SMALL else _STEPS)
    rng = np.random.default_rng(derive_seed(seed, "ts2vec"))
    data = torch.from_numpy(windows)
    with forked_generator(seed, "ts2vec"):
        encoder = TS2VecEncoder(windows.shape[2])
        optimiser = torch.optim.AdamW(encoder.parameters(), learning_rate, fused=True)
        average = AveragedModel(encoder, multi_avg_fn=get_swa_multi_avg_fn())
        order = np.empty(0, np.int64)
        for step in range(count):
            if len(order) < min(batch_size, len(data)):
                order = rng.permutation(len(data))
            chosen, order = order[:batch_size], order[batch_size:]
            loss = hierarchical_contrast(*_two_views(encoder, data[chosen], rng))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            average.update_parameters(encoder)
            if on_progress is not None and step % 20 == 0:
                on_progress(step / count)
    encoder.load_state_dict(average.module.state_dict())
    return encoder.eval()


def _two_views(encoder: TS2VecEncoder, x: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Representations of the overlap of two random crops, each moved along each series at random."""
    size, length, _ = x.shape
    overlap = int(rng.integers(min(2, length), length + 1))
    left = int(rng.integers(0, length - overlap + 1))
    right = left + overlap
    first, last = int(rng.integers(0, left + 1)), int(rng.integers(right, length + 1))
    moved = torch.from_numpy(rng.integers(-first, length - last + 1, size))

    def crop(start: int, end: int) -> Tensor:
        steps = moved[:, None] + torch.arange(start, end)
        part = x[torch.arange(size)[:, None], steps]
        return encoder(part, torch.rand(part.shape[:2]) < 0.5)

    return crop(first, right)[:, -overlap:], crop(left, last)[:, :overlap]
