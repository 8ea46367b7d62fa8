r"""The decoder of TimeVAE: a trend, seasons and a remainder, each a function of the latent.

    μ(z)_t = Σ_p θ_p(z) r_t^p + Σ_m φ_m(z)_{t mod m} + residual(z)_t,   r_t = t/L,  p = 1 … P

The scale is one learned number a channel, which stands for the published weight of the squared error.

References:
    Desai, Freeman, Wang, Beaver (2021). TimeVAE: a variational auto-encoder for multivariate time series
        generation. arXiv:2111.08095
"""

from __future__ import annotations

__all__ = ["TimeVAEDecoder"]

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .networks import EncoderName, WindowDecoder


class TimeVAEDecoder(nn.Module):
    """Latents (B, D, 1) to locations and raw scales, (B, 2, C, L).

    Args:
        kind: of the remainder's network: mlp or conv.
        shape: C and L.
        latent_dim: D.
        hidden: width.
        degree: P, of the trend; 0: none.
        seasons: lengths m of the seasons, in steps.
    """

    powers: Tensor

    def __init__(
        self,
        kind: EncoderName,
        shape: tuple[int, int],
        latent_dim: int,
        hidden: int,
        degree: int,
        seasons: Sequence[int],
    ) -> None:
        super().__init__()
        self.shape, self.degree, self.seasons = shape, degree, list(seasons)
        channels, length = shape
        times = torch.arange(length) / length
        self.register_buffer("powers", torch.stack([times**p for p in range(1, degree + 1)] or [0.0 * times]))
        self.trend = nn.Linear(latent_dim, channels * max(1, degree)) if degree else None
        self.patterns = nn.ModuleList(nn.Linear(latent_dim, channels * m) for m in self.seasons)
        self.residual = WindowDecoder(kind, shape, (latent_dim, 1), hidden, outputs=1)
        self.raw_scale = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, z: Tensor) -> Tensor:
        """(B, D, 1) → (B, 2, C, L)."""
        channels, length = self.shape
        flat = z[:, :, 0]
        location = self.residual(z)[:, 0]
        if self.trend is not None:
            location = location + self.trend(flat).unflatten(-1, (channels, -1)) @ self.powers
        steps = torch.arange(length, device=z.device)
        for season, pattern in zip(self.seasons, self.patterns, strict=True):
            location = location + pattern(flat).unflatten(-1, (channels, season))[..., steps % season]
        return torch.stack((location, self.raw_scale.expand_as(location)), dim=1)
