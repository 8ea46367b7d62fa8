r"""The block of transformers: attention, cross-attention and an MLP, moved and scaled by a vector.

    h ← h + g₁ · SelfAttention(u) [+ g₃ · StateSpace(u)],    u = LN(h) (1 + a₁) + b₁
    h ← CrossAttention joined to h                           (see `MixedCrossAttention`)
    h ← h + g₂ · MLP(LN(h) (1 + a₂) + b₂)

References:
    Peebles, Xie (2023). Scalable diffusion models with transformers. arXiv:2212.09748 (adaLN)
    Dong et al. (2024). Hymba: a hybrid-head architecture. arXiv:2411.13676 (attention beside a
    state space)
"""

from __future__ import annotations

__all__ = ["AttentionBlock"]

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .attention import CrossMix, MixedCrossAttention, SelfAttention
from .conditioning import modulate
from .state_space import StateSpace


class AttentionBlock(nn.Module):
    """A block with adaLN.

    Args:
        dim: size of a token, and of the vector.
        num_heads: attention heads; divides D, and D/heads is even.
        expansion: width of the MLP, in units of dim.
        dropout: probability of dropping a unit of the MLP.
        cross: how cross-attention joins the stream; None: there is none.
        num_states: of a state space beside the attention; 0: there is none.
    """

    def __init__(
        self,
        dim: int,
        num_heads: int,
        expansion: int,
        dropout: float,
        cross: CrossMix | None,
        num_states: int = 0,
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.modulation = nn.Linear(dim, (7 if num_states else 6) * dim)
        self.attention = SelfAttention(dim, num_heads)
        self.state_space = StateSpace(dim, num_heads, num_states) if num_states else None
        self.cross = None if cross is None else MixedCrossAttention(dim, num_heads, dim, cross)
        self.inner = nn.Linear(dim, expansion * dim)
        self.outer = nn.Linear(expansion * dim, dim)

    def forward(
        self,
        h: Tensor,
        vector: Tensor,
        angles: Tensor,
        exists: Tensor | None,
        context: Tensor | None,
        context_angles: Tensor,
    ) -> Tensor:
        """The stream after the block.

        Args:
            h: tokens, (B, T, D).
            vector: of the noise level, (B, D).
            angles: rotary angles of the tokens, (T, D/heads/2).
            exists: True where a token is no padding, (B, T, 1); None: everywhere.
            context: tokens to attend to, (B, S, D); None: there are none.
            context_angles: theirs, (S, D/heads/2).
        """
        modulation = self.modulation(vector)[:, None].unflatten(-1, (-1, h.shape[-1])).unbind(2)
        shift_1, scale_1, gate_1, shift_2, scale_2, gate_2 = modulation[:6]
        update = modulate(F.layer_norm(h, h.shape[-1:]), shift_1, scale_1)
        valid = None if exists is None else exists[..., 0]
        h = torch.addcmul(h, gate_1, self.attention(update, angles, valid))
        if self.state_space is not None:
            h = torch.addcmul(h, modulation[6], self.state_space(update, exists))
        if self.cross is not None and context is not None:
            h = self.cross(h, vector, context, angles, context_angles)
        update = modulate(F.layer_norm(h, h.shape[-1:]), shift_2, scale_2)
        update = F.dropout(F.gelu(self.inner(update), approximate="tanh"), self.dropout, self.training)
        return torch.addcmul(h, gate_2, self.outer(update))
