"""Noise levels and positions as vectors.

References:
    Vaswani et al. (2017). Attention is all you need. arXiv:1706.03762 (sinusoids)
    Su et al. (2021). RoFormer: rotary position embedding. arXiv:2104.09864
"""

from __future__ import annotations

__all__ = ["NoiseLevelEmbedding", "rotary_angles", "rotate", "sinusoids"]

import math

import torch
from torch import Tensor, nn

_FREQUENCIES = 32
_HIGHEST_FREQUENCY = 16.0
_LOGIT_BOUND = 10.0


class NoiseLevelEmbedding(nn.Module):
    """τ ∈ [0, 1] as a vector.

    Sinusoids of τ, which resolve the middle, and of log(σ/α) = logit τ, cut at ±10, which resolve
    the ends, go through two layers.

    Args:
        dim: size of the vector.
    """

    frequencies: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        exponents = torch.linspace(-1.0, math.log2(_HIGHEST_FREQUENCY), _FREQUENCIES)
        self.register_buffer("frequencies", math.pi * 2.0**exponents, persistent=False)
        self.layers = nn.Sequential(
            nn.Linear(4 * _FREQUENCIES, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU()
        )

    def forward(self, tau: Tensor) -> Tensor:
        """(B,) → (B, dim)."""
        tau = tau.float()
        logit = torch.logit(tau, eps=1e-6).clamp(-_LOGIT_BOUND, _LOGIT_BOUND)
        positions = torch.stack((tau, 0.5 + 0.5 * logit / _LOGIT_BOUND), dim=-1)
        angles = (positions[..., None] * self.frequencies).flatten(-2)
        features = torch.cat((torch.cos(angles), torch.sin(angles)), dim=-1)
        output: Tensor = self.layers(features)
        return output


def rotary_angles(positions: Tensor, head_dim: int) -> Tensor:
    """Angles of the rotary embedding at the positions (T,), (T, head_dim/2)."""
    rates = 10000.0 ** (-torch.arange(0, head_dim, 2, device=positions.device) / head_dim)
    return positions.float()[:, None] * rates


def sinusoids(positions: Tensor, dim: int) -> Tensor:
    """Positions (T,) as vectors (T, dim): sines and cosines of the rotary embedding's angles."""
    angles = rotary_angles(positions, dim + dim % 2)
    return torch.cat((torch.sin(angles), torch.cos(angles)), dim=-1)[..., :dim]


def rotate(x: Tensor, angles: Tensor) -> Tensor:
    """Turn pairs of features (…, T, head_dim) by the angles (T, head_dim/2)."""
    first, second = x.chunk(2, dim=-1)
    cos, sin = torch.cos(angles).to(x), torch.sin(angles).to(x)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim=-1)
