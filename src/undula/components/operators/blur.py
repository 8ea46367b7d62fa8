r"""A smeared series is measured: each number is a weighted mean of its neighbours.

    y_i = Σ_j K_ij x_j,      K_ij ∝ exp(−(i − j)²/(2 s_i²)) up to 4 s_i,   or a kernel given by its weights

Weights of a row sum to 1 before the ends are dealt with. Beyond the ends the series counts as mirrored
(`reflect`: x_{−1} = x_0), as going on from its other end (`periodic`) or as 0 (`zero`).

A line spread function whose width changes along a spectrum is a list of s, one a step.
"""

from __future__ import annotations

__all__ = ["BlurOperator"]

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...core.errors import ConfigError, DataError
from ...core.kept import kept
from ...core.operator import BaseOperator
from ...core.registry import register
from ...core.types import Measured, Positive, Series

_WIDTHS = 4.0


@register("operator", "blur")
@dataclass(frozen=True, kw_only=True)
class BlurOperator(BaseOperator):
    """Smears each channel along time.

    Args:
        sigma: standard deviation of a Gaussian, in steps; or a list, one a step.
        kernel: instead, an odd number of weights, the middle one at the step itself; they are used as
            they are given.
        boundary: what lies beyond the ends: reflect, periodic or zero.
        cutoff: singular values below this share of the largest count as zero in the pseudo-inverse.
    """

    sigma: Positive | list[Positive] | None = None
    kernel: list[float] | None = None
    boundary: Literal["reflect", "periodic", "zero"] = "reflect"
    cutoff: Positive = 1e-6

    def __post_init__(self) -> None:
        if (self.sigma is None) == (self.kernel is None):
            raise ConfigError("blur: give either sigma, a width in steps, or kernel, a list of weights")
        if self.kernel is not None and len(self.kernel) % 2 == 0:
            raise ConfigError(
                f"blur: the kernel has {len(self.kernel)} weights: give an odd number, the middle one at the "
                "step itself"
            )

    def __hash__(self) -> int:
        """Of its parameters."""
        return hash(repr(self))

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """The series' own; see `BaseOperator.shape`."""
        if isinstance(self.sigma, list) and len(self.sigma) != length:
            raise DataError(
                f"blur: sigma has {len(self.sigma)} widths, the series {length} steps: give one a step, or "
                "one number"
            )
        return channels, length

    def __call__(self, x: Series) -> Measured:
        """K x; see `BaseOperator`."""
        self.shape(*x.shape[1:])
        return x @ kept(_matrix, self, x.shape[-1]).to(x).mT

    def adjoint(self, y: Measured, channels: int, length: int) -> Series:
        """Kᵀ y; see `BaseOperator`."""
        return y @ kept(_matrix, self, length).to(y)

    def pseudo_inverse(self, y: Measured, channels: int, length: int) -> Series:
        """K⁺ y; see `BaseOperator`."""
        return y @ kept(_inverse, self, length).to(y).mT


def _matrix(blur: BlurOperator, length: int) -> Tensor:
    """K, (L, L), in double precision."""
    with torch.inference_mode(False):
        if blur.kernel is not None:
            half = len(blur.kernel) // 2
            weights = torch.tensor(blur.kernel, dtype=torch.float64).expand(length, -1)
        else:
            widths = torch.as_tensor(blur.sigma, dtype=torch.float64).reshape(-1, 1).expand(length, 1)
            half = max(math.ceil(_WIDTHS * float(widths.max())), 1)
            steps = torch.arange(-half, half + 1, dtype=torch.float64)
            weights = torch.exp(-0.5 * (steps / widths) ** 2) * (steps.abs() <= (_WIDTHS * widths).ceil())
            weights = weights / weights.sum(1, keepdim=True)
        row = torch.arange(length)[:, None].expand(-1, 2 * half + 1)
        column = row + torch.arange(-half, half + 1)
        if blur.boundary == "periodic":
            column = column % length
        elif blur.boundary == "reflect":
            column = column % (2 * length)
            column = torch.where(column < length, column, 2 * length - 1 - column)
        else:
            weights = weights * ((column >= 0) & (column < length))
            column = column.clamp(0, length - 1)
        matrix = torch.zeros(length, length, dtype=torch.float64)
        return matrix.index_put((row, column), weights.contiguous(), accumulate=True)


def _inverse(blur: BlurOperator, length: int) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():
        return torch.linalg.pinv(kept(_matrix, blur, length), rtol=blur.cutoff)
