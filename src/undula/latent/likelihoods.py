r"""What a decoder says of a window: a location and a scale for every element.

    gaussian     x = μ(z) + s(z) ε,   ε ~ N(0, 1)
    student_t    x = μ(z) + s(z) τ,   τ ~ t_ν,  ν = 2 + softplus(10 θ) > 2 learned, one a channel

The scale is the decoder's own function of z, so that calm and stormy windows differ in it; Student's t
leaves the rare shocks to the tail instead of widening every scale. The factor 10 lets ν move as fast as the
rest of the network: an optimiser that scales gradients moves every parameter by about its rate a step.
Noise is drawn by the inverse of the distribution function from counter-based uniform numbers, so that it is a
function of its counters.

References:
    Takahashi, Iwata, Yamanaka, Yamada, Yagi (2018). Student-t variational autoencoder for robust
        density estimation. IJCAI. doi:10.24963/ijcai.2018/374
"""

from __future__ import annotations

__all__ = ["Emission", "Likelihood", "LikelihoodName", "make_likelihood"]

import math
from abc import ABC, abstractmethod
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from scipy import special
from torch import Tensor, nn
from torch.distributions import StudentT

from ..core.types import Losses, Series

LikelihoodName = Literal["gaussian", "student_t"]

_FIRST_FREEDOM, _PACE = 10.0, 10.0


class Emission(NamedTuple):
    """A decoder's answer, both (B, C, L)."""

    location: Series
    log_scale: Series


class Likelihood(nn.Module, ABC):
    """The distribution of an element around its location."""

    @abstractmethod
    def log_density(self, x: Series, emission: Emission) -> Losses:
        """Log p(x | z) of each member, summed over its elements, (B,)."""

    @abstractmethod
    def quantile(self, share: Tensor) -> Series:
        """Noise of scale 1 at these shares of its distribution, (B, C, L) in (0, 1)."""

    def draw(self, emission: Emission, share: Tensor) -> Series:
        """A draw from p(x | z), from uniform numbers (B, C, L)."""
        noise = self.quantile(share).to(emission.location)
        return emission.location + emission.log_scale.exp() * noise


class _Gaussian(Likelihood):
    def log_density(self, x: Series, emission: Emission) -> Losses:
        z = (x - emission.location) * torch.exp(-emission.log_scale)
        return (-0.5 * (z.square() + math.log(2.0 * math.pi)) - emission.log_scale).flatten(1).sum(1)

    def quantile(self, share: Tensor) -> Series:
        return torch.special.ndtri(share)


class _StudentT(Likelihood):
    def __init__(self, channels: int) -> None:
        super().__init__()
        start = math.log(math.expm1(_FIRST_FREEDOM - 2.0))
        self.raw_freedom = nn.Parameter(torch.full((channels, 1), start / _PACE))

    @property
    def freedom(self) -> Tensor:
        """ν of each channel, (C, 1)."""
        return 2.0 + F.softplus(_PACE * self.raw_freedom)

    def log_density(self, x: Series, emission: Emission) -> Losses:
        z = (x - emission.location) * torch.exp(-emission.log_scale)
        standard = StudentT(self.freedom, validate_args=False)
        return (standard.log_prob(z) - emission.log_scale).flatten(1).sum(1)

    def quantile(self, share: Tensor) -> Series:
        freedom = self.freedom.detach().double().cpu().numpy()
        return torch.from_numpy(special.stdtrit(freedom, share.cpu().numpy())).to(share.device)


def make_likelihood(name: LikelihoodName, channels: int) -> Likelihood:
    """The likelihood of this name, for series of C channels."""
    return _StudentT(channels) if name == "student_t" else _Gaussian()
