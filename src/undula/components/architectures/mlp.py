r"""A residual network on the flattened window.

    h ← h + gate · W₂ φ(W₁ (LN(h) (1 + scale) + shift)),    (shift, scale, gate) from (τ, condition)

with φ(a) = SiLU(a), or φ(a, b) = SiLU(a) · b: products let one part of a window scale another, as the size
of today's moves scales tomorrow's.

A window of fixed length is one vector, so that a step is a few large matrix products: the fast
choice on a CPU. Aligned parts join the input, sequence parts are flattened and added to the residual
stream, static parts are added to the noise level's vector.

References:
    Peebles, Xie (2023). Scalable diffusion models with transformers. arXiv:2212.09748 (adaLN-zero)
    Shazeer (2020). GLU variants improve transformer. arXiv:2002.05202 (swiglu)
"""

from __future__ import annotations

__all__ = ["MLPArchitecture"]

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.registry import register
from ...core.types import ConditionDropout, Fraction, NonNegativeInt, PositiveInt, Series, Times
from ...nn.conditioning import AlignedEncoder, FlatSequenceEncoder, InputSkip, StaticEncoder, modulate
from ...nn.embeddings import NoiseLevelEmbedding


@register("architecture", "mlp")
class MLPArchitecture(BaseArchitecture):
    """A residual network with adaLN on the flattened window of fixed length.

    Args:
        model_dim: width of the residual stream.
        num_layers: residual blocks.
        expansion: width inside a block, in units of model_dim.
        activation: silu, or swiglu, which has half as many weights again in a block.
        embedding_dim: size of the vector of noise level and condition.
        dropout: probability of dropping a unit inside a block.
        condition_dropout: probability of training with a condition part's learned null; or one a
            part, such as {history: 0.1}, 0 for parts that are not named.
    """

    any_length = False
    needs = "windows and histories of one fixed length"

    def __init__(
        self,
        model_dim: PositiveInt = 512,
        num_layers: NonNegativeInt = 4,
        expansion: PositiveInt = 2,
        activation: Literal["silu", "swiglu"] = "silu",
        embedding_dim: PositiveInt = 128,
        dropout: Fraction = 0.0,
        condition_dropout: ConditionDropout = 0.1,
    ) -> None:
        super().__init__()
        self.model_dim, self.num_layers, self.expansion = model_dim, num_layers, expansion
        self.activation = activation
        self.embedding_dim, self.dropout, self.condition_dropout = embedding_dim, dropout, condition_dropout

    def build(self, layout: Layout) -> None:
        """Make the layers; see `BaseArchitecture.build`."""
        super().build(layout)
        length = self._require_length(layout)
        dim, embedding = self.model_dim, self.embedding_dim
        self.aligned = AlignedEncoder(layout)
        self.sequence = FlatSequenceEncoder(layout, dim)
        self.static = StaticEncoder(layout, embedding)
        self.noise_level = NoiseLevelEmbedding(embedding)
        self.project_in = nn.Linear((layout.channels + self.aligned.channels) * length, dim)
        self.modulation = nn.Linear(embedding, 3 * dim * self.num_layers)
        gated = self.activation == "swiglu"
        self.blocks = nn.ModuleList(
            _Block(dim, self.expansion, gated, self.dropout) for _ in range(self.num_layers)
        )
        self.skip = InputSkip(embedding, layout.channels)
        self.project_out = nn.Linear(dim, layout.channels * length)
        nn.init.zeros_(self.project_out.weight)
        nn.init.zeros_(self.project_out.bias)

    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition); see `BaseArchitecture.forward`."""
        vector = self.static(self.noise_level(tau), condition)
        h = self.sequence(self.project_in(self.aligned(x, condition).flatten(1)), condition)
        modulation = self.modulation(vector).unflatten(-1, (self.num_layers, 3, -1)).unbind(1)
        for k, block in enumerate(self.blocks):
            h = self.run_block(block, h, modulation[k])
        output: Tensor = self.project_out(F.layer_norm(h, h.shape[-1:]))
        return output.unflatten(-1, x.shape[1:]) + self.skip(x, vector)


class _Block(nn.Module):
    def __init__(self, dim: int, expansion: int, gated: bool, dropout: float) -> None:
        super().__init__()
        self.gated, self.dropout = gated, dropout
        self.inner = nn.Linear(dim, (2 if gated else 1) * expansion * dim)
        self.outer = nn.Linear(expansion * dim, dim)

    def forward(self, h: Tensor, modulation: Tensor) -> Tensor:
        shift, scale, gate = modulation.unbind(1)
        update = self.inner(modulate(F.layer_norm(h, h.shape[-1:]), shift, scale))
        if self.gated:
            inside, factor = update.chunk(2, -1)
            update = F.silu(inside) * factor
        else:
            update = F.silu(update)
        update = F.dropout(update, self.dropout, self.training)
        return torch.addcmul(h, gate, self.outer(update))
