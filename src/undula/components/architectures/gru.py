"""A stack of gated recurrent units; see `rnn` for what it is, and its references."""

from __future__ import annotations

__all__ = ["GRUArchitecture"]

from ...core.registry import register
from ._recurrent import RecurrentArchitecture


@register("architecture", "gru")
class GRUArchitecture(RecurrentArchitecture):
    """Gated recurrent units, in both directions or causal."""

    cell = "gru"
