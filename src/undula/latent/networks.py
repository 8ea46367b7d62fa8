r"""Encoders and decoders of windows (B, C, L), latents being (B, D, T).

A vector latent is a sequence of length T = 1. `mlp` works on the flattened window; `conv` on the
window as it is: residual convolutions, then the mean over T stretches of time (and, for a vector, all
its steps through one matrix); its decoder spreads the T latents over time and convolves.

Encoders see sign(x) log(1 + |x|) and log(1 + x²) beside x: a window's scale, which is most of what there
is to know of a series of shocks, is then a linear function of what comes in.
"""

from __future__ import annotations

__all__ = ["EncoderName", "WindowDecoder", "WindowEncoder"]

from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..core.types import Series
from ..nn.convolution import Convolution

EncoderName = Literal["mlp", "conv"]

_VIEWS = 3
_KERNEL = 5


class WindowEncoder(nn.Module):
    """Windows (B, C, L) to (B, 2 D, T): means and raw log standard deviations of latents.

    Args:
        kind: mlp or conv.
        shape: C and L.
        latent: D and T.
        hidden: width.
    """

    def __init__(self, kind: EncoderName, shape: tuple[int, int], latent: tuple[int, int], hidden: int):
        super().__init__()
        self.latent = latent
        channels, length = shape
        outputs = 2 * latent[0]
        self.body: nn.Module
        if kind == "mlp":
            self.body = _perceptron(_VIEWS * channels * length, hidden, outputs * latent[1])
        else:
            self.body = _ConvEncoder(_VIEWS * channels, length, hidden, outputs, latent[1])

    def forward(self, x: Series) -> Tensor:
        """(B, C, L) → (B, 2 D, T)."""
        small = torch.log1p(x.abs())
        views = torch.cat((x, torch.sign(x) * small, torch.log1p(x.square())), dim=1)
        output: Tensor = self.body(views)
        return output.reshape(len(x), 2 * self.latent[0], self.latent[1])


class WindowDecoder(nn.Module):
    """Latents (B, D, T) to (B, outputs, C, L).

    Args:
        kind: mlp or conv.
        shape: C and L.
        latent: D and T.
        hidden: width.
        outputs: numbers an element.
    """

    def __init__(
        self, kind: EncoderName, shape: tuple[int, int], latent: tuple[int, int], hidden: int, outputs: int
    ) -> None:
        super().__init__()
        self.shape, self.outputs = shape, outputs
        channels, length = shape
        self.body: nn.Module
        if kind == "mlp":
            self.body = _perceptron(latent[0] * latent[1], hidden, outputs * channels * length)
        else:
            self.body = _ConvDecoder(latent[0], latent[1], length, hidden, outputs * channels)

    def forward(self, z: Tensor) -> Tensor:
        """(B, D, T) → (B, outputs, C, L)."""
        output: Tensor = self.body(z)
        return output.reshape(len(z), self.outputs, *self.shape)


def _perceptron(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(inputs, hidden),
        nn.SiLU(),
        nn.Linear(hidden, hidden),
        nn.SiLU(),
        nn.Linear(hidden, outputs),
    )


class _Residual(nn.Module):
    """x + Conv(SiLU(Conv(SiLU(x)))) over time, series (B, L, H)."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.first = Convolution(hidden, hidden, _KERNEL, bias=True)
        self.second = Convolution(hidden, hidden, _KERNEL, bias=True)

    def forward(self, h: Tensor) -> Tensor:
        return h + self.second(F.silu(self.first(F.silu(h))))


class _ConvEncoder(nn.Module):
    def __init__(self, inputs: int, length: int, hidden: int, outputs: int, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.project_in = Convolution(inputs, hidden, _KERNEL, bias=True)
        self.blocks = nn.Sequential(_Residual(hidden), _Residual(hidden))
        self.project_out = nn.Linear(hidden * (length if steps == 1 else 1), outputs)

    def forward(self, x: Series) -> Tensor:
        h = F.silu(self.blocks(self.project_in(x.mT)))  # (B, L, H)
        if self.steps == 1:
            return self.project_out(h.flatten(1))
        return self.project_out(F.adaptive_avg_pool1d(h.mT, self.steps).mT).mT


class _ConvDecoder(nn.Module):
    def __init__(self, inputs: int, steps: int, length: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.steps, self.length = steps, length
        self.project_in = nn.Linear(inputs, hidden * (length if steps == 1 else 1))
        self.blocks = nn.Sequential(_Residual(hidden), _Residual(hidden))
        self.project_out = nn.Linear(hidden, outputs)

    def forward(self, z: Tensor) -> Tensor:
        h = self.project_in(z.mT)  # (B, T, H), or (B, 1, H L)
        if self.steps == 1:
            h = h.reshape(len(z), self.length, -1)
        else:
            h = F.interpolate(h.mT, size=self.length, mode="linear", align_corners=False).mT
        return self.project_out(F.silu(self.blocks(h))).mT
