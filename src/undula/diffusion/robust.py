r"""What an error costs: the square, or less for the large ones.

    mse            r²
    huber          r² for |r| ≤ δ,  2 δ |r| − δ² beyond
    pseudo_huber   2 δ² (√(1 + (r/δ)²) − 1)
    l1             |r|

The first three agree for small errors. What a network learns depends on the choice, since F* is affine
in x_0 for a given x_t: with mse D becomes the mean of x_0 given x_t, with l1 its median, element by
element, with the others something between. Only the mean makes the score, (α D − x_t)/σ², and with it the
samplers, exact.

References:
    Huber (1964). Robust estimation of a location parameter. doi:10.1214/aoms/1177703732
    Song, Dhariwal (2023). Improved techniques for consistency models. arXiv:2310.14189 (pseudo-Huber)
"""

from __future__ import annotations

__all__ = ["LossName", "robust_error"]

from typing import Literal

import torch

from ..core.types import Series

LossName = Literal["mse", "huber", "pseudo_huber", "l1"]


def robust_error(residual: Series, name: LossName, delta: float = 1.0) -> Series:
    """ρ of every element.

    Args:
        residual: r, (B, C, L).
        name: see the module.
        delta: δ of huber and pseudo_huber.
    """
    match name:
        case "mse":
            return residual.square()
        case "huber":
            size = residual.abs()
            return torch.where(size <= delta, residual.square(), delta * (2.0 * size - delta))
        case "pseudo_huber":
            return 2.0 * delta**2 * (torch.sqrt(1.0 + (residual / delta).square()) - 1.0)
        case "l1":
            return residual.abs()
