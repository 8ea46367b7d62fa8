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
from ...nn.conditioning import AlignedEncoder, InputSkip, SequenceEncoder, StaticEncoder
from ...nn.convolution import Convolution, ResidualBlock
from ...nn.embeddings import NoiseLevelEmbedding, rotary_angles


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
        if not channels:
            raise ConfigError("unet: channels is empty: give the width of each level, such as [64, 128]")
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
        self.cross = CrossAttention(coarse, heads or 4) if crosses and self.sequence is not None else None
        self.skip = InputSkip(embedding, layout.channels)
        self.norm_out = nn.LayerNorm(widths[0])
        self.conv_out = Convolution(widths[0], layout.channels, 3, bias=True)
        nn.init.zeros_(self.conv_out.weight)
        if self.conv_out.bias is not None:
            nn.init.zeros_(self.conv_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        length, step = x.shape[-1], 2 ** (len(self.channels) - 1)
        padding = (0, -length % step)
        exists = self._exists(x, condition, padding)
        vector = self.static(self.noise_level(tau), condition)
        context = None
        if self.sequence is not None and condition is not None:
            context, _ = self.sequence(condition)
            if self.conditioning == "film":
                vector = vector + context.mean(1)
        vector = F.silu(vector)

        h = F.pad(self.aligned(x, condition), padding).transpose(1, 2).contiguous()  # (B, L, C) from here
        h = self.conv_in(_masked(h, exists[0]))
        skips = []
        levels: Any = self.down
        for k, level in enumerate(levels):
            for block in level:
                h = self.run_block(block, h, vector, exists[k])
            if k < len(self.shrink):
                skips.append(h)
                h = self.shrink[k](_masked(h, exists[k]))
        h = self.run_block(self.middle[0], h, vector, exists[-1])
        h = self._attend(h, context, exists[-1])
        h = self.run_block(self.middle[1], h, vector, exists[-1])
        for k in reversed(range(len(self.up))):
            h = self.run_block(self.up[k], h, vector, exists[k])
            if k > 0:
                h = _masked(h, exists[k]).repeat_interleave(2, dim=1)
                h = skips.pop() + self.grow[k - 1](_masked(h, exists[k - 1]))
        output: Tensor = self.conv_out(_masked(F.silu(self.norm_out(h)), exists[0]))
        return output.transpose(1, 2)[..., :length] + self.skip(x, vector)

    def _block(self, width: int) -> ResidualBlock:
        return ResidualBlock(width, self.embedding_dim, self.kernel_size, self.dropout)

    def _attend(self, h: Tensor, context: Tensor | None, exists: Tensor | None) -> Tensor:
        if self.attention is not None:
            positions = torch.arange(h.shape[1], device=h.device)
            angles = rotary_angles(positions, h.shape[-1] // self.attention_heads)
            keys = None if exists is None else exists[..., 0]
            h = h + self.attention(F.layer_norm(h, h.shape[-1:]), angles, keys)
        if self.cross is not None and context is not None:
            h = h + self.cross(F.layer_norm(h, h.shape[-1:]), context)
        return h

    def _exists(
        self, x: Tensor, condition: Condition | None, padding: tuple[int, int]
    ) -> list[Tensor | None]:
        """Where the series exists, (B or 1, L, 1), at each level; our own padding does not."""
        levels = len(self.channels)
        if condition is not None and condition.exists is not None:
            exists = condition.exists[:, 0]
        elif padding[1]:
            exists = torch.ones((1, x.shape[-1]), dtype=torch.bool, device=x.device)
        else:
            return [None] * levels
        mask = F.pad(exists, padding)[..., None]
        masks: list[Tensor | None] = [mask]
        for _ in range(levels - 1):
            mask = mask.unflatten(1, (-1, 2)).any(2)
            masks.append(mask)
        return masks


def _masked(h: Tensor, exists: Tensor | None) -> Tensor:
    return h if exists is None else h * exists
