"""Laws of SDEs."""

from __future__ import annotations

__all__ = ["SDE_LAWS"]

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..core.sde import BaseSDE
from ..diffusion.parametrization import PREDICTIONS, Parametrization

_STEP = 1e-5


def _times(sde: BaseSDE, count: int = 41) -> Tensor:
    """Times strictly between t_min and 1."""
    low = sde.t_min + 0.02
    return torch.linspace(low, 0.98, count, dtype=torch.float64)


def _slope(function, t: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    """A central difference."""
    return (function(t + _STEP) - function(t - _STEP)) / (2.0 * _STEP)


def _close(a: Tensor, b: Tensor, tolerance: float, what: str) -> None:
    error = float(((a - b).abs() / (1.0 + b.abs())).max())
    assert error < tolerance, f"{what}: off by {error:.2e}"


def scales_have_their_signs(sde: BaseSDE) -> None:
    """α ≥ 0 on [0, 1] and σ > 0 for t > 0."""
    t = torch.linspace(0.0, 1.0, 501, dtype=torch.float64)
    assert bool((sde.alpha(t) >= 0).all()), "alpha is negative"
    assert bool((sde.sigma(t)[1:] > 0).all()), "sigma is not positive for t > 0"


def snr_falls_strictly(sde: BaseSDE) -> None:
    """α/σ falls strictly from t_min to 1."""
    t = torch.linspace(sde.t_min, 1.0, 2001, dtype=torch.float64)
    ratio = sde.alpha(t) / sde.sigma(t)
    assert bool((ratio[1:] < ratio[:-1]).all()), "the SNR does not fall strictly"


def derivatives_match_differences(sde: BaseSDE) -> None:
    """α' and σ' against central differences."""
    t = _times(sde)
    alpha_dot, sigma_dot = sde.derivatives(t)
    _close(alpha_dot, _slope(sde.alpha, t), 1e-6, "alpha'")
    _close(sigma_dot, _slope(sde.sigma, t), 1e-6, "sigma'")


def drift_and_diffusion_move_the_moments(sde: BaseSDE) -> None:
    """α' = f α and (σ²)' = 2 f σ² + g²: the moments' equations of dx = f x dt + g dW."""
    t = _times(sde)
    f, g2 = sde.drift(t), sde.diffusion_squared(t)
    assert bool((g2 > 0).all()), "g² is not positive"
    _close(f * sde.alpha(t), _slope(sde.alpha, t), 1e-6, "f alpha")
    _close(2 * f * sde.sigma(t) ** 2 + g2, _slope(lambda u: sde.sigma(u) ** 2, t), 1e-6, "2 f sigma² + g²")
    _close(g2, -(sde.sigma(t) ** 2) * _slope(sde.log_snr, t), 1e-6, "g² = −sigma² lambda'")


def time_inverts_log_snr(sde: BaseSDE) -> None:
    """t(λ(t)) = t."""
    t = _times(sde)
    _close(sde.time_at(sde.log_snr(t)), t, 1e-9, "time_at(log_snr(t))")


def levels_agree_with_functions(sde: BaseSDE) -> None:
    """Numbers for a grid and tensors for a batch say the same."""
    t = _times(sde, 5)
    batch = sde.level(t)
    assert batch.alpha.shape == (5, 1, 1), "level() is not (B, 1, 1)"  # type: ignore[union-attr]
    for k, level in enumerate(sde.levels(t)):
        for name in level._fields:
            one, many = getattr(level, name), float(getattr(batch, name)[k])
            assert math.isclose(one, many, rel_tol=1e-12), f"{name} differs between level and levels"
        expected = float(sde.sigma(t[k]) / (sde.alpha(t[k]) + sde.sigma(t[k])))
        assert math.isclose(float(level.tau), expected, rel_tol=1e-12), "tau is not sigma/(alpha + sigma)"


def predictions_recover_the_data(sde: BaseSDE) -> None:
    """c_skip x_t + c_out F* = x_0 for the literature's F*, wherever the prediction is defined."""
    generator = torch.Generator().manual_seed(0)
    t = _times(sde, 9)
    level = sde.level(t)
    x_0, eps = torch.randn(2, 9, 2, 7, generator=generator, dtype=torch.float64)
    a, s = level.alpha, level.sigma
    x_t = a * x_0 + s * eps
    scale = 0.7
    targets = {
        "x0": x_0,
        "eps": eps,
        "score": -eps,
        "v": a * eps - s * x_0,
        "velocity": level.alpha_dot * x_0 + level.sigma_dot * eps,
        "edm": (x_0 - a * scale**2 / (a**2 * scale**2 + s**2) * x_t)
        * (a**2 * scale**2 + s**2) ** 0.5
        / (s * scale),
    }
    for prediction in PREDICTIONS:
        parametrization = Parametrization(prediction=prediction, s=scale)
        c_skip, c_out, c_in = parametrization(level)
        _close(c_skip * x_t + c_out * targets[prediction], x_0, 1e-9, f"x0 from {prediction}")
        from_data, from_noise = parametrization.target(level)
        _close(from_data * x_0 + from_noise * eps, targets[prediction], 1e-9, f"target of {prediction}")
        variance = torch.as_tensor(c_in) ** 2 * (a**2 * scale**2 + s**2)
        _close(variance, torch.ones_like(variance), 1e-12, "variance of the network's input")


SDE_LAWS: list[Callable[[Any], None]] = [
    scales_have_their_signs,
    snr_falls_strictly,
    derivatives_match_differences,
    drift_and_diffusion_move_the_moments,
    time_inverts_log_snr,
    levels_agree_with_functions,
    predictions_recover_the_data,
]
