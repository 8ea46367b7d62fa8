"""Recurrent layers in both directions that padding does not disturb.

References:
    Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. arXiv:1406.1078 (GRU)
    Hochreiter, Schmidhuber (1997). Long short-term memory. doi:10.1162/neco.1997.9.8.1735
    Schuster, Paliwal (1997). Bidirectional recurrent neural networks. doi:10.1109/78.650093
"""

from __future__ import annotations

__all__ = ["Cell", "Recurrent", "mirrored"]

from typing import Literal

import torch
from torch import Tensor, nn

Cell = Literal["gru", "lstm"]


class Recurrent(nn.Module):
    """A layer that reads a series forwards and, if asked, another that reads it backwards.

    Args:
        dim: size of a step, and of either direction's state.
        cell: gru or lstm.
        bidirectional: whether to read backwards too.
    """

    def __init__(self, dim: int, cell: Cell, bidirectional: bool) -> None:
        super().__init__()
        make = nn.GRU if cell == "gru" else nn.LSTM
        self.forwards = make(dim, dim, batch_first=True)
        self.backwards = make(dim, dim, batch_first=True) if bidirectional else None

    def forward(self, x: Tensor, mirror: Tensor | None = None) -> Tensor:
        """(B, L, D) → (B, L, D), or (B, L, 2 D) from both directions.

        Args:
            x: the series; padding, if any, stands at its end.
            mirror: the order in which to read backwards, from `mirrored`; None: no padding.
        """
        states: Tensor = self.forwards(x)[0]
        if self.backwards is None:
            return states
        if mirror is None:
            back = self.backwards(x.flip(1))[0].flip(1)
        else:
            there = mirror[..., None].expand(-1, -1, x.shape[-1])
            back = self.backwards(x.gather(1, there))[0].gather(1, there)
        return torch.cat((states, back), dim=-1)


def mirrored(exists: Tensor | None) -> Tensor | None:
    """For each step the one in its place when the existing steps are read backwards, (B, L).

    The padding behind them is mirrored too, so that it comes after them again: twice is the identity.

    Args:
        exists: True where a member has a step, (B, L, 1), False from some step on; None: everywhere.
    """
    if exists is None:
        return None
    length = exists.shape[1]
    opposite = exists.sum(1) - 1 - torch.arange(length, device=exists.device)
    return torch.where(opposite < 0, opposite + length, opposite)
