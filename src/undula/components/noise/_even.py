r"""The warp of time under which a Gaussian's loss rises evenly.

In white coordinates the covariance of the training series has eigenvalues v_i. The best denoiser of
a Gaussian with these leaves the error

    E(t) = Σ_i v_i/(1 + SNR(t) v_i)

of x_0, which rises from nearly 0 at the data to Σ v_i at the noise. The warp makes it linear in u.
"""

from __future__ import annotations

__all__ = ["even_knots", "spectrum"]

import math

import torch
from torch import Tensor

from ...core.sde import BaseSDE
from ...core.types import Series

_LARGEST = 768
_SERIES = 4096
_SERIES_PER_NUMBER = 4
_SEGMENTS = 128
_BISECTIONS = 60


def spectrum(y: Series) -> Tensor:
    """Eigenvalues of the covariance of series (N, C, L), float64, shrunk as the number of series demands.

    Windows of more than 768 numbers, or of more than a quarter of the number of pieces that they
    make, are cut into shorter ones, and of more than 4096 series some at even distances count: what
    matters is how the eigenvalues are distributed, and shrinking them would move the warp.
    """
    from sklearn.covariance import ledoit_wolf

    if y.shape[1] > _LARGEST:
        y = y[:, torch.linspace(0, y.shape[1] - 1, _LARGEST).long()]
    series, channels, length = y.shape
    most = min(_LARGEST // channels, math.isqrt(series * length // (_SERIES_PER_NUMBER * channels)))
    width = max(1, most)
    if length > width:
        pieces = -(-length // width)
        width = length // pieces
        y = y[..., : pieces * width].unflatten(-1, (pieces, width)).transpose(1, 2).flatten(0, 1)
    if len(y) > _SERIES:
        y = y[torch.linspace(0, len(y) - 1, _SERIES).long()]
    covariance, _ = ledoit_wolf(y.double().flatten(1).cpu().numpy())
    return torch.linalg.eigvalsh(torch.as_tensor(covariance).reshape(len(covariance), -1)).clamp(min=0.0)


def even_knots(eigenvalues: Tensor, sde: BaseSDE, floor: float) -> Tensor:
    """The warp's values at u = 0, 1/128, …, 1, as a map of [0, 1] onto itself.

    It inverts u(t) = (1 − floor) [E(t) − E(t_min)]/[E(1) − E(t_min)] + floor (t − t_min)/(1 − t_min).

    Args:
        eigenvalues: v, (d,).
        sde: the path.
        floor: share of u that is spread evenly over time.
    """

    def error(time: Tensor) -> Tensor:
        snr = (sde.alpha(time) / sde.sigma(time)) ** 2
        return (eigenvalues / (1.0 + snr[:, None] * eigenvalues)).mean(1)

    least, most = error(torch.tensor([sde.t_min, 1.0], dtype=torch.float64))

    def u_at(t: Tensor) -> Tensor:
        rise = error(sde.t_min + (1.0 - sde.t_min) * t) - least
        return (1.0 - floor) * rise / (most - least) + floor * t

    u = torch.linspace(0.0, 1.0, _SEGMENTS + 1, dtype=torch.float64)
    low, high = torch.zeros_like(u), torch.ones_like(u)
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        below = u_at(middle) < u
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    knots = 0.5 * (low + high)
    knots[0], knots[-1] = 0.0, 1.0
    return knots
