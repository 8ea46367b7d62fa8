"""A stack of LSTM layers; see `rnn` for what it is, and its references."""

from __future__ import annotations

__all__ = ["LSTMArchitecture"]

from ...core.registry import register
from ._recurrent import RecurrentArchitecture


@register("architecture", "lstm")
class LSTMArchitecture(RecurrentArchitecture):
    """Long short-term memory, in both directions or causal."""

    cell = "lstm"
