r"""Denoisers: D(x_t, t, c) = E[x_0 | x_t, c], the only thing that a sampler may call.

`NetDenoiser` makes one of a network,

    D = base(x_t, t, c) + c_out F(c_in x_t, τ, c),

where base is c_skip x_t (see `parametrization`) or a closed-form denoiser that the network
corrects; then c_out² is that denoiser's residual variance.
"""

from __future__ import annotations

__all__ = ["BaseDenoiser", "ClosedFormDenoiser", "NetDenoiser"]

import functools
from abc import ABC, abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from ..core.architecture import BaseArchitecture
from ..core.condition import Condition
from ..core.sde import NoiseLevel
from ..core.types import Series, Times
from .parametrization import Coefficients, Parametrization
from .path import GaussianPath, like


class BaseDenoiser(ABC):
    """A posterior mean.

    Attributes:
        path: the Gaussian path on which x_t lies.
    """

    path: GaussianPath

    @abstractmethod
    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """E[x_0 | x_t, c].

        Args:
            x_t: noisy series, (B, C, L).
            t: a time for the whole batch, times (B,), or a noise level.
            condition: what the model is told; None for an unconditional model.

        Returns:
            Shape (B, C, L).
        """


class ClosedFormDenoiser(BaseDenoiser):
    """A denoiser without parameters to train, which a network may correct."""

    @abstractmethod
    def residual_variance(self, level: NoiseLevel) -> float | Tensor:
        """E‖x_0 − D‖²/(C L), the c_out² of a network that corrects this denoiser."""


class Residual(NamedTuple):
    """F − F* and the c_out that turns it into D − x_0."""

    value: Series
    c_out: float | Tensor


class NetDenoiser(BaseDenoiser):
    """A network with its preconditioning.

    Args:
        network: F.
        path: the Gaussian path.
        parametrization: what F predicts.
        base: a closed-form denoiser to correct, instead of c_skip x_t.
    """

    def __init__(
        self,
        network: BaseArchitecture,
        path: GaussianPath,
        parametrization: Parametrization,
        base: ClosedFormDenoiser | None = None,
    ) -> None:
        self.network = network
        self.path = path
        self.parametrization = parametrization
        self.base = base
        if base is None:
            parametrization.check(path.sde)

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """E[x_0 | x_t, c]; see `BaseDenoiser`."""
        level = self.path.level(t)
        c_skip, c_out, c_in = self._coefficients(level)
        output = self._network(x_t, c_in, level, condition)
        if self.base is not None:
            return self.base(x_t, level, condition) + output * like(c_out, x_t)
        if isinstance(c_out, Tensor):
            return torch.addcmul(x_t * like(c_skip, x_t), output, c_out.to(x_t))
        return (x_t * c_skip).add_(output, alpha=c_out)

    def residual(
        self, x_0: Series, eps: Series, level: NoiseLevel, condition: Condition | None = None
    ) -> Residual:
        """F − F* at x_t = α x_0 + σ ε, with ‖D − x_0‖² = c_out² ‖F − F*‖²."""
        x_t = self.path.perturb(x_0, eps, level)
        _, c_out, c_in = self._coefficients(level)
        if self.base is None:
            a, b = self.parametrization.target(level)
            target = like(a, x_0) * x_0 + like(b, x_0) * eps
        else:
            target = (x_0 - self.base(x_t, level, condition)) / like(c_out, x_0)
        return Residual(self._network(x_t, c_in, level, condition) - target, c_out)

    def _coefficients(self, level: NoiseLevel) -> Coefficients:
        pair = self.parametrization(level)
        if self.base is None:
            return pair
        return pair._replace(c_out=self.base.residual_variance(level) ** 0.5)

    def _network(
        self, x_t: Series, c_in: float | Tensor, level: NoiseLevel, condition: Condition | None
    ) -> Series:
        tau = level.tau
        if isinstance(tau, Tensor):
            times = tau.to(x_t).flatten()
        else:
            times = _filled(x_t.shape[0], tau, x_t.dtype, x_t.device)
        output: Tensor = self.network(x_t * like(c_in, x_t), times, condition)
        return output


@functools.lru_cache(maxsize=4096)
def _filled(size: int, value: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A vector of one number; a sampler asks for the same ones again with every batch."""
    return torch.full((size,), value, dtype=dtype, device=device)
