r"""A stack of recurrent layers of a chosen cell, with residuals.

    h ← h + W [RNN→(u), RNN←(u)],    u = LN(h) (1 + a) + b

with (a, b) from the noise level and the static parts, and RNN← left out unless `bidirectional`;
then F at step l depends on x at steps ≤ l alone. `gru` and `lstm` are names for either cell.

References:
    Cho et al. (2014). arXiv:1406.1078 (GRU); Hochreiter, Schmidhuber (1997).
    doi:10.1162/neco.1997.9.8.1735 (LSTM); Schuster, Paliwal (1997). doi:10.1109/78.650093
"""

from __future__ import annotations

__all__ = ["RNNArchitecture"]

from ...core.registry import register
from ...core.types import ConditionDropout, Fraction, PositiveInt
from ...nn.attention import CrossMix
from ...nn.conditioning import Conditioning
from ...nn.recurrent import Cell
from ._recurrent import RecurrentArchitecture


@register("architecture", "rnn")
class RNNArchitecture(RecurrentArchitecture):
    """Recurrent layers of a chosen cell, in both directions or causal.

    Args:
        cell: gru (gated recurrent unit) or lstm (long short-term memory).
    """

    def __init__(
        self,
        cell: Cell = "gru",
        model_dim: PositiveInt = 128,
        num_layers: PositiveInt = 4,
        bidirectional: bool = True,
        conditioning: Conditioning = "cross_attention",
        cross_attention_mix: CrossMix = "none",
        num_heads: PositiveInt = 4,
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
    ) -> None:
        super().__init__(
            model_dim,
            num_layers,
            bidirectional,
            conditioning,
            cross_attention_mix,
            num_heads,
            dropout,
            condition_dropout,
        )
        self.cell = cell
