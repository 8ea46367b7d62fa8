r"""How fast data turn into noise: α(t) and σ(t), and all that follows from them.

    x_t = α(t) x_0 + σ(t) ε,   t ∈ [0, 1],   t = 0 data, t = 1 noise

    λ = log(α²/σ²)      f = α'/α      g² = −σ² λ'      τ = σ/(α + σ)

A subclass gives α and σ alone. Derivatives come from automatic differentiation in float64, so a
drift or a diffusion that contradicts α and σ cannot be written down.

References:
    Song et al. (2021). Score-based generative modeling through stochastic differential
    equations. arXiv:2011.13456
    Kingma, Salimans, Poole, Ho (2021). Variational diffusion models. arXiv:2107.00630
"""

from __future__ import annotations

__all__ = ["BaseSDE", "NoiseLevel"]

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from .component import Component
from .types import Fraction

_BISECTIONS = 60


class NoiseLevel(NamedTuple):
    """α, σ and their derivatives at one time: what a denoiser needs to know of t.

    Each field is a number for the whole batch (a sampler's grid, computed once before its loop) or
    a float64 tensor that broadcasts against (B, C, L) (training: (B, 1, 1); one level an element:
    (B, C, L)).

    Args:
        t: time, NaN where the level does not belong to a time.
        alpha: α(t), the signal's scale.
        sigma: σ(t), the noise's scale.
        alpha_dot: α'(t).
        sigma_dot: σ'(t).
    """

    t: float | Tensor
    alpha: float | Tensor
    sigma: float | Tensor
    alpha_dot: float | Tensor = math.nan
    sigma_dot: float | Tensor = math.nan

    @property
    def tau(self) -> float | Tensor:
        """τ = σ/(α + σ), in [0, 1]: the network's time input."""
        return self.sigma / (self.alpha + self.sigma)

    @property
    def snr(self) -> float | Tensor:
        """α²/σ²; infinite without noise."""
        if isinstance(self.sigma, Tensor) or isinstance(self.alpha, Tensor):
            return self.alpha**2 / torch.as_tensor(self.sigma) ** 2
        return self.alpha**2 / self.sigma**2 if self.sigma > 0 else math.inf


DATA = NoiseLevel(t=0.0, alpha=1.0, sigma=0.0)
"""The end of every sampler's grid: the data themselves."""


@dataclass(frozen=True, kw_only=True)
class BaseSDE(Component, ABC):
    """α and σ as functions of time.

    Args:
        t_min: smallest time that is trained and from which a sampler steps to the data.
    """

    kind: ClassVar[str] = "sde"

    t_min: Fraction = 1e-3

    @abstractmethod
    def alpha(self, t: Tensor) -> Tensor:
        """The signal's scale α(t) ≥ 0, elementwise; differentiable by torch."""

    @abstractmethod
    def sigma(self, t: Tensor) -> Tensor:
        """The noise's scale σ(t) > 0 for t > 0, elementwise; differentiable by torch."""

    def log_snr(self, t: Tensor) -> Tensor:
        """λ(t) = 2 log(α/σ); −∞ where α = 0."""
        return 2.0 * (torch.log(self.alpha(t)) - torch.log(self.sigma(t)))

    def derivatives(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """α'(t) and σ'(t)."""
        return _derivative(self.alpha, t), _derivative(self.sigma, t)

    def drift(self, t: Tensor) -> Tensor:
        """f(t) = α'/α of dx = f x dt + g Σ^½ dW."""
        return self.derivatives(t)[0] / self.alpha(t)

    def diffusion_squared(self, t: Tensor) -> Tensor:
        """g²(t) = −σ² λ' = 2 σ (σ' − σ α'/α)."""
        alpha_dot, sigma_dot = self.derivatives(t)
        sigma = self.sigma(t)
        return 2.0 * sigma * (sigma_dot - sigma * alpha_dot / self.alpha(t))

    def level(self, t: Tensor) -> NoiseLevel:
        """Noise levels at times t (B,), as float64 tensors (B, 1, 1)."""
        t = t.double()[:, None, None]
        alpha_dot, sigma_dot = self.derivatives(t)
        return NoiseLevel(
            t=t, alpha=self.alpha(t), sigma=self.sigma(t), alpha_dot=alpha_dot, sigma_dot=sigma_dot
        )

    def levels(self, times: Tensor) -> list[NoiseLevel]:
        """Noise levels at the times of a grid (K,), as numbers."""
        level = self.level(times)
        columns = (torch.as_tensor(column).flatten().tolist() for column in level)
        return [NoiseLevel(*row) for row in zip(*columns, strict=True)]

    def time_at(self, log_snr: Tensor) -> Tensor:
        """The time at which λ(t) = `log_snr`, clipped to [0, 1]; by bisection.

        A subclass may replace it by its closed form.
        """
        low = torch.zeros_like(log_snr, dtype=torch.float64)
        high = torch.ones_like(low)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            above = self.log_snr(middle) > log_snr
            low, high = torch.where(above, middle, low), torch.where(above, high, middle)
        return 0.5 * (low + high)


def _derivative(function: Callable[[Tensor], Tensor], t: Tensor) -> Tensor:
    """The derivative of an elementwise function at t."""
    with torch.inference_mode(False), torch.enable_grad():
        t = t.detach().clone().requires_grad_()
        value = function(t)
        if not value.requires_grad:
            return torch.zeros_like(value)
        (derivative,) = torch.autograd.grad(value.sum(), t)
    return derivative
