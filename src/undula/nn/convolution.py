"""Residual convolution blocks of 1-D networks, channels last: series are (B, L, C) here.

With the channels of a time step side by side in memory, convolutions need no reordering before and
after each call, normalisation over channels is one pass, and attention takes tokens as they are.

References:
    He et al. (2016). Identity mappings in deep residual networks. arXiv:1603.05027
    Ba, Kiros, Hinton (2016). Layer normalization. arXiv:1607.06450
    Dauphin, Fan, Auli, Grangier (2017). Language modeling with gated convolutional networks.
    arXiv:1612.08083 (gated linear units)
"""

from __future__ import annotations

__all__ = ["Convolution", "GatedBlock", "ResidualBlock"]

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .conditioning import modulate


class Convolution(nn.Conv2d):
    """A convolution over time of series (B, L, C), by torch's channels-last 2-D kernels.

    Args:
        inputs: C of the input.
        outputs: C of the output.
        kernel: width; with a stride, even.
        stride: the length is divided by it; 1: kept.
        bias: whether to add a constant a channel, which a norm beside it mostly makes idle.
        dilation: steps from one of the kernel's inputs to the next.
        causal: whether an output depends on inputs up to its own step alone.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        bias: bool = False,
        dilation: int = 1,
        causal: bool = False,
    ) -> None:
        reach = dilation * (kernel - 1)
        padding = 0 if causal else (kernel - stride) // 2 if stride > 1 else reach // 2
        super().__init__(
            inputs,
            outputs,
            (1, kernel),
            stride=(1, stride),
            padding=(0, padding),
            dilation=(1, dilation),
            bias=bias,
        )
        self.before = reach if causal else 0
        self.weight.data = self.weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, C) → (B, L / stride, outputs)."""
        if self.before:
            x = F.pad(x, (0, 0, self.before, 0))
        return super().forward(x.transpose(1, 2).unsqueeze(2)).squeeze(2).transpose(1, 2)


class ResidualBlock(nn.Module):
    """x + Conv(SiLU(Conv(SiLU(Norm(x) (1 + scale) + shift)))), the last convolution from zero.

    The norm is over the channels of each time step, so that no time step sees another through it,
    padding included. One norm a block is enough, as in a transformer's.

    Args:
        channels: of x, kept.
        embedding: size of the vector that gives scale and shift.
        kernel: width of the convolutions, odd.
        dropout: probability of dropping an element before the last convolution.
    """

    def __init__(self, channels: int, embedding: int, kernel: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv_1 = Convolution(channels, channels, kernel, bias=True)
        self.conv_2 = Convolution(channels, channels, kernel)
        self.modulation = nn.Linear(embedding, 2 * channels)
        nn.init.zeros_(self.conv_2.weight)

    def forward(self, x: Tensor, vector: Tensor, exists: Tensor | None = None) -> Tensor:
        """(B, L, C) and (B, E) → (B, L, C); `exists` (B, L, 1) is False where x is padding."""
        scale, shift = self.modulation(vector)[:, None].chunk(2, dim=-1)
        h = F.silu(modulate(F.layer_norm(x, x.shape[-1:]), shift, scale))
        h = F.silu(self.conv_1(h if exists is None else h * exists))
        h = F.dropout(h, self.dropout, self.training)
        return x + self.conv_2(h if exists is None else h * exists)


class GatedBlock(nn.Module):
    """x + W GLU(Conv(Norm(x) (1 + scale) + shift)), a ⊙ sigmoid(b) = GLU(a, b), W from zero.

    The gated linear unit stands where WaveNet has tanh(a) ⊙ sigmoid(b): as good, and one pass.

    Args:
        channels: of x, kept.
        embedding: size of the vector that gives scale and shift.
        kernel: width of the convolution, odd.
        dilation: steps from one of the kernel's inputs to the next.
        causal: whether an output depends on inputs up to its own step alone.
        dropout: probability of dropping an element before W.
    """

    def __init__(
        self, channels: int, embedding: int, kernel: int, dilation: int, causal: bool, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.conv = Convolution(channels, 2 * channels, kernel, bias=True, dilation=dilation, causal=causal)
        self.mix = nn.Linear(channels, channels)
        self.modulation = nn.Linear(embedding, 2 * channels)
        nn.init.zeros_(self.mix.weight)
        nn.init.zeros_(self.mix.bias)

    def forward(self, x: Tensor, vector: Tensor, exists: Tensor | None = None) -> Tensor:
        """(B, L, C) and (B, E) → (B, L, C); `exists` (B, L, 1) is False where x is padding."""
        scale, shift = self.modulation(vector)[:, None].chunk(2, dim=-1)
        h = modulate(F.layer_norm(x, x.shape[-1:]), shift, scale)
        h = F.glu(self.conv(h if exists is None else h * exists), dim=-1)
        output: Tensor = x + self.mix(F.dropout(h, self.dropout, self.training))
        return output
