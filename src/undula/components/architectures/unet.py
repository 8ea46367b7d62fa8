r"""A 1-D U-Net: convolutions at several resolutions, joined across by sums.

Each level has residual blocks, more on the way down than on the way up. Going down, a convolution of
stride 2 halves the length; going up, steps are repeated, convolved, and the down path's output is
added. Attention at the coarsest level sees the whole series. The series is padded to a multiple of
the coarsest step around the network, so that it takes any length.

References:
    Ronneberger, Fischer, Brox (2015). U-Net. arXiv:1505.04597
    Ho, Jain, Abbeel (2020). arXiv:2006.11239
"""

from __future__ import annotations

__all__ = ["UNetArchitecture"]

import itertools
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.errors import ConfigError
from ...core.registry import register
from ...core.types import ConditionDropout, Fraction, NonNegativeInt, PositiveInt, Series, Times
from ...nn.attention import CrossMix, MixedCrossAttention, SelfAttention, check_heads
from ...nn.conditioning import AlignedEncoder, Conditioner, Conditioning, InputSkip, Told, existing
from ...nn.convolution import Convolution, ResidualBlock
from ...nn.embeddings import rotary_angles


@register("architecture", "unet")
class UNetArchitecture(BaseArchitecture):
    """A 1-D U-Net with FiLM, and attention at its coarsest level.

    Args:
        channels: width of each level, from fine to coarse; the classic 64, 128, 256, 512.
        blocks: residual blocks a level on the way down; on the way up there is one.
        kernel_size: width of the convolutions, odd.
        attention_heads: heads of the coarsest level's attention; 0: none, so that the network sees
            only as far as its convolutions.
        embedding_dim: size of the vector of noise level and condition.
        conditioning: how sequence parts enter: cross_attention (at the coarsest level), film (their
            mean joins the noise level), concat (as steps before the series), none.
        dropout: probability of dropping an element inside a block.
        condition_dropout: probability of training with a condition part's learned null; or one a
            part, such as {history: 0.1}, 0 for parts that are not named.
        cross_attention_mix: how cross-attention joins the stream: none (added), learned (added times
            a gain that depends on the noise level), fixed (0.7 of the stream, 0.3 of the attention, 0.3
            of the history's mean).
    """

    def __init__(
        self,
        channels: list[PositiveInt] = [64, 128, 256, 512],  # noqa: B006
        blocks: PositiveInt = 2,
        kernel_size: PositiveInt = 3,
        attention_heads: NonNegativeInt = 4,
        embedding_dim: PositiveInt = 256,
        conditioning: Conditioning = "cross_attention",
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
        cross_attention_mix: CrossMix = "none",
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ConfigError(f"unet: kernel_size = {kernel_size} is even: use {kernel_size + 1}")
        if not channels:
            raise ConfigError("unet: channels is empty: give the width of each level, such as [64, 128]")
        if attention_heads or conditioning == "cross_attention":
            check_heads(self, "the last of channels", channels[-1], attention_heads or 1)
        self.channels, self.blocks, self.kernel_size = list(channels), blocks, kernel_size
        self.attention_heads, self.embedding_dim = attention_heads, embedding_dim
        self.conditioning, self.dropout, self.condition_dropout = conditioning, dropout, condition_dropout
        self.cross_attention_mix = cross_attention_mix

    def build(self, layout: Layout) -> None:
        """Make the layers; see `BaseArchitecture.build`."""
        super().build(layout)
        widths, embedding = self.channels, self.embedding_dim
        coarse, heads = widths[-1], self.attention_heads
        self.aligned = AlignedEncoder(layout)
        token = coarse if self.conditioning == "cross_attention" else widths[0]
        self.conditioner = Conditioner(layout, self.conditioning, embedding, token)

        self.conv_in = Convolution(layout.channels + self.aligned.channels, widths[0], 3, bias=True)
        self.down = nn.ModuleList(
            nn.ModuleList(self._block(width) for _ in range(self.blocks)) for width in widths
        )
        self.middle = nn.ModuleList(self._block(coarse) for _ in range(2))
        self.up = nn.ModuleList(self._block(width) for width in widths)
        pairs = list(itertools.pairwise(widths))
        self.shrink = nn.ModuleList(Convolution(a, b, 4, stride=2) for a, b in pairs)
        self.grow = nn.ModuleList(Convolution(b, a, 3) for a, b in pairs)
        self.attention = SelfAttention(coarse, heads) if heads else None
        crosses, mix = self.conditioner.crosses, self.cross_attention_mix
        self.cross = MixedCrossAttention(coarse, heads or 1, embedding, mix) if crosses else None
        self.skip = InputSkip(embedding, layout.channels)
        self.norm_out = nn.LayerNorm(widths[0])
        self.conv_out = Convolution(widths[0], layout.channels, 3, bias=True)
        nn.init.zeros_(self.conv_out.weight)
        if self.conv_out.bias is not None:
            nn.init.zeros_(self.conv_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        told = self.conditioner(tau, condition)
        vector = F.silu(told.vector)
        h = self.conv_in(
            _masked(self.aligned(x, condition).transpose(1, 2).contiguous(), existing(condition))
        )
        h, there = told.lead(h, existing(condition))  # (B, S + L, C) from here
        total = h.shape[1]
        padding = -total % 2 ** (len(self.channels) - 1)
        exists = self._exists(h, there, padding)
        h = F.pad(h, (0, 0, 0, padding))
        skips = []
        levels: Any = self.down
        for k, level in enumerate(levels):
            for block in level:
                h = self.run_block(block, h, vector, exists[k])
            if k < len(self.shrink):
                skips.append(h)
                h = self.shrink[k](_masked(h, exists[k]))
        h = self.run_block(self.middle[0], h, vector, exists[-1])
        h = self._attend(h, vector, told, exists[-1])
        h = self.run_block(self.middle[1], h, vector, exists[-1])
        for k in reversed(range(len(self.up))):
            h = self.run_block(self.up[k], h, vector, exists[k])
            if k > 0:
                h = _masked(h, exists[k]).repeat_interleave(2, dim=1)
                h = skips.pop() + self.grow[k - 1](_masked(h, exists[k - 1]))
        h = told.series(_masked(F.silu(self.norm_out(h)), exists[0])[:, :total])
        output: Tensor = self.conv_out(h)
        return output.transpose(1, 2) + self.skip(x, vector)

    def _block(self, width: int) -> ResidualBlock:
        return ResidualBlock(width, self.embedding_dim, self.kernel_size, self.dropout)

    def _attend(self, h: Tensor, vector: Tensor, told: Told, exists: Tensor | None) -> Tensor:
        heads, step = self.attention_heads or 1, 2 ** (len(self.channels) - 1)
        positions = torch.arange(h.shape[1], device=h.device)
        if self.attention is not None:
            keys = None if exists is None else exists[..., 0]
            angles = rotary_angles(positions, h.shape[-1] // heads)
            h = h + self.attention(F.layer_norm(h, h.shape[-1:]), angles, keys)
        if self.cross is not None and told.context is not None:
            angles, context_angles = told.angles(step * positions, h.shape[-1] // heads)
            h = self.cross(h, vector, told.context, angles, context_angles)
        return h

    def _exists(self, h: Tensor, exists: Tensor | None, padding: int) -> list[Tensor | None]:
        """Where steps exist, (B or 1, L, 1), at each level; our own padding does not."""
        levels = len(self.channels)
        if exists is None:
            if not padding and not torch.compiler.is_exporting():  # an export must serve every length
                return [None] * levels
            exists = torch.ones((1, h.shape[1], 1), dtype=torch.bool, device=h.device)
        mask = F.pad(exists, (0, 0, 0, padding))
        masks: list[Tensor | None] = [mask]
        for _ in range(levels - 1):
            mask = mask.unflatten(1, (-1, 2)).any(2)
            masks.append(mask)
        return masks


def _masked(h: Tensor, exists: Tensor | None) -> Tensor:
    return h if exists is None else h * exists
