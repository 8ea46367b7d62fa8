"""Exact denoisers against brute force, and a network on top of one."""

from __future__ import annotations

import math

import pytest
import torch

from undula.core.randomness import Stream
from undula.core.registry import Registry
from undula.diffusion.analytic import GaussianDenoiser, GaussianMixtureDenoiser
from undula.diffusion.bound import variational_bound
from undula.diffusion.denoiser import NetDenoiser
from undula.diffusion.parametrization import Parametrization
from undula.testing.networks import FixedNetwork

from ..golden.problems import SDES, ColouredNoise, gaussian, path_of, white


@pytest.mark.parametrize("noise", [white(), ColouredNoise(rho=0.6)], ids=["white", "coloured"])
@pytest.mark.parametrize("sde", SDES)
def test_gaussian_posterior_mean(sde: str, noise: object) -> None:
    """m + α C (α² C + σ² Σ)⁻¹ (x − α m), solved directly; per-member levels and one for all agree."""
    path = path_of(sde, noise)
    mean, cov = gaussian(6)
    mean = mean.reshape(2, 3)
    denoiser = GaussianDenoiser(path, mean, cov)
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    t = torch.linspace(0.1, 0.9, 5, dtype=torch.float64)
    sigma = noise.apply(torch.eye(6, dtype=torch.float64).reshape(6, 2, 3)).reshape(6, 6)
    for k, level in enumerate(path.sde.levels(t)):
        total = level.alpha**2 * cov + level.sigma**2 * sigma
        offset = x[k].flatten() - level.alpha * mean.flatten()
        exact = mean.flatten() + level.alpha * cov @ torch.linalg.solve(total, offset)
        assert torch.allclose(denoiser(x, level)[k].flatten(), exact, rtol=1e-8)
        assert torch.allclose(denoiser(x, t)[k].flatten(), exact, rtol=1e-8)
        posterior = cov - level.alpha**2 * cov @ torch.linalg.solve(total, cov)
        assert denoiser.residual_variance(level) == pytest.approx(
            float(posterior.diagonal().mean()), rel=1e-8
        )
    residual = denoiser.residual_variance(path.level(t))
    assert residual.shape == (5, 1, 1)


def test_mixture_posterior_mean_by_quadrature() -> None:
    """One dimension: ∫ x p(x) N(x_t; αx, σ²) dx on a fine grid."""
    path = path_of("vpsde")
    weights = torch.tensor([0.2, 0.5, 0.3]).double()
    means = torch.tensor([-2.0, 0.5, 3.0]).double()[:, None, None]
    variances = torch.tensor([0.1, 0.6, 0.3]).double()[:, None, None]
    denoiser = GaussianMixtureDenoiser(path, weights, means, variances)
    grid = torch.linspace(-8, 9, 40001).double()
    density = sum(
        w * torch.exp(-0.5 * (grid - m) ** 2 / v) / v**0.5
        for w, m, v in zip(weights, means.flatten(), variances.flatten(), strict=True)
    ) / math.sqrt(2 * math.pi)
    for level in path.sde.levels(torch.tensor([0.05, 0.3, 0.8]).double()):
        x_t = torch.tensor([-1.0, 0.2, 2.0]).double()
        kernel = torch.exp(-0.5 * (x_t[:, None] - level.alpha * grid) ** 2 / level.sigma**2) * density
        exact = (kernel * grid).sum(1) / kernel.sum(1)
        assert torch.allclose(denoiser(x_t[:, None, None], level).flatten(), exact, rtol=1e-6)
        evidence = torch.trapezoid(kernel, grid) / (math.sqrt(2 * math.pi) * level.sigma)
        assert torch.allclose(denoiser.log_prob(x_t[:, None, None], level), evidence.log(), rtol=1e-6)


def test_mixture_of_one_is_the_gaussian() -> None:
    path = path_of("subvpsde", ColouredNoise(rho=0.4))
    mean, cov = gaussian(5)
    one = GaussianMixtureDenoiser(path, torch.ones(1).double(), mean[None], cov[None])
    x = torch.randn(7, 1, 5, dtype=torch.float64)
    assert torch.allclose(one(x, 0.4), GaussianDenoiser(path, mean, cov)(x, 0.4), rtol=1e-8)


def test_mixture_log_prob_is_the_gaussians() -> None:
    path = path_of("vpsde", ColouredNoise(rho=0.5))
    mean, cov = gaussian(4)
    level = path.level(0.5)
    x = torch.randn(6, 1, 4, dtype=torch.float64)
    total = level.alpha**2 * cov + level.sigma**2 * path.noise._sigma(4)
    exact = torch.distributions.MultivariateNormal(level.alpha * mean[0], total).log_prob(x[:, 0])
    one = GaussianMixtureDenoiser(path, torch.ones(1).double(), mean[None], cov[None])
    assert torch.allclose(one.log_prob(x, level), exact, rtol=1e-8)


def test_mixture_samples_have_its_moments() -> None:
    path = path_of("vpsde")
    means = torch.stack([torch.full((1, 3), -1.0), torch.full((1, 3), 2.0)]).double()
    _, cov = gaussian(3)
    mixture = GaussianMixtureDenoiser(
        path, torch.tensor([0.25, 0.75]).double(), means, torch.stack([cov, cov])
    )
    x = mixture.sample(40_000)[:, 0]
    assert torch.allclose(x.mean(0), torch.full((3,), 1.25).double(), atol=0.04)
    between = 0.25 * 0.75 * 9.0
    assert torch.allclose(torch.cov(x.mT), cov + between, atol=0.15)


def test_mixture_residual_is_measured() -> None:
    """For a mixture of one, the measured residual variance is the closed form."""
    path = path_of("vpsde")
    mean, cov = gaussian(4)
    one = GaussianMixtureDenoiser(path, torch.ones(1).double(), mean[None], cov[None])
    exact = GaussianDenoiser(path, mean, cov)
    for t in (0.05, 0.3, 0.9):
        level = path.level(t)
        assert one.residual_variance(level) == pytest.approx(exact.residual_variance(level), rel=0.1)
    many = one.residual_variance(path.level(torch.tensor([0.1, 0.5]).double()))
    assert many.shape == (2, 1, 1)


def test_a_fitted_gaussian_has_the_samples_moments() -> None:
    x = torch.randn(500, 2, 3, dtype=torch.float64).cumsum(-1)
    fitted = GaussianDenoiser.fit(path_of("vpsde"), x)
    assert torch.allclose(fitted.mean, x.mean(0))
    assert torch.allclose(fitted.covariance, torch.cov(x.flatten(1).mT))


def test_an_exact_base_makes_an_exact_denoiser_of_a_zero_network() -> None:
    """D = base + c_out F with F = 0 is the base, and the target has unit variance."""
    path = path_of("vpsde")
    mean, cov = gaussian(4)
    base = GaussianDenoiser(path, mean, cov)
    network = FixedNetwork()
    network.forward = lambda x, tau, condition=None: torch.zeros_like(x)
    denoiser = NetDenoiser(network, path, Parametrization(prediction="edm"), base=base)
    x_0 = mean + (torch.linalg.cholesky(cov) @ torch.randn(4, 4000, dtype=torch.float64)).mT[:, None]
    for t in (0.1, 0.5, 0.9):
        level = path.level(torch.full((4000,), t).double())
        eps = torch.randn(4000, 1, 4, dtype=torch.float64)
        x_t = path.perturb(x_0, eps, level)
        assert torch.allclose(denoiser(x_t, level), base(x_t, level))
        residual = denoiser.residual(x_0, eps, level)
        assert float(residual.value.square().mean()) == pytest.approx(1.0, rel=0.08)
        assert torch.allclose(residual.c_out * residual.value, denoiser(x_t, level) - x_0, rtol=1e-6)


@pytest.mark.parametrize("noise", [white(), ColouredNoise(rho=0.6)], ids=["white", "coloured"])
@pytest.mark.parametrize("sde", SDES)
def test_the_bound_is_tight_for_the_exact_denoiser(sde: str, noise: object) -> None:
    """With the exact denoiser the bound is the entropy, but for the decoder at t_min and Monte Carlo."""
    path = path_of(sde, noise)
    mean, cov = gaussian(4)
    law = torch.distributions.MultivariateNormal(mean[0], cov)
    x_0 = mean + (torch.linalg.cholesky(cov) @ torch.randn(4, 20_000, dtype=torch.float64)).mT[:, None]
    bound = variational_bound(GaussianDenoiser(path, mean, cov), x_0, num_times=64)
    gap = bound + law.log_prob(x_0[:, 0])
    assert bound.shape == (20_000,)
    standard_error = float(gap.std()) / 20_000**0.5
    assert standard_error < 0.05
    assert abs(float(gap.mean())) < 4 * standard_error + 0.01


def test_the_prior_term_is_the_divergence_from_the_prior() -> None:
    """Data and exact denoiser moved by m: only KL(q(x_1) ‖ N(0, σ²)) = ½ SNR(1) ‖x_0‖² + … changes."""
    path = path_of("vpsde")
    mean, cov = gaussian(4)
    x_0 = mean + (torch.linalg.cholesky(cov) @ torch.randn(4, 50, dtype=torch.float64)).mT[:, None]
    move = 300.0
    here = variational_bound(GaussianDenoiser(path, mean, cov), x_0)
    there = variational_bound(GaussianDenoiser(path, mean + move, cov), x_0 + move)
    end = path.level(1.0)
    expected = 0.5 * end.snr * ((x_0 + move).square() - x_0.square()).sum((1, 2))
    assert float(expected.min()) > 1.0
    assert torch.allclose(there - here, expected, rtol=1e-6)


def test_the_bound_rises_for_a_wrong_denoiser() -> None:
    path = path_of("vpsde")
    mean, cov = gaussian(4)
    x_0 = mean + (torch.linalg.cholesky(cov) @ torch.randn(4, 2000, dtype=torch.float64)).mT[:, None]
    right = variational_bound(GaussianDenoiser(path, mean, cov), x_0).mean()
    wrong = variational_bound(GaussianDenoiser(path, mean + 0.5, 1.5 * cov), x_0).mean()
    assert float(wrong) > float(right) + 0.1


def test_the_training_loss_is_the_bounds_integral() -> None:
    """The mean loss of `variational_bound` is the bound's integral per element."""
    path = path_of("vpsde")
    objective = Registry.get("objective", "variational_bound", prediction="v")
    denoiser = NetDenoiser(FixedNetwork(), path, Parametrization(prediction="v"))
    x_0 = torch.randn(4096, 1, 3, dtype=torch.float64)
    position = torch.arange(4096)
    total = 0.0
    for step in range(32):
        t = objective.times(path, Stream(0, "t"), step, position, 4096)
        eps = Stream(0, "n").normal(step, position, 1, 3, torch.float64)
        total += float(objective.losses(denoiser, x_0, eps, t).mean()) / 32
    bound = variational_bound(denoiser, x_0, num_times=64)
    first = path.level(1.0)
    last = path.level(path.sde.t_min)
    ends = 0.5 * first.snr * x_0.square().sum((1, 2)) + 0.5 * 3 * (1 + math.log(2 * math.pi / last.snr))
    assert total == pytest.approx(float((bound - ends).mean()) / 3, rel=0.03)
