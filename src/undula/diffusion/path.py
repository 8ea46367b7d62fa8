r"""The Gaussian path from data to noise.

    x_t = α(t) x_0 + σ(t) ε,   ε ~ N(0, Σ)

and what a denoiser D = E[x_0 | x_t] says in other words:

    ε̂ = (x_t − α D)/σ        velocity = α' D + σ' ε̂        ∇ log p = Σ⁻¹ (α D − x_t)/σ²

References:
    Song et al. (2021). Score-based generative modeling through stochastic differential
    equations. arXiv:2011.13456
    Lipman et al. (2023). Flow matching for generative modeling. arXiv:2210.02747
"""

from __future__ import annotations

__all__ = ["LARGEST_STARTING_SNR", "GaussianPath", "like"]

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.errors import IncompatibleError
from ..core.noise import BaseNoise
from ..core.sde import BaseSDE, NoiseLevel
from ..core.types import Series, Times

LARGEST_STARTING_SNR = 0.01
_CHECKED_TIMES = 1001
_USE_TORCH = "use operations of torch on t"


def like(value: float | Tensor, x: Tensor) -> float | Tensor:
    """A coefficient in the type and on the device of x; numbers stay numbers."""
    return value.to(x) if isinstance(value, Tensor) else value


@dataclass(frozen=True, kw_only=True)
class GaussianPath:
    """An SDE and a noise.

    Args:
        sde: gives α(t) and σ(t).
        noise: gives Σ and the warp of time.

    Raises:
        IncompatibleError: if α or σ is no differentiable function of tensors; if on a grid α is
            negative, σ is not positive or the SNR does not fall strictly; if one of them or of their
            derivatives is not finite; or if at t = 1 the data are still visible (SNR above 0.01), so
            that sampling cannot start from noise.
    """

    sde: BaseSDE
    noise: BaseNoise

    def __post_init__(self) -> None:
        _check_sde(self.sde)

    def level(self, t: float | Times | NoiseLevel) -> NoiseLevel:
        """The noise level at time t; a noise level is returned as it is."""
        if isinstance(t, NoiseLevel):
            return t
        if isinstance(t, Tensor) and t.ndim == 1:
            return self.sde.level(t)
        return self.sde.levels(torch.tensor([float(t)], dtype=torch.float64))[0]

    def perturb(self, x_0: Series, eps: Series, level: NoiseLevel) -> Series:
        """x_t = α x_0 + σ ε, for ε already of covariance Σ."""
        return like(level.alpha, x_0) * x_0 + like(level.sigma, x_0) * eps

    def prior(
        self, white: Series, condition: Condition | None = None, level: NoiseLevel | None = None
    ) -> Series:
        """A draw from N(0, σ² Σ), from which every sampler starts.

        Args:
            white: white noise, (B, C, L).
            condition: what the noise may depend on.
            level: where to start; None: at t = 1.
        """
        sigma = self.level(1.0).sigma if level is None else level.sigma
        return sigma * self.noise.colour(white, condition)

    def transition(self, start: NoiseLevel, end: NoiseLevel) -> tuple[float | Tensor, float | Tensor]:
        """A and v of x_end | x_start ~ N(a x_start, v Σ), for start.t < end.t."""
        a = end.alpha / start.alpha
        return a, end.sigma**2 - a**2 * start.sigma**2

    def eps(self, x_t: Series, x_0: Series, level: NoiseLevel) -> Series:
        """ε̂ = (x_t − α D)/σ."""
        return (x_t - like(level.alpha, x_t) * x_0) / like(level.sigma, x_t)

    def velocity(self, x_t: Series, x_0: Series, level: NoiseLevel) -> Series:
        """α' D + σ' ε̂, the time derivative along the probability-flow ODE."""
        eps = self.eps(x_t, x_0, level)
        return like(level.alpha_dot, x_t) * x_0 + like(level.sigma_dot, x_t) * eps

    def score(
        self, x_t: Series, x_0: Series, level: NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """∇ log p(x_t) = Σ⁻¹ (α D − x_t)/σ²."""
        residual = (like(level.alpha, x_t) * x_0 - x_t) / like(level.sigma, x_t) ** 2
        return self.noise.solve(residual, condition)


def _check_function(name: str, function: Callable[[Tensor], Tensor], t: Tensor) -> None:
    """Refuse what has no derivative that torch can take: it would silently count as a constant."""
    with torch.inference_mode(False), torch.enable_grad():
        try:
            value = function(t.clone().requires_grad_())
        except (TypeError, ValueError, RuntimeError) as error:  # what numpy and math say to a tensor
            raise IncompatibleError(
                f"{name}(t) fails on a tensor of times ({error}): {_USE_TORCH}"
            ) from error
    shape = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
    if shape != tuple(t.shape):
        raise IncompatibleError(
            f"{name}(t) returns {shape} for times of shape {tuple(t.shape)}: {_USE_TORCH}, and "
            "torch.ones_like(t) for a constant"
        )
    if not value.requires_grad and bool((value != value[0]).any()):
        raise IncompatibleError(f"{name}(t) has no derivative: {_USE_TORCH}, without numpy, detach or item")


def _check_sde(sde: BaseSDE) -> None:
    name = type(sde).__name__
    t = torch.linspace(sde.t_min, 1.0, _CHECKED_TIMES, dtype=torch.float64)
    _check_function(f"{name}.alpha", sde.alpha, t)
    _check_function(f"{name}.sigma", sde.sigma, t)
    alpha, sigma = sde.alpha(t), sde.sigma(t)
    alpha_dot, sigma_dot = sde.derivatives(t)
    for what, value, wrong in (
        ("alpha(t) ≥ 0", alpha, ~(alpha >= 0)),
        ("sigma(t) > 0 from t_min on", sigma, ~(sigma > 0)),
        ("a finite alpha(t)", alpha, ~alpha.isfinite()),
        ("a finite sigma(t)", sigma, ~sigma.isfinite()),
        ("a finite derivative of alpha(t)", alpha_dot, ~alpha_dot.isfinite()),
        ("a finite derivative of sigma(t)", sigma_dot, ~sigma_dot.isfinite()),
    ):
        if bool(wrong.any()):
            first = int(wrong.nonzero()[0])
            raise IncompatibleError(
                f"{name} needs {what}, at t = {float(t[first]):.3g} it is {float(value[first]):.3g}: "
                f"correct {'t_min' if float(t[first]) == sde.t_min else 'the formula'}"
            )
    ratio = alpha / sigma
    rises = ratio[1:] >= ratio[:-1]
    if bool(rises.any()):
        where = float(t[int(rises.nonzero()[0])])
        raise IncompatibleError(
            f"{name} needs a signal-to-noise ratio alpha²/sigma² that falls strictly, near t = {where:.3g} "
            "it does not: let sigma rise faster or alpha fall faster"
        )
    terminal = float(ratio[-1]) ** 2
    if terminal > LARGEST_STARTING_SNR:
        raise IncompatibleError(
            f"{name} ends with a signal-to-noise ratio of {terminal:.3g} at t = 1, sampling from pure noise "
            f"needs at most {LARGEST_STARTING_SNR}: let it destroy more (a larger beta_max or sigma_max, "
            "or another sde)"
        )
