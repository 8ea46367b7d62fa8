"""Multi-head attention with rotary positions.

References:
    Vaswani et al. (2017). Attention is all you need. arXiv:1706.03762
"""

from __future__ import annotations

__all__ = ["CrossAttention", "SelfAttention"]

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .embeddings import rotate


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
