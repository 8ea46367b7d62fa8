"""A stream of steps through a stack of residual layers, with cross-attention before some of them.

What `cnn` and the recurrent networks have in common: how a series enters and leaves, and how the
condition joins. A subclass says which layers.
"""

from __future__ import annotations

__all__ = ["StackArchitecture"]

from abc import abstractmethod
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.types import Series, Times
from ...nn.attention import CrossMix, MixedCrossAttention
from ...nn.conditioning import AlignedEncoder, Conditioner, Conditioning, InputSkip, existing


class StackArchitecture(BaseArchitecture):
    """Residual layers over steps; see the module.

    Attributes:
        model_dim: size of a step.
        num_heads: heads of the cross-attention.
        conditioning: how sequence parts enter.
        cross_attention_mix: how cross-attention joins the stream.
    """

    model_dim: int
    num_heads: int
    conditioning: Conditioning
    cross_attention_mix: CrossMix

    @abstractmethod
    def _layers(self) -> list[nn.Module]:
        """The layers, (stream, vector, mask) → stream each."""

    @abstractmethod
    def _attending(self) -> Sequence[int]:
        """Numbers of the layers before which the stream attends to the sequence parts."""

    def _mask(self, exists: Tensor | None) -> Tensor | None:
        """What the layers want to know of where the series exists, (B or 1, L, 1)."""
        return exists

    def build(self, layout: Layout) -> None:
        """Make the layers; see `BaseArchitecture.build`."""
        super().build(layout)
        dim = self.model_dim
        self.aligned = AlignedEncoder(layout)
        self.conditioner = Conditioner(layout, self.conditioning, dim, dim)
        self.project_in = nn.Linear(layout.channels + self.aligned.channels, dim)
        self.blocks = nn.ModuleList(self._layers())
        self._crosses = list(self._attending()) if self.conditioner.crosses else []
        self.cross = nn.ModuleList(
            MixedCrossAttention(dim, self.num_heads, dim, self.cross_attention_mix) for _ in self._crosses
        )
        self.skip = InputSkip(dim, layout.channels)
        self.norm_out = nn.LayerNorm(dim)
        self.project_out = nn.Linear(dim, layout.channels)
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        told = self.conditioner(tau, condition)
        vector = F.silu(told.vector)
        h = self.project_in(self.aligned(x, condition).transpose(1, 2))  # (B, L, D) from here
        h, exists = told.lead(h, existing(condition))
        mask = self._mask(exists)
        positions = torch.arange(x.shape[-1], device=x.device)
        angles = told.angles(positions, self.model_dim // self.num_heads)
        cross = dict(zip(self._crosses, self.cross, strict=True))
        for k, block in enumerate(self.blocks):
            if told.context is not None and k in cross:
                h = self.run_block(cross[k], h, vector, told.context, *angles)
            h = self.run_block(block, h, vector, mask)
        output: Tensor = self.project_out(F.silu(self.norm_out(told.series(h))))
        return output.transpose(1, 2) + self.skip(x, vector)
