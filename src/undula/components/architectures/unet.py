r"""A 1-D U-Net: convolutions at several resolutions, joined across by sums.

Each level has residual blocks; going down, a convolution of stride 2 halves the length, going up,
one doubles it after repetition, and the down path's output is added. Attention at the coarsest
level sees the whole series. The series is padded to a multiple of the coarsest step outside the
network, so that it takes any length.

References:
    Ronneberger, Fischer, Brox (2015). U-Net. arXiv:1505.04597
    Ho, Jain, Abbeel (2020). arXiv:2006.11239
"""

from __future__ import annotations

__all__ = ["UNetArchitecture"]

import itertools
from typing import Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.errors import ConfigError
from ...core.registry import register
from ...core.types import Fraction, NonNegativeInt, PositiveInt, Series, Times
from ...nn.attention import CrossAttention, SelfAttention
from ...nn.conditioning import AlignedEncoder, SequenceEncoder, StaticEncoder
from ...nn.convolution import ChannelNorm, ResidualBlock
from ...nn.embeddings import NoiseLevelEmbedding, rotary_angles


@register("architecture", "unet")
class UNetArchitecture(BaseArchitecture):
    """A 1-D U-Net with FiLM, and attention at its coarsest level.

    Args:
        channels: width of each level, from fine to coarse; the classic 64, 128, 256, 512.
        blocks: residual blocks a level, down and up.
        kernel_size: width of the convolutions, odd.
        attention_heads: heads of the coarsest level's attention; 0: none, so that the network sees
            only as far as its convolutions.
        embedding_dim: size of the vector of noise level and condition.
        conditioning: how sequence parts enter: cross_attention (at the coarsest level), film (their
            mean joins the noise level), none.
        dropout: probability of dropping an element inside a block.
        condition_dropout: probability of training with a condition part's learned null.
    """

    def __init__(
        self,
        channels: list[PositiveInt] = [64, 128, 256, 512],  # noqa: B006
        blocks: PositiveInt = 2,
        kernel_size: PositiveInt = 3,
        attention_heads: NonNegativeInt = 4,
        embedding_dim: PositiveInt = 256,
        conditioning: Literal["cross_attention", "film", "none"] = "cross_attention",
        dropout: Fraction = 0.0,
        condition_dropout: Fraction = 0.1,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ConfigError(f"unet: kernel_size = {kernel_size} is even: use {kernel_size + 1}")
        if attention_heads and channels[-1] % (2 * attention_heads):
            raise ConfigError(
                f"unet: the last of channels, {channels[-1]}, is not a multiple of "
                f"2·attention_heads = {2 * attention_heads}: change one of them"
            )
        self.channels, self.blocks, self.kernel_size = list(channels), blocks, kernel_size
        self.attention_heads, self.embedding_dim = attention_heads, embedding_dim
        self.conditioning, self.dropout, self.condition_dropout = conditioning, dropout, condition_dropout

    def build(self, layout: Layout) -> None:
        """Make the layers; see `BaseArchitecture.build`."""
        widths, embedding = self.channels, self.embedding_dim
        coarse, heads = widths[-1], self.attention_heads
        self.aligned = AlignedEncoder(layout)
        self.static = StaticEncoder(layout, embedding)
        self.noise_level = NoiseLevelEmbedding(embedding)
        crosses = self.conditioning == "cross_attention"
        used = layout.sequence and self.conditioning != "none"
        self.sequence = SequenceEncoder(layout, coarse if crosses else embedding, 1) if used else None

        self.conv_in = nn.Conv1d(layout.channels + self.aligned.channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(self._level(width) for width in widths)
        self.middle = nn.ModuleList(self._block(coarse) for _ in range(2))
        self.up = nn.ModuleList(self._level(width) for width in widths)
        pairs = list(itertools.pairwise(widths))
        self.shrink = nn.ModuleList(nn.Conv1d(a, b, 4, stride=2, padding=1) for a, b in pairs)
        self.grow = nn.ModuleList(nn.Conv1d(b, a, 3, padding=1) for a, b in pairs)
        self.attention_norm = ChannelNorm(coarse) if heads else None
        self.attention = SelfAttention(coarse, heads) if heads else None
        self.cross = CrossAttention(coarse, heads or 4) if crosses and self.sequence is not None else None
        self.norm_out = ChannelNorm(widths[0])
        self.conv_out = nn.Conv1d(widths[0], layout.channels, 3, padding=1)
        nn.init.zeros_(self.conv_out.weight)
        if self.conv_out.bias is not None:
            nn.init.zeros_(self.conv_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        length, step = x.shape[-1], 2 ** (len(self.channels) - 1)
        padding = (0, -length % step)
        masks = self._masks(condition, padding)
        vector = self.static(self.noise_level(tau), condition)
        context = None
        if self.sequence is not None and condition is not None:
            context, _ = self.sequence(condition)
            if self.conditioning == "film":
                vector = vector + context.mean(1)
        vector = F.silu(vector)

        h = F.pad(self.aligned(x, condition), padding)
        h = self.conv_in(h if masks[0] is None else h * masks[0])
        skips = []
        for k, level in enumerate(self.down):
            h = self._run(level, h, vector, masks[k])
            if k < len(self.shrink):
                skips.append(h)
                h = self.shrink[k](h)
                h = h if masks[k + 1] is None else h * masks[k + 1]
        h = self._run(self.middle[:1], h, vector, masks[-1])
        h = self._attend(h, context, masks[-1])
        h = self._run(self.middle[1:], h, vector, masks[-1])
        for k in reversed(range(len(self.up))):
            h = self._run(self.up[k], h, vector, masks[k])
            if k > 0:
                h = self.grow[k - 1](h.repeat_interleave(2, dim=-1))
                h = skips.pop() + (h if masks[k - 1] is None else h * masks[k - 1])
        output: Tensor = self.conv_out(F.silu(self.norm_out(h, masks[0])))
        return output[..., :length]

    def _block(self, width: int) -> ResidualBlock:
        return ResidualBlock(width, self.embedding_dim, self.kernel_size, self.dropout)

    def _level(self, width: int) -> nn.ModuleList:
        return nn.ModuleList(self._block(width) for _ in range(self.blocks))

    def _run(self, blocks: Any, h: Tensor, vector: Tensor, valid: Tensor | None) -> Tensor:
        for block in blocks:
            h = self.run_block(block, h, vector, valid)
        return h

    def _attend(self, h: Tensor, context: Tensor | None, valid: Tensor | None) -> Tensor:
        if self.attention is not None and self.attention_norm is not None:
            tokens = self.attention_norm(h, valid).transpose(1, 2)
            positions = torch.arange(h.shape[-1], device=h.device)
            angles = rotary_angles(positions, tokens.shape[-1] // self.attention_heads)
            keys = None if valid is None else valid[:, 0]
            h = h + self.attention(tokens, angles, keys).transpose(1, 2)
        if self.cross is not None and context is not None:
            tokens = F.layer_norm(h.transpose(1, 2), h.shape[1:2])
            h = h + self.cross(tokens, context).transpose(1, 2)
        return h if valid is None else h * valid

    def _masks(self, condition: Condition | None, padding: tuple[int, int]) -> list[Tensor | None]:
        levels = len(self.channels)
        if condition is None or condition.exists is None:
            return [None] * levels
        mask = F.pad(condition.exists, padding)
        masks: list[Tensor | None] = [mask]
        for _ in range(levels - 1):
            mask = mask.unflatten(-1, (-1, 2)).any(-1)
            masks.append(mask)
        return masks
