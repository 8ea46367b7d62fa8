"""Stochastic samplers reach the right mean and covariance."""

from __future__ import annotations

import pytest
import torch

from undula.core.noise import BaseNoise
from undula.core.registry import Registry
from undula.diffusion.analytic import GaussianDenoiser, GaussianMixtureDenoiser
from undula.diffusion.sampler import SampleNoise

from .problems import SDES, ColouredNoise, gaussian, path_of, white

DRAWS = 20_000
FEWER = 8_000  # for 1000 steps


def moments(
    sampler: str, sde: str, noise: BaseNoise, draws: int = DRAWS, **params: object
) -> tuple[float, float]:
    """Errors of mean and covariance of samples, in units of their standard errors."""
    path = path_of(sde, noise)
    mean, cov = gaussian()
    chosen = Registry.get("sampler", sampler, **params)
    start = SampleNoise(0, torch.arange(draws), 1, 4, torch.float64)
    x = chosen.sample(GaussianDenoiser(path, mean, cov), start)[:, 0]
    spread = cov.diagonal().sqrt()
    mean_error = float(((x.mean(0) - mean[0]) / spread).abs().max()) * draws**0.5
    scatter = (cov**2 + spread[:, None] ** 2 * spread**2).sqrt()
    covariance_error = float(((torch.cov(x.mT) - cov) / scatter).abs().max()) * draws**0.5
    return mean_error, covariance_error


@pytest.mark.parametrize("noise", [white(), ColouredNoise(rho=0.6)], ids=["white", "coloured"])
@pytest.mark.parametrize("sde", SDES)
def test_ddim_ancestral(sde: str, noise: BaseNoise) -> None:
    """η = 1 with many steps: the exact reverse transitions; the start, too, has covariance σ₁²Σ."""
    mean_error, covariance_error = moments("ddim", sde, noise, eta=1.0, num_steps=300)
    assert mean_error < 5
    assert covariance_error < 7


@pytest.mark.parametrize("eta", [0.5, 1.0])
@pytest.mark.parametrize("sde", SDES)
def test_ddim_draws_the_posteriors_variance(sde: str, eta: float) -> None:
    """γ² = η² Var[x_s | x_t, x_0] = η² σ_s² v/σ_t², where x_t | x_s ~ N(a x_s, v)."""
    path = path_of(sde)
    sampler = Registry.get("sampler", "ddim", eta=eta)
    start, end = path.level(0.7), path.level(0.4)
    _, v = path.transition(end, start)
    from_x, from_d, gamma = sampler.step(start, end)
    assert gamma**2 == pytest.approx(eta**2 * end.sigma**2 * v / start.sigma**2, rel=1e-9)
    assert from_x**2 * start.sigma**2 + gamma**2 == pytest.approx(end.sigma**2, rel=1e-9)
    assert from_x * start.alpha + from_d == pytest.approx(end.alpha, rel=1e-9)


@pytest.mark.parametrize(
    ("sde", "t_max", "noise"),
    [
        ("vpsde", None, white()),
        ("vesde", None, white()),
        ("subvpsde", None, white()),
        ("rectified", 0.995, white()),
        ("cosine", 0.995, white()),
        ("vpsde", None, ColouredNoise(rho=0.6)),
        pytest.param("vesde", None, ColouredNoise(rho=0.6), marks=pytest.mark.slow),
        pytest.param("subvpsde", None, ColouredNoise(rho=0.6), marks=pytest.mark.slow),
        ("rectified", 0.995, ColouredNoise(rho=0.6)),
        pytest.param("cosine", 0.995, ColouredNoise(rho=0.6), marks=pytest.mark.slow),
    ],
)
def test_euler_maruyama(sde: str, t_max: float | None, noise: BaseNoise) -> None:
    """η = 1: Euler-Maruyama of the reverse SDE; its bias at 1000 steps is below the draws' scatter."""
    mean_error, covariance_error = moments("euler", sde, noise, FEWER, eta=1.0, num_steps=1000, t_max=t_max)
    assert mean_error < 8
    assert covariance_error < 10


@pytest.mark.parametrize("eta", [0.5, 1.5])
def test_euler_with_any_noise(eta: float) -> None:
    """Every η has the same marginals."""
    mean_error, covariance_error = moments("euler", "vpsde", white(), FEWER, eta=eta, num_steps=1000)
    assert mean_error < 8
    assert covariance_error < 10


def test_mixture_weights() -> None:
    """Both modes of a mixture are reached in proportion, by a deterministic and a stochastic sampler."""
    path = path_of("rectified")
    means = torch.tensor([[[-3.0, -3.0]], [[2.0, 2.0]]], dtype=torch.float64)
    covariances = 0.2 * torch.eye(2, dtype=torch.float64).expand(2, 2, 2)
    denoiser = GaussianMixtureDenoiser(path, torch.tensor([0.3, 0.7]).double(), means, covariances)
    for name, params in (("heun", {"num_steps": 60}), ("ddim", {"eta": 1.0, "num_steps": 400})):
        sampler = Registry.get("sampler", name, **params)
        x = sampler.sample(denoiser, SampleNoise(1, torch.arange(8000), 1, 2, torch.float64))
        right = x[:, 0, 0] > 0
        assert float(right.double().mean()) == pytest.approx(0.7, abs=0.02)
        assert float(x[right].var(0).mean()) == pytest.approx(0.2, rel=0.1)


@pytest.mark.parametrize(("sde", "t_max"), [("vesde", 0.9), ("vpsde", 0.8), ("rectified", 0.95)])
def test_a_later_start_has_its_own_prior(sde: str, t_max: float) -> None:
    """A grid that starts at t_max starts from N(0, σ(t_max)²): samples keep the data's spread."""
    path = path_of(sde)
    denoiser = GaussianDenoiser(path, torch.zeros(1, 4).double(), torch.eye(4).double())
    noise = SampleNoise(0, torch.arange(4000), 1, 4, torch.float64)
    x = Registry.get("sampler", "dpm", num_steps=60, t_max=t_max, grid="log_snr").sample(denoiser, noise)
    assert float(x.std()) == pytest.approx(1.0, abs=0.03)
