r"""A stack of recurrent layers with residuals; `gru`, `lstm` and `rnn` are this network.

    h ← h + W [RNN→(u), RNN←(u)],    u = LN(h) (1 + a) + b

with (a, b) from the noise level and the static parts, and RNN← left out unless `bidirectional`;
then F at step l depends on x at steps ≤ l alone. The members of a batch run side by side, the steps of
a series one after the other: on a device that could do many steps at once this takes its time.

References:
    Cho et al. (2014). arXiv:1406.1078 (GRU); Hochreiter, Schmidhuber (1997).
    doi:10.1162/neco.1997.9.8.1735 (LSTM); Schuster, Paliwal (1997). doi:10.1109/78.650093
    Rasul et al. (2021). TimeGrad. arXiv:2101.12072 (recurrent networks in diffusion of series)
"""

from __future__ import annotations

__all__ = ["RecurrentArchitecture"]

from collections.abc import Sequence

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.types import ConditionDropout, Fraction, PositiveInt
from ...nn.attention import CrossMix, check_heads
from ...nn.conditioning import Conditioning, modulate
from ...nn.recurrent import Cell, Recurrent, mirrored
from ._stack import StackArchitecture


class RecurrentArchitecture(StackArchitecture):
    """A stack of recurrent layers; a subclass says of which cell.

    Args:
        model_dim: size of a step, and of either direction's state; with cross_attention a multiple
            of 2·num_heads.
        num_layers: recurrent layers.
        bidirectional: whether each layer reads the series backwards too; if not, the network is causal.
        conditioning: how sequence parts enter: cross_attention (before each layer), film (their mean
            joins the noise level), concat (as steps before the series, which suits a history), none.
        cross_attention_mix: how cross-attention joins the stream: none (added), learned (added times
            a gain that depends on the noise level), fixed (0.7 of the stream, 0.3 of the attention, 0.3
            of the history's mean).
        num_heads: heads of the cross-attention.
        dropout: probability of dropping an element of a layer's states.
        condition_dropout: probability of training with a condition part's learned null; or one a
            part, such as {history: 0.1}, 0 for parts that are not named.
    """

    cell: Cell
    vectorises = False

    def __init__(
        self,
        model_dim: PositiveInt = 128,
        num_layers: PositiveInt = 4,
        bidirectional: bool = True,
        conditioning: Conditioning = "cross_attention",
        cross_attention_mix: CrossMix = "none",
        num_heads: PositiveInt = 4,
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
    ) -> None:
        super().__init__()
        if conditioning == "cross_attention":
            check_heads(self, "model_dim", model_dim, num_heads)
        self.model_dim, self.num_layers, self.bidirectional = model_dim, num_layers, bidirectional
        self.conditioning, self.cross_attention_mix = conditioning, cross_attention_mix
        self.num_heads, self.dropout, self.condition_dropout = num_heads, dropout, condition_dropout
        self.causal = not bidirectional

    def _layers(self) -> list[nn.Module]:
        return [
            _Block(self.model_dim, self.cell, self.bidirectional, self.dropout)
            for _ in range(self.num_layers)
        ]

    def _attending(self) -> Sequence[int]:
        return range(self.num_layers)

    def _mask(self, exists: Tensor | None) -> Tensor | None:
        """Where step l stands when the series is read backwards."""
        return mirrored(exists) if self.bidirectional else None


class _Block(nn.Module):
    def __init__(self, dim: int, cell: Cell, bidirectional: bool, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.modulation = nn.Linear(dim, 2 * dim)
        self.recurrent = Recurrent(dim, cell, bidirectional)
        self.mix = nn.Linear(dim * (2 if bidirectional else 1), dim)

    def forward(self, h: Tensor, vector: Tensor, mirror: Tensor | None) -> Tensor:
        shift, scale = self.modulation(vector)[:, None].chunk(2, dim=-1)
        states = self.recurrent(modulate(F.layer_norm(h, h.shape[-1:]), shift, scale), mirror)
        output: Tensor = h + self.mix(F.dropout(states, self.dropout, self.training))
        return output
