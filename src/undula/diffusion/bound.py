r"""The variational bound on −log p(x_0), in nats, for any denoiser.

    −log p(x_0) ≤ KL(q(x_T | x_0) ‖ p(x_T)) + E[−log p(x_0 | x_{t_min})]
                  + ½ ∫ (−SNR'(t)) E‖x_0 − D(x_t, t)‖²_{Σ⁻¹} dt

over [t_min, T], T the time at which sampling starts (SNR at least 1e-6). The prior is
N(0, σ_T² Σ); the last step's decoder is p(x_0 | x_{t_min}) = N(x_{t_min}/α, (σ/α)² Σ).

References:
    Kingma, Salimans, Poole, Ho (2021). Variational diffusion models. arXiv:2107.00630
"""

from __future__ import annotations

__all__ = ["variational_bound"]

import math

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.randomness import Stream
from ..core.types import Losses, Series
from .denoiser import BaseDenoiser
from .density import UniformLogSNR
from .path import like
from .weighting import minus_snr_slope


def variational_bound(
    denoiser: BaseDenoiser,
    x_0: Series,
    condition: Condition | None = None,
    num_times: int = 32,
    seed: int = 0,
) -> Losses:
    """An unbiased estimate of the bound for each member, in nats.

    Args:
        denoiser: the model.
        x_0: series in the space that is diffused, (B, C, L); every element must exist.
        condition: what the model is told.
        num_times: times a member, spread evenly over λ (their mean is unbiased).
        seed: of times and noise.

    Returns:
        Nats a member, (B,). Subtract the preprocessing's log-determinant for the user's units, and
        divide by C·L·log 2 for bits per dimension.
    """
    path = denoiser.path
    density = UniformLogSNR(path=path)
    batch, channels, length = x_0.shape
    index = torch.arange(batch, device=x_0.device)
    ends = density.quantile(torch.tensor([0.0, 1.0], dtype=torch.float64))
    last, first = path.sde.levels(ends.sort().values)

    def squared(x: Series) -> Tensor:
        return (x * path.noise.solve(x, condition)).sum((1, 2)).double()

    d, log_det = channels * length, path.noise.log_det(channels, length, condition)
    prior = 0.5 * float(first.snr) * squared(x_0)
    decoder = 0.5 * (d * (1.0 + math.log(2.0 * math.pi) - math.log(float(last.snr))) + log_det)

    total = torch.zeros(batch, dtype=torch.float64, device=x_0.device)
    offsets = Stream(seed, "bound time").uniform(0, index)[:, 0]
    for k in range(num_times):
        t = density.quantile((k + offsets) / num_times)
        level = path.level(t)
        white = Stream(seed, "bound noise").normal(k, index, channels, length, x_0.dtype)
        x_t = path.perturb(x_0, path.noise.colour(white, condition), level)
        with torch.no_grad():
            error = squared(x_0 - denoiser(x_t, level, condition))
        weight = 0.5 * minus_snr_slope(level).flatten() / density.pdf(t)
        total += like(weight, error) * error / num_times
    return prior + decoder + total
