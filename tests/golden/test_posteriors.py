"""Linear-Gaussian posteriors: guidance of the exact denoiser reaches the closed form, or says by how much not.

A deterministic sampler with a guided denoiser that is affine maps the start affinely, so that mean and
covariance of its samples are read off without a draw.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from undula.core.errors import ConfigError, IncompatibleError
from undula.core.registry import Registry
from undula.diffusion.analytic import GaussianDenoiser, GaussianMixtureDenoiser
from undula.diffusion.guidance import guided
from undula.diffusion.measurement import Measurement
from undula.diffusion.prior import GaussianPrior
from undula.diffusion.sampler import SampleNoise

from .posteriors import PROBLEMS, D, Problem
from .problems import gaussian, path_of, slope, white

POSTERIOR = {"type": "posterior", "params": {"iterations": D}}
AFFINE = {
    "posterior": POSTERIOR,
    "wiener": "wiener",
    "pseudo_inverse": "pseudo_inverse",
    "projection": "projection",
    "ramp": "ramp",
}


def errors(problem: Problem, guidance: object, steps: int) -> tuple[float, float, float]:
    """Squared error of the samples' mean and of their covariance, and their variance, in the posterior's."""
    sampler = Registry.get("sampler", "dpm", num_steps=steps, grid="log_snr")
    mean, cov = problem.posterior()
    found, spread = problem.carried(guidance, sampler, sampler.levels(problem.path))
    shape = torch.linalg.norm(spread - cov) / torch.linalg.norm(cov)
    return (
        float((found - mean).square().sum() / cov.trace()),
        float(shape),
        float(spread.trace() / cov.trace()),
    )


@pytest.mark.parametrize("steps", [60, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_closed_form_is_reached(problem: str, steps: int) -> None:
    """Mean squared error of a sample's mean at most 1.05 times, spread within 5 %."""
    mean, shape, variance = errors(PROBLEMS[problem], POSTERIOR, steps)
    assert mean < 0.05 and shape < 0.05 and variance**0.5 == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("problem", ["heteroscedastic", "blurred", "exact, masked", "coloured noise"])
@pytest.mark.parametrize(("sampler", "order"), [("ddim", 1), ("heun", 2)])
def test_the_order_is_the_samplers(problem: str, sampler: str, order: int) -> None:
    """The error of mean and covariance falls with the steps as without guidance."""
    given, found = PROBLEMS[problem], []
    for steps in (32, 64):
        chosen = Registry.get("sampler", sampler, num_steps=steps)
        levels = given.path.sde.levels(torch.linspace(0.95, 0.1, steps + 1, dtype=torch.float64))
        mean, cov = given.carried(POSTERIOR, chosen, levels)
        mean_end, cov_end = given.posterior(levels[-1])
        found.append(float(torch.linalg.norm(mean - mean_end) + torch.linalg.norm(cov - cov_end)))
    assert slope(found) == pytest.approx(order, abs=0.2), found


def test_intervals_of_posterior_samples_cover() -> None:
    """Of 300 truths, 64 samples each: 68 % intervals cover .64 to .72 of the numbers, the mean errs as it should."""
    problem, truths, count = PROBLEMS["heteroscedastic"], 300, 64
    mean, cov = problem.prior
    generator = torch.Generator().manual_seed(0)
    draws = torch.randn(2, truths, 1, D, generator=generator, dtype=torch.float64)
    z = mean + draws[0] @ torch.linalg.cholesky(cov).mT
    one = problem.measurement(1)
    y = one.decode(z) + one.variance.sqrt() * draws[1]
    measurement = replace(
        one, y=y.repeat_interleave(count, 0), variance=one.variance.expand(truths * count, -1, -1)
    )
    denoiser = guided(
        GaussianDenoiser(problem.path, mean, cov), [Registry.get("guidance", "posterior")], measurement
    )
    sampler = Registry.get("sampler", "dpm", num_steps=20, grid="log_snr")
    noise = SampleNoise(1, torch.arange(truths * count), 1, D, torch.float64)
    samples = sampler.sample(denoiser, noise).unflatten(0, (truths, count))
    low, high = samples.quantile(torch.tensor([0.16, 0.84]).double(), dim=1)
    assert 0.64 < float(((low <= z) & (z <= high)).double().mean()) < 0.72
    error = (samples.mean(1) - z).square().mean() / (problem.posterior()[1].trace() / D)
    assert float(error) == pytest.approx(1.0 + 1.0 / count, abs=0.06)


def test_biases_have_their_sizes() -> None:
    """What the cheaper ones cost: spread of what is not observed, in the posterior's variances."""
    exact = PROBLEMS["exact, masked"]
    found = {name: errors(exact, guidance, 60) for name, guidance in AFFINE.items()}
    assert found["wiener"][0] < 1e-3 and found["wiener"][2] == pytest.approx(1.0, abs=0.01), "Gaussian data"
    assert found["projection"][2] > 1.4, "what is not observed keeps the spread that it has without y"
    assert found["ramp"][2] > found["projection"][2] > found["pseudo_inverse"][2] > 1.02


@pytest.mark.parametrize("guidance", ["projection", "ramp"])
@pytest.mark.parametrize("problem", ["exact, masked", "low frequencies"])
def test_constraints_are_met_exactly(guidance: str, problem: str) -> None:
    given = PROBLEMS[problem]
    sampler = Registry.get("sampler", "heun", num_steps=10)
    measurement = given.measurement(5)
    denoiser = guided(
        GaussianDenoiser(given.path, *given.prior), [Registry.get("guidance", guidance)], measurement
    )
    z = sampler.sample(denoiser, SampleNoise(0, torch.arange(5), 1, D, torch.float64))
    left = measurement.residual(measurement.decode(z)).abs().max()
    assert float(left) < 1e-11 * float(measurement.y.abs().max())


def test_a_mixture_keeps_its_modes_where_its_own_covariance_is_used() -> None:
    """Two modes that an observation does not tell apart: `posterior` has both, at their places; a fitted
    Gaussian puts samples between them."""
    path, d, n = path_of("vpsde"), 3, 1500
    means = torch.tensor([[[2.0, 2.0, 0.0]], [[2.0, -2.0, 0.0]], [[-3.0, 0.0, 1.0]]], dtype=torch.float64)
    covs = torch.eye(d, dtype=torch.float64).expand(3, d, d) * 0.05
    weights = torch.ones(3, dtype=torch.float64) / 3
    mixture = GaussianMixtureDenoiser(path, weights, means, covs)
    spread = means[:, 0] - means[:, 0].mean(0)
    prior = GaussianPrior.of_covariance(means.mean(0), covs[0] + spread.mT @ spread / 3)
    measurement = Measurement(
        y=torch.tensor([[[2.2, 0.0, 0.0]]], dtype=torch.float64).expand(n, -1, -1),
        variance=torch.tensor([[[0.05, torch.inf, torch.inf]]], dtype=torch.float64).expand(n, -1, -1),
        operator=Registry.get("operator", "identity"),
        prior=prior,
    )
    sampler = Registry.get("sampler", "dpm", num_steps=40, grid="log_snr")
    noise = SampleNoise(0, torch.arange(n), 1, d, torch.float64)

    def sampled(name: str) -> torch.Tensor:
        return sampler.sample(guided(mixture, [Registry.get("guidance", name)], measurement), noise)[:, 0]

    z = sampled("posterior")
    assert float((z[:, 1] > 0).double().mean()) == pytest.approx(0.5, abs=0.05), "both modes"
    assert float(z[:, 0].mean()) == pytest.approx(2.1, abs=0.02), "half way to y, as variances are equal"
    assert float(z[:, 0].var()) == pytest.approx(0.025, rel=0.15)
    assert float((z[:, 1].abs() - 2.0).var()) == pytest.approx(0.05, rel=0.2)


def test_a_fitted_gaussian_leaves_the_covariance_that_it_should() -> None:
    """(C⁻¹ + α²/σ²)⁻¹ of a covariance with few directions and one variance in all others."""
    generator = torch.Generator().manual_seed(0)
    directions = torch.linalg.qr(torch.randn(10, 3, generator=generator, dtype=torch.float64)).Q
    variances = torch.tensor([9.0, 4.0, 2.0], dtype=torch.float64)
    cov = directions @ torch.diag(variances - 0.5) @ directions.mT + 0.5 * torch.eye(10, dtype=torch.float64)
    draws = torch.randn(8_000, 10, generator=generator, dtype=torch.float64)
    z = (draws @ torch.linalg.cholesky(cov).mT).unflatten(1, (2, 5)) + 7.0
    prior = GaussianPrior.fit(z, rank=3)
    level = path_of("vpsde").level(0.4)
    basis = torch.eye(10, dtype=torch.float64).unflatten(1, (2, 5))
    found = prior.covariance(basis, level, white()).flatten(1)
    snr = (level.alpha / level.sigma) ** 2
    expected = torch.linalg.inv(torch.linalg.inv(cov) + snr * torch.eye(10, dtype=torch.float64))
    assert torch.linalg.norm(found - expected) < 0.05 * torch.linalg.norm(expected)
    assert torch.allclose(prior.mean, z.mean(0)) and prior.largest == pytest.approx(9.0, rel=0.06)
    again = GaussianPrior.of_state(prior.state)
    assert again is not None and torch.allclose(
        again.covariance(basis, level, white()).flatten(1), found, atol=1e-5
    )


def test_many_numbers_have_the_same_directions_as_few() -> None:
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(50, 1, 1500, generator=generator, dtype=torch.float64)
    z[:, 0] += 20.0 * torch.randn(50, 1, generator=generator, dtype=torch.float64)
    prior = GaussianPrior.fit(z, rank=5)
    total = z.flatten(1).var(0).sum()
    assert float(prior.variances.sum() + (1500 - 5) * prior.rest) == pytest.approx(float(total), rel=1e-6)
    assert float(prior.vectors[0].mean().abs()) * 1500**0.5 == pytest.approx(1.0, abs=1e-2)


def test_what_cannot_be_followed_is_refused() -> None:
    mean, cov = gaussian(D)
    denoiser = GaussianDenoiser(path_of("vpsde"), mean, cov)
    noisy = PROBLEMS["heteroscedastic"].measurement(1)
    cases = [
        ("projection", noisy, "takes the observation as exact, and this one has noise: use posterior"),
        ("ramp", noisy, "guidance ramp takes the observation as exact"),
        ("wiener", replace(noisy, prior=None), "needs the covariance of the training data"),
        (
            "projection",
            replace(
                PROBLEMS["low frequencies"].measurement(1),
                variance=torch.tensor([[[torch.inf] + [0.0] * (D - 1)]], dtype=torch.float64),
            ),
            "cannot go back from a part of what low_pass gives",
        ),
    ]
    for name, measurement, message in cases:
        with pytest.raises(IncompatibleError, match=message):
            guided(denoiser, [Registry.get("guidance", name)], measurement)
    with pytest.raises(ConfigError, match="steers towards an observation, and there is none"):
        guided(denoiser, [Registry.get("guidance", "posterior")])
    with pytest.raises(ConfigError, match=r"schedule '2 - s' goes from 2 at s = 0"):
        Registry.get("guidance", "ramp", schedule="2 - s")
