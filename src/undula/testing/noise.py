"""Laws of noises: Σ as a matrix on a small space, after `fit`, under several conditions."""

from __future__ import annotations

__all__ = ["NOISE_LAWS"]

import copy
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.noise import BaseNoise
from ..core.registry import Registry

_CHANNELS, _LENGTH, _SERIES, _HISTORY = 2, 6, 40, 9
_MEMBERS = (0, 1, 2, 7)

Map = Callable[[Tensor, Condition | None], Tensor]


def _training(length: int = _LENGTH) -> tuple[Tensor, Condition]:
    """Series, and a condition with a part for everything that noise may depend on; some are unknown."""
    generator = torch.Generator().manual_seed(0)

    def normal(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    z = normal(_SERIES, _CHANNELS, length).cumsum(-1)
    z = 0.7 * z / z.std() + 0.3 * normal(_SERIES, 1, length)
    sigma = (0.8 * normal(_SERIES, 1, length)).exp()
    sigma[0, 0, 0], sigma[1, 0, -1] = 0.0, math.nan
    past = normal(_SERIES, _CHANNELS, _HISTORY) * (0.7 * normal(_SERIES, 1, 1)).exp() * 3.0
    past[1, 0, :4], past[2] = math.nan, math.nan
    aligned = {"sigma": sigma, "variance": sigma**2, "ivar": torch.where(sigma > 0, sigma, torch.inf) ** -2}
    covariates = torch.cat((sigma.nan_to_num(), normal(_SERIES, 1, length)), 1)
    return z, Condition(
        aligned={**aligned, "covariates": covariates},
        sequence={"history": past.nan_to_num()},
        static={"static": normal(_SERIES, 3)},
        past=past,
        known={"uncertainty": sigma},
    )


def _fitted(noise: BaseNoise) -> tuple[BaseNoise, Condition]:
    z, condition = _training()
    return copy.deepcopy(noise).fit(z, Registry.get("sde", "vpsde"), condition), condition


def _matrix(function: Map, condition: Condition, member: int, length: int = _LENGTH) -> Tensor:
    """The matrix of a linear map of series for one member's condition; columns are images of units."""
    d = _CHANNELS * length
    basis = torch.eye(d, dtype=torch.float64).reshape(d, _CHANNELS, length)
    told = condition[torch.full((d,), member)]
    return function(basis, told).reshape(d, d).mT


def _close(a: Tensor, b: Tensor, tolerance: float, what: str) -> None:
    error = float(((a - b).abs() / (1.0 + b.abs())).max())
    assert error < tolerance, f"{what}: off by {error:.2e}"


def covariance_has_unit_mean_diagonal(noise: BaseNoise) -> None:
    """Σ is symmetric and positive; its mean diagonal is 1, over the training set if it is conditional."""
    fitted, condition = _fitted(noise)
    traces = []
    for member in range(_SERIES):
        sigma = _matrix(fitted.apply, condition, member)
        _close(sigma, sigma.mT, 1e-9, "Σ is not symmetric")
        assert float(torch.linalg.eigvalsh(sigma).min()) > 0, "Σ is not positive"
        traces.append(float(sigma.diagonal().mean()))
    mean = sum(traces) / len(traces)
    assert math.isclose(mean, 1.0, rel_tol=1e-6), f"mean diagonal is {mean:.6g}, not 1"


def other_lengths_have_unit_mean_diagonal(noise: BaseNoise) -> None:
    """What it learned at one length gives a covariance at others."""
    fitted, _ = _fitted(noise)
    if not fitted.any_length or fitted.conditional:
        return
    for length in (1, 5, 11):
        sigma = _matrix(fitted.apply, _training(length)[1], 0, length)
        found = float(sigma.diagonal().mean())
        assert math.isclose(found, 1.0, rel_tol=1e-6), f"mean diagonal is {found:.6g} for {length} steps"
        expected = float(torch.linalg.slogdet(sigma).logabsdet)
        log_det = float(fitted.log_det(_CHANNELS, length))
        assert math.isclose(log_det, expected, abs_tol=1e-8), f"log_det for {length} steps"


def colour_is_a_square_root(noise: BaseNoise) -> None:
    """Colour · colourᵀ = Σ, whiten inverts colour, solve inverts apply, log_det is Σ's."""
    fitted, condition = _fitted(noise)
    log_det = torch.as_tensor(fitted.log_det(_CHANNELS, _LENGTH, condition), dtype=torch.float64)
    for member in _MEMBERS:
        colour, whiten, apply, solve = (
            _matrix(function, condition, member)
            for function in (fitted.colour, fitted.whiten, fitted.apply, fitted.solve)
        )
        identity = torch.eye(len(apply), dtype=torch.float64)
        _close(colour @ colour.mT, apply, 1e-9, "colour colourᵀ")
        _close(whiten @ colour, identity, 1e-9, "whiten colour")
        _close(solve @ apply, identity, 1e-9, "solve apply")
        expected = float(torch.linalg.slogdet(apply).logabsdet)
        assert math.isclose(float(log_det.expand(_SERIES)[member]), expected, abs_tol=1e-8), "log_det"


def says_what_it_couples(noise: BaseNoise) -> None:
    """Σ is diagonal where `pointwise` says so, and the same for all members unless `conditional`."""
    fitted, condition = _fitted(noise)
    first = _matrix(fitted.apply, condition, 0)
    diagonal = bool(((first - first.diagonal().diag()).abs() < 1e-12).all())
    assert diagonal or not fitted.pointwise, "Σ is not diagonal, and pointwise says it is"
    others = [_matrix(fitted.apply, condition, member) for member in _MEMBERS[1:]]
    same = all(torch.allclose(first, other, atol=1e-12) for other in others)
    assert same != fitted.conditional, f"Σ is {'the same' if same else 'not the same'} under all conditions"


def is_linear_and_keeps_members_apart(noise: BaseNoise) -> None:
    """A member's noise depends on its own white noise, linearly, and on its own condition alone."""
    fitted, condition = _fitted(noise)
    x, y = torch.randn(2, _SERIES, _CHANNELS, _LENGTH, generator=torch.Generator().manual_seed(1)).double()
    chosen = torch.tensor([7, 2, 1])
    for function in (fitted.colour, fitted.whiten, fitted.apply, fitted.solve):
        whole = function(x, condition)
        _close(function(x[chosen], condition[chosen]), whole[chosen], 1e-12, f"{function.__name__}: batch")
        _close(function(2 * x - y, condition), 2 * whole - function(y, condition), 1e-9, "linearity")
        single = function(x.float(), condition)
        assert single.dtype == torch.float32, f"{function.__name__} turns float32 into {single.dtype}"
        _close(single.double(), whole, 1e-4, f"{function.__name__} in float32")


def what_it_learned_can_be_restored(noise: BaseNoise) -> None:
    """A new noise with the state of a fitted one is the same noise."""
    fitted, condition = _fitted(noise)
    again = Registry.resolve("noise", Registry.spec(noise))
    again.load_state(fitted.state)
    x = _training()[0]
    assert torch.equal(again.colour(x, condition), fitted.colour(x, condition)), "colour is another"
    u = torch.linspace(0, 1, 21, dtype=torch.float64)
    assert torch.equal(again.warp(u), fitted.warp(u)), "the warp is another"


def unknown_conditions_give_typical_noise(noise: BaseNoise) -> None:
    """Where every part is dropped the covariance is finite and the same for all members."""
    fitted, condition = _fitted(noise)
    unknown = replace(condition.unconditional(), past=None)
    first = _matrix(fitted.apply, unknown, 0)
    assert bool(first.isfinite().all()), "Σ is not finite"
    for member in _MEMBERS[1:]:
        _close(_matrix(fitted.apply, unknown, member), first, 1e-12, "Σ depends on a dropped part")
    found = float(first.diagonal().mean())
    assert math.isclose(found, 1.0, rel_tol=1e-6), f"without a condition the mean diagonal is {found:.6g}"


def warp_rises_from_0_to_1(noise: BaseNoise) -> None:
    """The warp rises strictly from 0 to 1; its inverse and slope are its own."""
    fitted, _ = _fitted(noise)
    u = torch.linspace(0.0, 1.0, 401, dtype=torch.float64)
    t = fitted.warp(u)
    assert abs(float(t[0])) < 1e-12 and abs(float(t[-1]) - 1.0) < 1e-12, "the warp does not keep 0 and 1"
    assert bool((t[1:] > t[:-1]).all()), "the warp does not rise strictly"
    inner, step = u[20:-20] + 1e-4, 1e-5
    _close(fitted.warp.inverse(fitted.warp(inner)), inner, 1e-9, "inverse of the warp")
    difference = (fitted.warp(inner + step) - fitted.warp(inner - step)) / (2.0 * step)
    _close(fitted.warp.slope(inner), difference, 1e-5, "slope of the warp")


NOISE_LAWS: list[Callable[[Any], None]] = [
    covariance_has_unit_mean_diagonal,
    other_lengths_have_unit_mean_diagonal,
    colour_is_a_square_root,
    says_what_it_couples,
    is_linear_and_keeps_members_apart,
    what_it_learned_can_be_restored,
    unknown_conditions_give_typical_noise,
    warp_rises_from_0_to_1,
]
