r"""Convolution, attention and a state space in one network, each for what it does best.

A stem of residual convolutions reads *local* structure (jumps, edges, slopes) from the noisy steps;
attention and state space that only mix what is there would have to piece it together from single
values. Then every block reads the stream twice, side by side,

    h ← h + g₁ · SelfAttention(u) + g₃ · StateSpace(u),    u = LN(h) (1 + a) + b
    h ← CrossAttention joined to h                         (conditioning: cross_attention)
    h ← h + g₂ · MLP(LN(h) (1 + a₂) + b₂)

the *state space* for what is recent and regular (averages over the last steps, decays, oscillations:
its kernel does not depend on the values, so it is learned from few data), *attention* for what is
alike (it finds the step that matters wherever it stands). The state space is a sum of damped
oscillations in both directions, computed as a matrix product, which costs what attention costs.

References:
    Peebles, Xie (2023). arXiv:2212.09748 (adaLN); Gu, Gupta, Goel, Ré (2022). arXiv:2206.11893 (S4D)
    Dong et al. (2024). Hymba. arXiv:2411.13676 (both in parallel)
    Gulati et al. (2020). Conformer. arXiv:2005.08100 (convolution with attention)
"""

from __future__ import annotations

__all__ = ["HybridArchitecture"]

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.errors import ConfigError
from ...core.registry import register
from ...core.types import ConditionDropout, Fraction, PositiveInt, Series, Times
from ...nn.attention import CrossMix, check_heads
from ...nn.blocks import AttentionBlock
from ...nn.conditioning import AlignedEncoder, Conditioner, Conditioning, InputSkip, existing, modulate
from ...nn.convolution import Convolution, ResidualBlock


@register("architecture", "hybrid")
class HybridArchitecture(BaseArchitecture):
    """A convolution stem, then blocks of attention beside a state space.

    Args:
        model_dim: size of a step; a multiple of 2·num_heads.
        num_heads: heads of attention and of the state space.
        num_layers: blocks.
        num_states: damped oscillations a head of the state space.
        stem_layers: residual convolution blocks before the others.
        kernel_size: width of the stem's convolutions, odd.
        expansion: width of a block's MLP, in units of model_dim.
        conditioning: how sequence parts enter: cross_attention (every block attends to them), film
            (their mean joins the noise level), concat (as steps before the series), none.
        cross_attention_mix: how cross-attention joins the stream: none (added), learned (added times
            a gain that depends on the noise level), fixed (0.7 of the stream, 0.3 of the attention, 0.3
            of the history's mean).
        dropout: probability of dropping an element inside a block.
        condition_dropout: probability of training with a condition part's learned null; or one a
            part, such as {history: 0.1}, 0 for parts that are not named.
    """

    def __init__(
        self,
        model_dim: PositiveInt = 128,
        num_heads: PositiveInt = 4,
        num_layers: PositiveInt = 3,
        num_states: PositiveInt = 16,
        stem_layers: PositiveInt = 1,
        kernel_size: PositiveInt = 3,
        expansion: PositiveInt = 4,
        conditioning: Conditioning = "cross_attention",
        cross_attention_mix: CrossMix = "none",
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
    ) -> None:
        super().__init__()
        check_heads(self, "model_dim", model_dim, num_heads)
        if kernel_size % 2 == 0:
            raise ConfigError(f"hybrid: kernel_size = {kernel_size} is even: use {kernel_size + 1}")
        self.model_dim, self.num_heads, self.num_layers = model_dim, num_heads, num_layers
        self.num_states, self.stem_layers, self.kernel_size = num_states, stem_layers, kernel_size
        self.expansion, self.conditioning = expansion, conditioning
        self.cross_attention_mix = cross_attention_mix
        self.dropout, self.condition_dropout = dropout, condition_dropout

    def build(self, layout: Layout) -> None:
        """Make the layers; see `BaseArchitecture.build`."""
        super().build(layout)
        dim, kernel = self.model_dim, self.kernel_size
        self.aligned = AlignedEncoder(layout)
        self.conditioner = Conditioner(layout, self.conditioning, dim, dim)
        self.conv_in = Convolution(layout.channels + self.aligned.channels, dim, kernel, bias=True)
        self.stem = nn.ModuleList(
            ResidualBlock(dim, dim, kernel, self.dropout) for _ in range(self.stem_layers)
        )
        mix = self.cross_attention_mix if self.conditioner.crosses else None
        self.blocks = nn.ModuleList(
            AttentionBlock(dim, self.num_heads, self.expansion, self.dropout, mix, self.num_states)
            for _ in range(self.num_layers)
        )
        self.modulation = nn.Linear(dim, 2 * dim)
        self.skip = InputSkip(dim, layout.channels)
        self.project_out = nn.Linear(dim, layout.channels)
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        told, exists = self.conditioner(tau, condition), existing(condition)
        vector = F.silu(told.vector)
        h = self.aligned(x, condition).transpose(1, 2).contiguous()  # (B, L, D) from here
        h = self.conv_in(h if exists is None else h * exists)
        for block in self.stem:
            h = self.run_block(block, h, vector, exists)
        h, exists = told.lead(h, exists)
        positions = torch.arange(x.shape[-1], device=x.device)
        angles, context_angles = told.angles(positions, self.model_dim // self.num_heads)
        for block in self.blocks:
            h = self.run_block(block, h, vector, angles, exists, told.context, context_angles)
        shift, scale = self.modulation(vector)[:, None].chunk(2, dim=-1)
        h = modulate(F.layer_norm(told.series(h), h.shape[-1:]), shift, scale)
        output: Tensor = self.project_out(h)
        return output.transpose(1, 2) + self.skip(x, vector)
