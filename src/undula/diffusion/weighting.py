r"""Weights of the loss over noise levels.

A weight w on x_0's squared error is w c_out² on the network's, because D − x_0 = c_out (F − F*).
`uniform` is the literature's: 1 on the network's own error. The others are stated on x_0:

    uniform_x0   1
    snr          α²/σ²                        (1 on ε's error)
    min_snr      min(α²/σ², γ)
    edm          (α² s² + σ²)/(σ s)²          (1 on edm's own error)
    likelihood   −½ SNR'(t)/p(t)              (the variational bound's integrand)
    sigmoid      −½ SNR'(t)/p(t) s(b − λ)     s the logistic function: the bound, less of low noise

References:
    Hang et al. (2023). Efficient diffusion training via min-SNR weighting. arXiv:2303.09556
    Kingma et al. (2021). Variational diffusion models. arXiv:2107.00630 (likelihood)
    Kingma, Gao (2023). Understanding diffusion objectives as the ELBO. arXiv:2303.00848 (sigmoid)
    Hoogeboom et al. (2024). Simpler diffusion (SiD2). arXiv:2410.19324 (sigmoid)
"""

from __future__ import annotations

__all__ = ["WeightName", "weight_on_prediction"]

from typing import Literal

import torch
from torch import Tensor

from ..core.sde import NoiseLevel
from .density import TimeDensity

WeightName = Literal["uniform", "uniform_x0", "snr", "min_snr", "edm", "likelihood", "sigmoid"]


def weight_on_prediction(
    name: WeightName,
    level: NoiseLevel,
    c_out: Tensor,
    *,
    density: TimeDensity,
    s: float = 1.0,
    gamma: float = 5.0,
    bias: float = 2.0,
) -> Tensor:
    """The weight on ‖F − F*‖², in the shape of the level's tensors.

    Args:
        name: see the module.
        level: noise levels of a batch, tensors (B, 1, 1).
        c_out: the parametrization's, (B, 1, 1).
        density: of the training times; `likelihood` and `sigmoid` divide by it.
        s: standard deviation of what is diffused, for `edm`.
        gamma: γ of `min_snr`.
        bias: b of `sigmoid`, the λ at which a member counts half as much as in the bound.
    """
    if name == "uniform":
        return torch.ones_like(c_out)
    return weight_on_data(name, level, density=density, s=s, gamma=gamma, bias=bias) * c_out**2


def weight_on_data(
    name: WeightName,
    level: NoiseLevel,
    *,
    density: TimeDensity,
    s: float,
    gamma: float = 5.0,
    bias: float = 2.0,
) -> Tensor:
    """The weight on ‖D − x_0‖² of every name but `uniform`."""
    alpha, sigma, t = (torch.as_tensor(v) for v in (level.alpha, level.sigma, level.t))
    match name:
        case "snr":
            return (alpha / sigma) ** 2
        case "min_snr":
            return (alpha / sigma).square().clamp(max=gamma)
        case "edm":
            return (alpha**2 * s**2 + sigma**2) / (sigma * s) ** 2
        case "likelihood":
            return 0.5 * minus_snr_slope(level) / density.pdf(t)
        case "sigmoid":
            share = torch.sigmoid(bias - 2.0 * torch.log(alpha / sigma))
            return 0.5 * minus_snr_slope(level) / density.pdf(t) * share
        case _:
            return torch.ones_like(alpha)


def minus_snr_slope(level: NoiseLevel) -> Tensor:
    """−SNR'(t) = 2 α (α σ' − α' σ)/σ³ > 0."""
    alpha, sigma = torch.as_tensor(level.alpha), torch.as_tensor(level.sigma)
    return 2.0 * alpha * (alpha * level.sigma_dot - level.alpha_dot * sigma) / sigma**3
