r"""Many small recurrent networks, each trained on data of its own, in one loop.

The literature's judges are networks with a handful of units whose training is all overhead. Here M of
them (pairs of sets × repeats) are one batch of matrix products, so that all cost little more than one:

    GRU   u, r = s(x W + h U + b),   n = tanh(x W_n + (r h) U_n + b_n),   h ← u h + (1 − u) n
    LSTM  i, f, o = s(x W + h U + b),   g = tanh(…),   c ← f c + i g,   h = o tanh c

A gate's bias starts at 1, weights are Glorot-uniform, as in the judges' first implementation.

References:
    Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. arXiv:1406.1078 (GRU)
    Hochreiter, Schmidhuber (1997). Long short-term memory. doi:10.1162/neco.1997.9.8.1735
    Yoon, Jarrett, van der Schaar (2019). Time-series generative adversarial networks. NeurIPS (the judges)
"""

from __future__ import annotations

__all__ = ["Cell", "RecurrentCrowd", "train_crowd"]

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from ..core.randomness import forked_generator

Cell = Literal["gru", "lstm"]

_GATES: dict[Cell, int] = {"gru": 3, "lstm": 4}
_LEARNING_RATE = 1e-3


class RecurrentCrowd(nn.Module):
    """M recurrent layers, each followed by a linear one to a single number.

    Args:
        members: M.
        features: D, of a step.
        hidden: H, units of a layer.
        cell: gru or lstm.
        seed: of the initial weights.
    """

    def __init__(self, members: int, features: int, hidden: int, cell: Cell = "gru", seed: int = 0) -> None:
        super().__init__()
        gates = _GATES[cell]
        self.cell, self.hidden = cell, hidden
        with forked_generator(seed, "crowd"):
            self.inputs = nn.Parameter(_glorot(members, features, gates * hidden, features + hidden))
            self.states = nn.Parameter(_glorot(members, hidden, gates * hidden, features + hidden))
            self.head = nn.Parameter(_glorot(members, hidden, 1, hidden))
        bias = torch.ones(members, 1, gates * hidden)
        bias[..., -hidden:] = 0.0  # of the candidate
        self.bias = nn.Parameter(bias)
        self.head_bias = nn.Parameter(torch.zeros(members, 1, 1))

    def forward(self, x: Tensor, every_step: bool = False) -> Tensor:
        """One number a series, (M, B), or one a step, (M, B, L).

        Args:
            x: a batch for each member, (M, B, L, D).
            every_step: whether to answer after every step, not after the last alone.
        """
        members, size, length, _ = x.shape
        driven = torch.baddbmm(self.bias, x.transpose(1, 2).flatten(1, 2), self.inputs)
        driven_steps = driven.unflatten(1, (length, size)).unbind(1)
        h = c = x.new_zeros(members, size, self.hidden)
        states = []
        for step in driven_steps:
            if self.cell == "gru":
                h = self._gru(step, h)
            else:
                h, c = self._lstm(step, h, c)
            states.append(h)
        if not every_step:
            return torch.baddbmm(self.head_bias, h, self.head).squeeze(-1)
        out = torch.baddbmm(self.head_bias, torch.cat(states, 1), self.head)
        return out.unflatten(1, (length, size)).squeeze(-1).transpose(1, 2)

    def _gru(self, step: Tensor, h: Tensor) -> Tensor:
        k = self.hidden
        gates = torch.sigmoid(torch.baddbmm(step[..., : 2 * k], h, self.states[..., : 2 * k]))
        update, reset = gates.split(k, -1)
        new = torch.tanh(torch.baddbmm(step[..., 2 * k :], reset * h, self.states[..., 2 * k :]))
        return torch.lerp(new, h, update)

    def _lstm(self, step: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
        k = self.hidden
        driven = torch.baddbmm(step, h, self.states)
        enter, forget, leave = torch.sigmoid(driven[..., : 3 * k]).split(k, -1)
        c = forget * c + enter * torch.tanh(driven[..., 3 * k :])
        return leave * torch.tanh(c), c


def train_crowd(
    crowd: RecurrentCrowd,
    loss: Callable[[RecurrentCrowd, int], Tensor],
    steps: int,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Adam on the sum of the members' losses; none of them feels the others.

    Args:
        crowd: is changed.
        loss: of each member at a step, (M,).
        steps: how many.
        on_progress: called with the share that is done.
    """
    optimiser = torch.optim.Adam(crowd.parameters(), _LEARNING_RATE, fused=True)
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss(crowd, step).sum().backward()
        optimiser.step()
        if on_progress is not None and step % 50 == 0:
            on_progress(step / steps)


def _glorot(members: int, rows: int, columns: int, fan_in: int) -> Tensor:
    """Glorot-uniform matrices; `fan_in` counts the rows of all that enter the same units."""
    limit = (6.0 / (fan_in + columns)) ** 0.5
    return torch.empty(members, rows, columns).uniform_(-limit, limit)
