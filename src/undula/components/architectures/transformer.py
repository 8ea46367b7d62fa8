r"""A transformer over tokens of time.

The series is cut into patches of `patch_size` steps (and, with `channel_tokens`, by channel), each
patch is a token, and every block is

    h ← h + g₁ · SelfAttention(LN(h) (1 + a₁) + b₁)
    h ← h + CrossAttention(LN(h), history)      (conditioning: cross_attention; see cross_attention_mix)
    h ← h + g₂ · MLP(LN(h) (1 + a₂) + b₂)

with (g, a, b) from the noise level and the static parts. Positions are rotary, so the weights take
any length; the history's positions run up to the series' start.

References:
    Peebles, Xie (2023). Scalable diffusion models with transformers. arXiv:2212.09748 (DiT)
    Su et al. (2021). RoFormer. arXiv:2104.09864
    Nie et al. (2023). A time series is worth 64 words. arXiv:2211.14730 (patches, channel tokens)
"""

from __future__ import annotations

__all__ = ["TransformerArchitecture"]

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.registry import register
from ...core.types import ConditionDropout, Fraction, PositiveInt, Series, Times
from ...nn.attention import CrossMix, check_heads
from ...nn.blocks import AttentionBlock
from ...nn.conditioning import AlignedEncoder, Conditioner, Conditioning, InputSkip, modulate


@register("architecture", "transformer")
class TransformerArchitecture(BaseArchitecture):
    """A transformer with adaLN over patches of time.

    Args:
        model_dim: size of a token; a multiple of 2·num_heads.
        num_heads: attention heads.
        num_layers: blocks.
        patch_size: time steps a token; the series is padded to a multiple and cut again.
        channel_tokens: a token for every channel and patch, instead of one a patch.
        expansion: width of a block's MLP, in units of model_dim.
        conditioning: how sequence parts enter: cross_attention (every block attends to them), film
            (their mean joins the noise level), concat (as tokens before the series), none.
        dropout: probability of dropping a unit of a block's MLP.
        cross_attention_mix: how cross-attention joins the stream: none (added), learned (added times
            a gain that depends on the noise level), fixed (0.7 of the stream, 0.3 of the attention, 0.3
            of the history's mean).
        condition_dropout: probability of training with a condition part's learned null; or one a
            part, such as {history: 0.1}, 0 for parts that are not named.
    """

    def __init__(
        self,
        model_dim: PositiveInt = 128,
        num_heads: PositiveInt = 4,
        num_layers: PositiveInt = 4,
        patch_size: PositiveInt = 1,
        channel_tokens: bool = False,
        expansion: PositiveInt = 4,
        conditioning: Conditioning = "cross_attention",
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
        cross_attention_mix: CrossMix = "none",
    ) -> None:
        super().__init__()
        check_heads(self, "model_dim", model_dim, num_heads)
        self.model_dim, self.num_heads, self.num_layers = model_dim, num_heads, num_layers
        self.patch_size, self.channel_tokens, self.expansion = patch_size, channel_tokens, expansion
        self.conditioning, self.dropout, self.condition_dropout = conditioning, dropout, condition_dropout
        self.cross_attention_mix = cross_attention_mix

    def build(self, layout: Layout) -> None:
        """Make the layers; see `BaseArchitecture.build`."""
        super().build(layout)
        dim = self.model_dim
        self.aligned = AlignedEncoder(layout)
        self.conditioner = Conditioner(layout, self.conditioning, dim, dim, self.patch_size)
        groups = layout.channels if self.channel_tokens else 1
        self.channel = nn.Parameter(0.02 * torch.randn(groups, 1, dim)) if self.channel_tokens else None
        width = layout.channels // groups + self.aligned.channels
        self.project_in = nn.Linear(width * self.patch_size, dim)
        mix = self.cross_attention_mix if self.conditioner.crosses else None
        self.blocks = nn.ModuleList(
            AttentionBlock(dim, self.num_heads, self.expansion, self.dropout, mix)
            for _ in range(self.num_layers)
        )
        self.modulation = nn.Linear(dim, 2 * dim)
        self.skip = InputSkip(dim, layout.channels)
        self.project_out = nn.Linear(dim, layout.channels // groups * self.patch_size)
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        told = self.conditioner(tau, condition)
        h = self._tokens(x, condition)  # (B, groups, patches, D)
        groups, patches = h.shape[1:3]
        h, exists = told.lead(h.flatten(1, 2), self._exists(condition, groups, patches))
        positions = torch.arange(patches, device=x.device).repeat(groups)
        angles, context_angles = told.angles(positions, self.model_dim // self.num_heads)
        vector = F.silu(told.vector)
        for block in self.blocks:
            h = self.run_block(block, h, vector, angles, exists, told.context, context_angles)
        shift, scale = self.modulation(vector)[:, None].chunk(2, dim=-1)
        h = modulate(F.layer_norm(told.series(h), h.shape[-1:]), shift, scale)
        return self._series(self.project_out(h), x, groups) + self.skip(x, told.vector)

    def _tokens(self, x: Series, condition: Condition | None) -> Tensor:
        padding = (0, -x.shape[-1] % self.patch_size)
        channels = x.shape[1]
        x = self.aligned(x, condition)
        if condition is not None and condition.exists is not None:
            x = x * condition.exists  # a patch may be partly padding
        x = F.pad(x, padding)
        if self.channel is not None:  # each channel's tokens see that channel and the aligned parts
            own, shared = x[:, :channels, None], x[:, None, channels:]
            x = torch.cat((own, shared.expand(-1, channels, -1, -1)), dim=2)
        else:
            x = x[:, None]
        patches = x.unflatten(-1, (-1, self.patch_size)).transpose(2, 3).flatten(-2)
        tokens: Tensor = self.project_in(patches)
        return tokens if self.channel is None else tokens + self.channel

    def _series(self, tokens: Tensor, x: Series, groups: int) -> Series:
        patches = tokens.unflatten(1, (groups, -1)).unflatten(-1, (-1, self.patch_size))
        return patches.transpose(2, 3).flatten(-2).flatten(1, 2)[..., : x.shape[-1]]

    def _exists(self, condition: Condition | None, groups: int, patches: int) -> Tensor | None:
        """Where a token has a step that exists, (B, groups · patches, 1)."""
        if condition is None or condition.exists is None:
            return None
        exists = condition.exists[:, 0]
        exists = F.pad(exists, (0, patches * self.patch_size - exists.shape[-1]))
        return exists.unflatten(-1, (patches, self.patch_size)).any(-1).repeat(1, groups)[..., None]
