"""Different words for the same mathematics give the same numbers."""

from __future__ import annotations

import itertools

import pytest
import torch

from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.denoiser import NetDenoiser
from undula.diffusion.parametrization import PREDICTIONS, Parametrization
from undula.diffusion.path import GaussianPath
from undula.diffusion.sampler import BaseSampler, SampleNoise
from undula.testing.networks import FixedNetwork

from .problems import SDES, ColouredNoise, gaussian, path_of

DETERMINISTIC = ("ddim", "heun", "dpm")


def run(
    path: GaussianPath, sampler: BaseSampler, levels: list[NoiseLevel], start: torch.Tensor
) -> torch.Tensor:
    return sampler.integrate(GaussianDenoiser(path, *gaussian()), start, levels)


@pytest.mark.parametrize("sampler", DETERMINISTIC)
def test_vp_is_ve_after_rescaling(sampler: str) -> None:
    """Two paths with the same SNR differ by a factor of x alone, and so do their samplers' steps."""
    chosen = Registry.get("sampler", sampler)
    vp, ve = path_of("vpsde"), path_of("vesde")
    vp_levels = vp.sde.levels(torch.linspace(0.9, 0.1, 12, dtype=torch.float64))
    ve_levels = [NoiseLevel(t=k.t, alpha=1.0, sigma=k.sigma / k.alpha) for k in vp_levels]
    x = torch.randn(5, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    there = run(vp, chosen, vp_levels, x * vp_levels[0].alpha) / vp_levels[-1].alpha
    assert torch.allclose(there, run(ve, chosen, ve_levels, x), rtol=1e-9)


@pytest.mark.parametrize("sde", SDES)
def test_ddim_is_euler_in_sigma_over_alpha(sde: str) -> None:
    """d(x/α)/d(σ/α) = (x/α − D)/(σ/α), stepped by Euler, is DDIM with η = 0."""
    path = path_of(sde)
    denoiser = GaussianDenoiser(path, *gaussian())
    levels = path.sde.levels(torch.linspace(0.9, 0.1, 12, dtype=torch.float64))
    x = torch.randn(5, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = x / levels[0].alpha
    for start, end in itertools.pairwise(levels):
        ratio, following = start.sigma / start.alpha, end.sigma / end.alpha
        y = y + (following - ratio) * (y - denoiser(y * start.alpha, start)) / ratio
    found = Registry.get("sampler", "ddim").integrate(denoiser, x, levels)
    assert torch.allclose(found / levels[-1].alpha, y, rtol=1e-9)


def test_euler_is_the_velocity_field() -> None:
    """On the rectified path Euler in t follows the velocity that flow matching learns."""
    path = path_of("rectified")
    denoiser = GaussianDenoiser(path, *gaussian())
    levels = path.sde.levels(torch.linspace(1.0, 0.1, 12, dtype=torch.float64))
    x = torch.randn(5, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = x
    for start, end in itertools.pairwise(levels):
        y = y + (end.t - start.t) * path.velocity(y, denoiser(y, start), start)
    assert torch.allclose(Registry.get("sampler", "euler").integrate(denoiser, x, levels), y, rtol=1e-9)


@pytest.mark.parametrize("sde", ["vpsde", "cosine"])
def test_edm_is_minus_v_where_variance_is_preserved(sde: str) -> None:
    """EDM's pair with s = 1 is v's with the opposite sign of F, if α² + σ² = 1."""
    level = path_of(sde).sde.level(torch.linspace(0.05, 0.95, 9, dtype=torch.float64))
    edm, v = Parametrization(prediction="edm", s=1.0)(level), Parametrization(prediction="v")(level)
    assert torch.allclose(edm.c_skip, v.c_skip, rtol=1e-12)
    assert torch.allclose(edm.c_out, -v.c_out, rtol=1e-12)


@pytest.mark.parametrize("sampler", DETERMINISTIC)
def test_coloured_noise_is_white_noise_on_whitened_data(sampler: str) -> None:
    """Whiten the data by Σ^−½, diffuse with white noise, colour again: the same samples."""
    noise = ColouredNoise(rho=0.7)
    coloured, plain = path_of("vpsde", noise), path_of("vpsde")
    mean, cov = gaussian()
    root = noise.colour(torch.eye(4, dtype=torch.float64)[:, None]).reshape(4, 4).mT
    inverse = torch.linalg.inv(root)
    chosen = Registry.get("sampler", sampler, num_steps=15)
    start = SampleNoise(0, torch.arange(6), 1, 4, torch.float64)
    there = chosen.sample(GaussianDenoiser(coloured, mean, cov), start)
    whitened = GaussianDenoiser(plain, mean @ inverse.mT, inverse @ cov @ inverse.mT)
    assert torch.allclose(there, chosen.sample(whitened, start) @ root.mT, rtol=1e-8)


@pytest.mark.parametrize("sde", SDES)
@pytest.mark.parametrize("weight", ["uniform_x0", "snr", "min_snr", "edm", "likelihood"])
def test_weights_are_equal_on_x0(sde: str, weight: str) -> None:
    """A weight on x_0 gives the same loss for the same D, whatever the network predicts."""
    path = path_of(sde)
    generator = torch.Generator().manual_seed(0)
    x_0, eps = torch.randn(2, 8, 2, 5, generator=generator, dtype=torch.float64)
    t = torch.linspace(0.1, 0.9, 8, dtype=torch.float64)
    level = path.level(t)
    target = torch.tanh(x_0 + 0.3)  # some D, the same for all predictions
    losses = []
    for prediction in PREDICTIONS:
        objective = Registry.get("objective", "denoising", prediction=prediction, loss_weight=weight)
        denoiser = NetDenoiser(FixedNetwork(), path, Parametrization(prediction="x0", s=0.9))
        denoiser.parametrization = Parametrization(prediction=prediction, s=0.9)
        c_skip, c_out, _ = denoiser.parametrization(level)
        x_t = path.perturb(x_0, eps, level)
        output = (target - c_skip * x_t) / c_out
        denoiser.network = lambda *_, output=output: output  # type: ignore[assignment]
        losses.append(objective.losses(denoiser, x_0, eps, t))
    for other in losses[1:]:
        assert torch.allclose(other, losses[0], rtol=1e-8)


def test_score_is_minus_eps() -> None:
    """F = σ Σ ∇log p = −ε, and the score itself is Σ⁻¹(α D − x_t)/σ²."""
    noise = ColouredNoise(rho=0.5)
    path = path_of("vpsde", noise)
    mean, cov = gaussian()
    level = path.level(0.4)
    x_t = torch.randn(3, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    d = GaussianDenoiser(path, mean, cov)(x_t, level)
    sigma = noise._sigma(4)
    total = level.alpha**2 * cov + level.sigma**2 * sigma
    exact = -torch.linalg.solve(total, (x_t - level.alpha * mean)[:, 0].mT).mT
    assert torch.allclose(path.score(x_t, d, level)[:, 0], exact, rtol=1e-9)
    assert torch.allclose(path.eps(x_t, d, level), -level.sigma * noise.apply(exact[:, None]), rtol=1e-9)
