"""Deterministic samplers converge at their order on every path."""

from __future__ import annotations

import pytest
import torch

from undula.core.registry import Registry
from undula.core.sde import DATA
from undula.diffusion.analytic import GaussianDenoiser

from .problems import SDES, ColouredNoise, gaussian, moment_error, path_of, slope

ORDERS = {"euler": 1, "ddim": 1, "heun": 2, "dpm": 2}
STEPS = {"euler": (512, 1024), "ddim": (256, 512), "heun": (128, 256), "dpm": (128, 256)}


def errors(sampler: str, sde: str, start: float, noise: ColouredNoise | None = None) -> list[float]:
    path = path_of(sde, noise)
    found = []
    for n in STEPS[sampler]:
        times = torch.linspace(start, 0.05, n + 1, dtype=torch.float64)
        found.append(
            moment_error(path, Registry.get("sampler", sampler, num_steps=n), path.sde.levels(times))
        )
    return found


@pytest.mark.parametrize("sde", SDES)
@pytest.mark.parametrize("sampler", ORDERS)
def test_order(sampler: str, sde: str) -> None:
    """Slope of the error between n and 2n steps, from t = 0.95 to t = 0.05."""
    found = errors(sampler, sde, start=0.95)
    assert slope(found) == pytest.approx(ORDERS[sampler], abs=0.15), found


@pytest.mark.parametrize("sde", ["rectified", "cosine"])
@pytest.mark.parametrize("sampler", ["euler", "ddim", "heun"])
def test_order_from_alpha_zero(sampler: str, sde: str) -> None:
    """α(1) = 0 is no obstacle."""
    assert slope(errors(sampler, sde, start=1.0)) == pytest.approx(ORDERS[sampler], abs=0.15)


@pytest.mark.parametrize("sde", ["rectified", "cosine"])
def test_multistep_from_alpha_zero(sde: str) -> None:
    """On a grid uniform in t the log-SNR steps near α = 0 stay large: second order up to a logarithm."""
    assert 1.4 < slope(errors("dpm", sde, start=1.0)) < 2.2


@pytest.mark.parametrize("sampler", ORDERS)
def test_order_with_coloured_noise(sampler: str) -> None:
    """The steps are the same whatever Σ is."""
    found = errors(sampler, "vpsde", 0.95, ColouredNoise(rho=0.6))
    assert slope(found) == pytest.approx(ORDERS[sampler], abs=0.15), found


@pytest.mark.parametrize("grid", ["uniform", "log_snr", "karras"])
@pytest.mark.parametrize("sde", SDES)
@pytest.mark.parametrize("sampler", ["ddim", "heun", "dpm"])
def test_whole_grid_reaches_the_data(sampler: str, sde: str, grid: str) -> None:
    """From the prior to σ = 0 in 200 steps, the samples' mean and covariance are the data's."""
    path = path_of(sde)
    chosen = Registry.get("sampler", sampler, num_steps=200, grid=grid)
    levels = chosen.levels(path)
    assert levels[-1] is DATA
    assert len(levels) == 201
    mean, cov = gaussian()
    denoiser = GaussianDenoiser(path, mean, cov)
    prior = float(path.sde.sigma(torch.ones(1).double()))
    start = torch.cat((torch.zeros(1, 1, 4), prior * torch.eye(4)[:, None])).double()
    image = chosen.integrate(denoiser, start, levels)
    offset = (image[1:] - image[0])[:, 0]
    bound = 0.05 if sampler == "ddim" else 0.02
    assert torch.linalg.norm(offset.mT @ offset - cov) < bound * torch.linalg.norm(cov)
    # the prior is N(0, σ₁²Σ): on a path where α(1)/σ(1) is not tiny, the data's mean is missed by that
    mismatch = 2.0 * levels[0].alpha / levels[0].sigma * torch.linalg.norm(mean)
    assert torch.linalg.norm(image[0] - mean) < bound + mismatch


def test_heun_beats_ddim_at_equal_calls() -> None:
    path = path_of("vpsde")
    times = [torch.linspace(0.95, 0.05, n + 1, dtype=torch.float64) for n in (40, 20)]
    ddim = moment_error(path, Registry.get("sampler", "ddim"), path.sde.levels(times[0]))
    heun = moment_error(path, Registry.get("sampler", "heun"), path.sde.levels(times[1]))
    assert heun < 0.2 * ddim
