r"""A variational autoencoder of windows.

    q(z | x) = N(m(x), diag s(x)²),   p(x | z) = Π likelihood((x − μ(z))/s(z)),   p(z) = N(0, 1)
    KL(q ‖ p) = ½ Σ_j (m_j² + s_j² − 1 − log s_j²)

The data come standardised by channel. The decoder's scale has a smooth floor, min_scale + softplus: without
one, the density of a value that repeats (an unchanged price) has no upper bound.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes. arXiv:1312.6114
    Burda, Grosse, Salakhutdinov (2016). Importance weighted autoencoders. arXiv:1509.00519 (active units)
"""

from __future__ import annotations

__all__ = ["ACTIVE_VARIANCE", "VAE", "Posterior", "active_units"]

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..core.types import Series
from .likelihoods import Emission, LikelihoodName, make_likelihood

ACTIVE_VARIANCE = 0.01
"""Variance of a unit's posterior mean over the data above which it is active (Burda et al. 2016)."""

_LARGEST_LOG_SD = 5.0


class Posterior(NamedTuple):
    """q(z | x), both (B, D, T)."""

    mean: Series
    log_sd: Series

    @property
    def sd(self) -> Series:
        """Standard deviations."""
        return self.log_sd.exp()

    def kl(self) -> Series:
        """KL to the standard normal prior of each unit, in nats, (B, D, T)."""
        return 0.5 * (self.mean.square() + torch.exp(2.0 * self.log_sd) - 1.0) - self.log_sd

    def sample(self, noise: Series) -> Series:
        """A draw, from standard normal numbers."""
        return self.mean + self.sd * noise


class VAE(nn.Module):
    """Encoder, decoder, likelihood.

    Args:
        encoder: windows (B, C, L) to (B, 2 D, T).
        decoder: latents (B, D, T) to (B, 2, C, L).
        likelihood: gaussian or student_t.
        channels: C.
        min_scale: floor of the decoder's scale, in standard deviations of the channel.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        likelihood: LikelihoodName,
        channels: int,
        min_scale: float,
    ) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.likelihood = make_likelihood(likelihood, channels)
        self.min_scale = min_scale

    def encode(self, x: Series) -> Posterior:
        """q(z | x) of standardised windows."""
        mean, raw = self.encoder(x).chunk(2, dim=1)
        return Posterior(mean, _LARGEST_LOG_SD * torch.tanh(raw / _LARGEST_LOG_SD))

    def decode(self, z: Series) -> Emission:
        """p(x | z)."""
        location, raw = self.decoder(z).unbind(1)
        scale = self.min_scale + F.softplus(raw + math.log(math.e - 1.0))
        return Emission(location, scale.log())


def active_units(means: Tensor) -> Tensor:
    """Whether each unit's posterior mean varies over the data, (D, T), of means (N, D, T)."""
    return means.var(0, correction=0) > ACTIVE_VARIANCE
