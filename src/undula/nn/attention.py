"""Multi-head attention with rotary positions, and how cross-attention joins the stream.

References:
    Vaswani et al. (2017). Attention is all you need. arXiv:1706.03762
"""

from __future__ import annotations

__all__ = ["CrossAttention", "CrossMix", "MixedCrossAttention", "SelfAttention", "check_heads"]

from typing import Literal

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..core.component import Component
from ..core.errors import ConfigError
from ..core.registry import Registry
from .embeddings import rotate

CrossMix = Literal["learned", "fixed", "none"]
"""How cross-attention joins the stream; see `MixedCrossAttention`."""


class SelfAttention(nn.Module):
    """Attention of tokens (B, T, D) to each other.

    Args:
        dim: D.
        num_heads: heads; divides D, and D/heads is even.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.project_in = nn.Linear(dim, 3 * dim)
        self.project_out = nn.Linear(dim, dim)

    def forward(self, x: Tensor, angles: Tensor | None = None, valid: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            x: tokens, (B, T, D).
            angles: of the rotary embedding, (T, D/heads/2); None: no positions.
            valid: True where a token may be attended to, (B, T); None: everywhere.
        """
        q, k, v = self.project_in(x).unflatten(-1, (3, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        if angles is not None:
            q, k = rotate(q, angles), rotate(k, angles)
        mask = None if valid is None else valid[:, None, None, :]
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        output: Tensor = self.project_out(out.transpose(1, 2).flatten(-2))
        return output


class CrossAttention(nn.Module):
    """Attention of tokens (B, T, D) to a context (B, S, D).

    Args:
        dim: D.
        num_heads: heads; divides D, and D/heads is even.
    """

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query = nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        self.project_out = nn.Linear(dim, dim)

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        angles: Tensor | None = None,
        context_angles: Tensor | None = None,
    ) -> Tensor:
        """Attend from x to the context.

        Args:
            x: tokens, (B, T, D).
            context: (B, S, D).
            angles: rotary angles of x, (T, D/heads/2); None: no positions.
            context_angles: those of the context, (S, D/heads/2).
        """
        q = self.query(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
        k, v = self.key_value(context).unflatten(-1, (2, self.num_heads, -1)).permute(2, 0, 3, 1, 4)
        if angles is not None and context_angles is not None:
            q, k = rotate(q, angles), rotate(k, context_angles)
        out = F.scaled_dot_product_attention(q, k, v)
        output: Tensor = self.project_out(out.transpose(1, 2).flatten(-2))
        return output


class MixedCrossAttention(nn.Module):
    r"""Cross-attention, joined to the stream h that asks it.

    With a = CrossAttention(LN(h), c), the noise level's vector v and the mean e of the context c,

        none:     h ← h + a
        learned:  h ← h + (1 + W v) ⊙ a,    W from zero: how much is heard depends on the noise level
        fixed:    h ← 0.7 h + 0.3 a + 0.3 e

    Args:
        dim: D.
        num_heads: heads; divides D, and D/heads is even.
        vector_dim: size of v.
        mix: which of the three.
    """

    def __init__(self, dim: int, num_heads: int, vector_dim: int, mix: CrossMix) -> None:
        super().__init__()
        self.attention = CrossAttention(dim, num_heads)
        self.mix = mix
        self.gate = nn.Linear(vector_dim, dim, bias=False) if mix == "learned" else None
        if self.gate is not None:
            nn.init.zeros_(self.gate.weight)

    def forward(
        self, h: Tensor, vector: Tensor, context: Tensor, angles: Tensor, context_angles: Tensor
    ) -> Tensor:
        """The stream after it has attended; see `CrossAttention` for the arguments."""
        update = self.attention(F.layer_norm(h, h.shape[-1:]), context, angles, context_angles)
        if self.mix == "fixed":
            return 0.7 * h + 0.3 * update + 0.3 * context.mean(1, keepdim=True)
        if self.gate is not None:
            update = update * (1.0 + self.gate(vector)[:, None])
        return h + update


def check_heads(who: Component, name: str, dim: int, num_heads: int) -> None:
    """Refuse a width that the heads cannot share.

    Args:
        who: the component.
        name: the width's name.
        dim: the width.
        num_heads: heads.

    Raises:
        ConfigError: unless dim is a multiple of 2·num_heads.
    """
    step = 2 * num_heads
    if dim % step:
        raise ConfigError(
            f"{Registry.name(who)}: {name} = {dim} is not a multiple of 2·num_heads = {step}: "
            f"use {name}: {step * max(1, round(dim / step))}"
        )
