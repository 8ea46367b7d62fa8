"""Exponential integrators: measured orders, exactness for polynomials, and their special cases."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from undula.components.samplers._exponential import weights
from undula.core.registry import Registry
from undula.core.sde import DATA, NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.denoiser import BaseDenoiser
from undula.diffusion.path import GaussianPath
from undula.diffusion.sampler import BaseSampler, SampleNoise

from .probes import carried_moments, stochastic_error
from .problems import SDES, ColouredNoise, gaussian, moment_error, path_of, slope

FEW_SDES = ("vpsde", "vesde", "rectified")

CASES: dict[str, tuple[str, dict[str, Any], int]] = {
    "dpm 1": ("dpm", {"order": 1}, 1),
    "dpm 3M": ("dpm", {"order": 3}, 3),
    "dpm 2S": ("dpm", {"method": "singlestep"}, 2),
    "dpm 3S": ("dpm", {"method": "singlestep", "order": 3}, 3),
    "unipc 1": ("unipc", {"order": 1}, 2),
    "unipc 2": ("unipc", {"order": 2}, 3),
}
DETERMINISTIC = {**CASES, "unipc 3": ("unipc", {"order": 3}, 4), "adaptive": ("adaptive", {}, 2)}


def made(case: str) -> BaseSampler:
    name, params, _ = DETERMINISTIC[case]
    return Registry.get("sampler", name, **params)


def errors(case: str, path: GaussianPath, start: float, steps: tuple[int, ...]) -> list[float]:
    grids = [torch.linspace(start, 0.05, n + 1, dtype=torch.float64) for n in steps]
    return [moment_error(path, made(case), path.sde.levels(times)) for times in grids]


@pytest.mark.parametrize("sde", FEW_SDES)
@pytest.mark.parametrize("case", CASES)
def test_order(case: str, sde: str) -> None:
    """Slope of the error; on VE the leading terms of 3M cancel for this problem, and it is 4."""
    found = slope(errors(case, path_of(sde), 0.95, (64, 128)))
    order = CASES[case][2]
    assert found == pytest.approx(order, abs=0.2) or (case, sde) == ("dpm 3M", "vesde")
    assert found > order - 0.2


@pytest.mark.parametrize("sde", FEW_SDES)
def test_unipc_of_order_3(sde: str) -> None:
    """Order 4 up to the first step, which is of third order: far smaller an error than order 2's."""
    path = path_of(sde)
    found = errors("unipc 3", path, 0.95, (64, 128))
    assert slope(found) > 3.5
    assert found[-1] < 0.3 * errors("unipc 2", path, 0.95, (128,))[0]


@pytest.mark.parametrize("sde", ["rectified", "cosine"])
@pytest.mark.parametrize(
    ("case", "order"),
    [
        ("dpm 3M", 2.5),
        ("dpm 2S", 1.8),
        ("dpm 3S", 1.8),
        ("unipc 1", 1.9),
        ("unipc 2", 2.75),
        ("unipc 3", 3.6),
    ],
)
def test_order_from_alpha_zero(case: str, order: float, sde: str) -> None:
    """Where λ starts at −∞ on a grid uniform in t, orders above 2 lose some of it."""
    assert slope(errors(case, path_of(sde), 1.0, (64, 128))) > order


@pytest.mark.parametrize("case", CASES)
def test_order_with_coloured_noise(case: str) -> None:
    """The steps are the same whatever Σ is."""
    path = path_of("vpsde", ColouredNoise(rho=0.6))
    assert slope(errors(case, path, 0.95, (64, 128))) > CASES[case][2] - 0.2


@pytest.mark.parametrize("sde", FEW_SDES)
@pytest.mark.parametrize("case", ["dpm 3M", "dpm 2S", "dpm 3S", "unipc 2", "unipc 3", "adaptive"])
def test_whole_grid_reaches_the_data(case: str, sde: str) -> None:
    """From the prior to σ = 0, the mean and covariance of the samples are the data's."""
    path = path_of(sde)
    name, params, _ = DETERMINISTIC[case]
    steps = {"num_steps": 100} if name != "adaptive" else {"rtol": 1e-3, "atol": 1e-3}
    chosen = Registry.get("sampler", name, **params, **steps, grid="log_snr")
    levels = chosen.levels(path)
    assert levels[-1] is DATA
    mean, cov = gaussian()
    prior = float(levels[0].sigma)
    start = torch.cat((torch.zeros(1, 1, 4), prior * torch.eye(4)[:, None])).double()
    image = chosen.integrate(GaussianDenoiser(path, mean, cov), start, levels)
    offset = (image[1:] - image[0])[:, 0]
    assert torch.linalg.norm(offset.mT @ offset - cov) < 0.01 * torch.linalg.norm(cov)
    mismatch = 2.0 * levels[0].alpha / levels[0].sigma * torch.linalg.norm(mean)
    assert torch.linalg.norm(image[0] - mean) < 0.01 + mismatch


# -- exactness -------------------------------------------------------------------------------------


class Polynomial(BaseDenoiser):
    """D is a polynomial of ℓ = log(α/σ), whatever x is; it remembers where it was asked."""

    def __init__(self, path: GaussianPath, coefficients: list[float]) -> None:
        self.path, self.polynomial = path, np.polynomial.Polynomial(coefficients)
        self.seen: list[tuple[NoiseLevel, float]] = []

    def __call__(self, x_t: torch.Tensor, t: object, condition: object = None) -> torch.Tensor:
        level = self.path.level(t)  # type: ignore[arg-type]
        self.seen.append((level, float(x_t)))
        return torch.full_like(x_t, float(self.polynomial(math.log(level.alpha / level.sigma))))

    def moved(self, x: float, start: NoiseLevel, end: NoiseLevel, eta: float = 0.0) -> float:
        """The exact step of the family in `_exponential`, by adaptive quadrature."""
        low, high = (math.log(k.alpha / k.sigma) for k in (start, end))
        rate = 1.0 + eta**2
        integral = quad(lambda v: math.exp(-rate * (high - v)) * self.polynomial(v), low, high, epsabs=1e-13)[
            0
        ]
        return end.sigma / start.sigma * math.exp(-(eta**2) * (high - low)) * x + rate * end.alpha * integral


@pytest.mark.parametrize("spacing", [0.001, 0.1, 1.0])
@pytest.mark.parametrize(
    ("name", "params", "degree", "from_step"),
    [
        ("dpm", {"order": 3}, 2, 2),
        ("dpm", {"order": 3, "method": "singlestep"}, 1, 0),
        ("unipc", {"order": 1}, 1, 1),
        ("unipc", {"order": 2}, 2, 2),
        ("unipc", {"order": 3}, 3, 3),
    ],
)
def test_exact_for_a_polynomial(
    name: str, params: dict[str, Any], degree: int, from_step: int, spacing: float
) -> None:
    """Once enough levels lie behind, a step is exact: the corrector one degree above the predictor."""
    path = path_of("vpsde")
    ell = -2.0 + spacing * torch.cumsum(torch.tensor([0.0, 1.0, 0.7, 1.2, 0.9, 1.1]), 0).double()
    levels = path.sde.levels(path.sde.time_at(2.0 * ell))
    denoiser = Polynomial(path, [0.3, -0.8, 0.5, 0.25][: degree + 1])
    ends = []
    for k in range(1, len(levels)):
        x = Registry.get("sampler", name, **params).integrate(
            denoiser, torch.full((1, 1, 1), 0.7, dtype=torch.float64), levels[: k + 1]
        )
        ends.append(float(x))
    for k in range(max(from_step, 1), len(levels) - 1):
        expected = denoiser.moved(ends[k - 1], levels[k], levels[k + 1])
        assert ends[k] == pytest.approx(expected, rel=1e-8), k


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("degree", [1, 2])
def test_weights_are_exact_for_a_polynomial_with_any_noise(degree: int, eta: float) -> None:
    path = path_of("vpsde")
    denoiser = Polynomial(path, [0.3, -0.8, 0.5][: degree + 1])
    nodes = [path.level(t) for t in (0.6, 0.75, 0.8)[: degree + 1]]
    end = path.level(0.3)
    found = weights(nodes[0], end, nodes, eta)
    values = [float(denoiser(torch.zeros(1, 1, 1).double(), level)) for level in nodes]
    total = sum(w * v for w, v in zip(found, values, strict=True))
    assert total == pytest.approx(denoiser.moved(0.0, nodes[0], end, eta), rel=1e-9)


@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_order_1_is_exact_for_a_constant_with_any_noise(eta: float) -> None:
    path = path_of("vpsde")
    denoiser = Polynomial(path, [0.4])
    start, end = path.level(0.8), path.level(0.3)
    noise = SampleNoise(0, torch.arange(1), 1, 1, torch.float64)
    x = torch.full((1, 1, 1), 0.7, dtype=torch.float64)
    found = Registry.get("sampler", "dpm", order=1, eta=eta).integrate(denoiser, x, [start, end], noise)
    drawn = found - denoiser.moved(0.7, start, end, eta)
    h = math.log(end.alpha / end.sigma) - math.log(start.alpha / start.sigma)
    spread = end.sigma * math.sqrt(1.0 - math.exp(-2.0 * eta**2 * h))
    assert torch.allclose(drawn, spread * noise(1), atol=1e-12)


def test_2m_is_the_published_formula() -> None:
    """DPM-Solver++(2M), algorithm 2 of the paper, with λ there our ℓ."""
    path = path_of("vpsde")
    levels = path.sde.levels(torch.tensor([0.9, 0.6, 0.45, 0.2], dtype=torch.float64))
    denoiser = GaussianDenoiser(path, *gaussian())
    x = torch.randn(3, 1, 4, dtype=torch.float64)
    found = Registry.get("sampler", "dpm").integrate(denoiser, x, levels)
    lam = [math.log(k.alpha / k.sigma) for k in levels]
    q: list[torch.Tensor] = []
    for i, (s, e) in enumerate(itertools.pairwise(levels)):
        q.append(denoiser(x, s))
        h, d = lam[i + 1] - lam[i], q[-1]
        if i:
            r = (lam[i] - lam[i - 1]) / h
            d = (1 + 1 / (2 * r)) * q[-1] - 1 / (2 * r) * q[-2]
        x = e.sigma / s.sigma * x - e.alpha * math.expm1(-h) * d
    assert torch.allclose(found, x, rtol=1e-10)


def test_sde_2m_is_the_published_formula() -> None:
    """SDE-DPM-Solver++(2M), equation 18 of the paper and its second-order correction."""
    path = path_of("vpsde")
    levels = path.sde.levels(torch.tensor([0.9, 0.6, 0.45], dtype=torch.float64))
    denoiser = GaussianDenoiser(path, *gaussian())
    noise = SampleNoise(0, torch.arange(3), 1, 4, torch.float64)
    x = noise(0)
    found = Registry.get("sampler", "dpm", eta=1.0).integrate(denoiser, x, levels, noise)
    lam = [math.log(k.alpha / k.sigma) for k in levels]
    q: list[torch.Tensor] = []
    for i, (s, e) in enumerate(itertools.pairwise(levels)):
        q.append(denoiser(x, s))
        h, d = lam[i + 1] - lam[i], q[-1]
        if i:
            d = q[-1] + h / (2 * (lam[i] - lam[i - 1])) * (q[-1] - q[-2])
        x = e.sigma / s.sigma * math.exp(-h) * x + e.alpha * (1 - math.exp(-2 * h)) * d
        x = x + e.sigma * math.sqrt(1 - math.exp(-2 * h)) * noise(i + 1)
    assert torch.allclose(found, x, rtol=1e-10)


@pytest.mark.parametrize("sde", SDES)
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("dpm", {"order": 1}), ("ddim", {})),
        (("dpm", {"order": 1, "eta": 1.0}), ("ddim", {"eta": 1.0})),
        (("ddpm", {"num_steps": 20}), ("ddim", {"eta": 1.0})),
    ],
)
def test_special_cases_agree(
    one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]], sde: str
) -> None:
    path = path_of(sde)
    denoiser = GaussianDenoiser(path, *gaussian())
    noise = SampleNoise(0, torch.arange(5), 1, 4, torch.float64)
    found = [Registry.get("sampler", n, **p).sample(denoiser, noise) for n, p in (one, other)]
    assert torch.allclose(*found, rtol=1e-9)


@pytest.mark.parametrize("case", ["dpm 3M", "dpm 2S", "dpm 3S", "unipc 2", "unipc 3", "adaptive"])
def test_coloured_noise_is_white_noise_on_whitened_data(case: str) -> None:
    noise = ColouredNoise(rho=0.7)
    mean, cov = gaussian()
    root = noise.colour(torch.eye(4, dtype=torch.float64)[:, None]).reshape(4, 4).mT
    inverse = torch.linalg.inv(root)
    start = SampleNoise(0, torch.arange(6), 1, 4, torch.float64)
    exact = case != "adaptive"  # whose tolerance is in the units of what is diffused
    chosen = made(case) if exact else Registry.get("sampler", "adaptive", rtol=1e-4, atol=1e-4)
    there = chosen.sample(GaussianDenoiser(path_of("vpsde", noise), mean, cov), start)
    whitened = GaussianDenoiser(path_of("vpsde"), mean @ inverse.mT, inverse @ cov @ inverse.mT)
    here = chosen.sample(whitened, start) @ root.mT
    assert torch.allclose(there, here, rtol=1e-8, atol=0.0 if exact else 0.02)


# -- with noise, exactly ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sde", "noise"),
    [*((sde, None) for sde in SDES), ("vpsde", ColouredNoise(rho=0.6))],
    ids=[*SDES, "coloured"],
)
@pytest.mark.parametrize(
    ("name", "params", "order"),
    [
        ("ddpm", {}, 1),
        ("ddpm", {"variance": "upper"}, 1),
        ("dpm", {"eta": 1.0, "order": 1}, 1),
        ("dpm", {"eta": 1.0}, 1),
        ("dpm", {"eta": 0.5}, 1),
        ("heun", {"churn": 5.0}, 2),
    ],
)
def test_stochastic_samplers_keep_the_marginals(
    name: str, params: dict[str, Any], order: int, sde: str, noise: ColouredNoise | None
) -> None:
    """The error of mean and covariance, without Monte Carlo, falls at least at the order."""
    path, found = path_of(sde, noise), []
    for n in (24, 48):
        levels = path.sde.levels(torch.linspace(0.9, 0.05, n + 1, dtype=torch.float64))
        found.append(stochastic_error(path, Registry.get("sampler", name, **params, num_steps=n), levels, n))
    assert slope(found) > order - 0.25, found


def test_second_order_with_noise_is_better_than_first() -> None:
    path = path_of("vpsde")
    levels = path.sde.levels(torch.linspace(0.9, 0.05, 41, dtype=torch.float64))
    one, two = (
        stochastic_error(path, Registry.get("sampler", "dpm", eta=1.0, order=k), levels, 40) for k in (1, 2)
    )
    assert two < 0.2 * one


@pytest.mark.parametrize("sde", SDES)
def test_the_upper_variance_is_exact_for_unit_noise(sde: str) -> None:
    """For x_0 ~ N(0, 1), β is the variance of x_s given x_t: even one long step keeps the marginal."""
    path = path_of(sde)
    levels = [path.level(0.9), path.level(0.3)]
    sampler = Registry.get("sampler", "ddpm", variance="upper")
    mean, cov = torch.zeros(1, 2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
    _, found = carried_moments(path, sampler, levels, 1, mean, cov)
    expected = (levels[1].alpha ** 2 + levels[1].sigma ** 2) * cov
    assert torch.allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("corrector_steps", [1, 3])
def test_the_corrector_keeps_the_marginal(corrector_steps: int) -> None:
    """A Langevin step changes a variance v by −g σ² θ² + O(θ³), with g = α²c/v for data of variance c."""
    path, snr = path_of("vpsde"), 0.1
    level = path.level(0.4)
    # two nearly equal levels: the predictor does nothing, and what is left is the corrector
    below = path.level(0.4 - 1e-9)
    mean, cov = torch.zeros(1, 1, dtype=torch.float64), torch.full((1, 1), 0.8, dtype=torch.float64)
    sampler = Registry.get("sampler", "pc", snr=snr, corrector_steps=corrector_steps, predictor="ode")
    size = 2 + (1 + corrector_steps)
    _, found = carried_moments(path, sampler, [level, below], size - 2, mean, cov)
    variance = level.alpha**2 * 0.8 + level.sigma**2
    change = -(level.alpha**2) * 0.8 / variance * level.sigma**2 * (2 * snr**2) ** 2 * corrector_steps
    assert float(found) - variance == pytest.approx(change, rel=0.1)
    assert abs(change) < 1e-3 * variance


@pytest.mark.parametrize("predictor", ["ancestral", "ode"])
def test_the_corrector_mends_a_wrong_start(predictor: str) -> None:
    """From a start of half the spread, Langevin steps bring the right one: what a predictor cannot."""
    path = path_of("vpsde")
    mean, cov = gaussian(2)
    levels = path.sde.levels(torch.linspace(0.5, 0.2, 31, dtype=torch.float64))
    errors = []
    for steps in (1, 6):
        sampler = Registry.get("sampler", "pc", predictor=predictor, corrector_steps=steps, snr=0.2)
        start = 0.5 * SampleNoise(0, torch.arange(4000), 1, 2, torch.float64)(0) + levels[0].alpha * mean
        noise = SampleNoise(1, torch.arange(4000), 1, 2, torch.float64)
        x = sampler.integrate(GaussianDenoiser(path, mean, cov), start, levels, noise)[:, 0]
        exact = levels[-1].alpha ** 2 * cov + levels[-1].sigma ** 2 * torch.eye(2).double()
        errors.append(float(torch.linalg.norm(torch.cov(x.mT) - exact)))
    assert errors[1] < 0.6 * errors[0], errors
