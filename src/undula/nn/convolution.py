"""Residual convolution blocks of 1-D networks.

References:
    He et al. (2016). Identity mappings in deep residual networks. arXiv:1603.05027
    Wu, He (2018). Group normalization. arXiv:1803.08494
"""

from __future__ import annotations

__all__ = ["ChannelNorm", "ResidualBlock"]

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .conditioning import modulate


class ChannelNorm(nn.GroupNorm):
    """Group normalisation that leaves out the elements that do not exist.

    Args:
        channels: C; the groups hold at least 8 channels and number at most 32.
    """

    def __init__(self, channels: int) -> None:
        groups = max(g for g in range(1, 33) if channels % g == 0 and (g == 1 or channels // g >= 8))
        super().__init__(groups, channels)

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Normalise (B, C, L) over the elements where `valid` (B, 1, L) is true."""
        if valid is None:
            return super().forward(x)
        weight = valid.to(x.dtype)[:, None]  # (B, 1, 1, L)
        grouped = x.unflatten(1, (self.num_groups, -1))
        count = weight.sum((2, 3), keepdim=True).clamp(min=1.0) * grouped.shape[2]
        mean = (grouped * weight).sum((2, 3), keepdim=True) / count
        centred = (grouped - mean) * weight
        variance = centred.square().sum((2, 3), keepdim=True) / count
        normal = (centred * torch.rsqrt(variance + self.eps)).flatten(1, 2)
        return torch.addcmul(self.bias[:, None] * weight[:, 0], normal, self.weight[:, None])


class ResidualBlock(nn.Module):
    """x + Conv(SiLU(Norm(Conv(SiLU(Norm(x)))) (1 + scale) + shift)), the last convolution from zero.

    Args:
        channels: of x, kept.
        embedding: size of the vector that gives scale and shift.
        kernel: width of the convolutions, odd.
        dropout: probability of dropping an element before the last convolution.
    """

    def __init__(self, channels: int, embedding: int, kernel: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.norm_1, self.norm_2 = ChannelNorm(channels), ChannelNorm(channels)
        self.conv_1 = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.conv_2 = nn.Conv1d(channels, channels, kernel, padding=kernel // 2)
        self.modulation = nn.Linear(embedding, 2 * channels)
        nn.init.zeros_(self.conv_2.weight)

    def forward(self, x: Tensor, vector: Tensor, valid: Tensor | None = None) -> Tensor:
        """(B, C, L) and (B, E) → (B, C, L); `valid` (B, 1, L) marks the elements that exist."""
        scale, shift = self.modulation(vector)[..., None].chunk(2, dim=1)
        h = self.conv_1(F.silu(self.norm_1(x, valid)))
        h = F.silu(modulate(self.norm_2(h, valid), shift, scale))
        h = F.dropout(h, self.dropout, self.training)
        h = x + self.conv_2(h if valid is None else h * valid)
        return h if valid is None else h * valid
