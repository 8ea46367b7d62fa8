"""Likelihoods against scipy, their noise against its distribution, the floor of the scale."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from undula.core.randomness import Draws
from undula.latent.likelihoods import Emission, LikelihoodName, make_likelihood
from undula.latent.networks import WindowDecoder, WindowEncoder
from undula.latent.vae import VAE

NAMES: tuple[LikelihoodName, ...] = ("gaussian", "student_t")


def emission(seed: int = 0, shape: tuple[int, ...] = (5, 2, 7)) -> tuple[torch.Tensor, Emission]:
    numbers = torch.randn(3, *shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return 3.0 * numbers[0], Emission(numbers[1], 0.5 * numbers[2])


@pytest.mark.parametrize("name", NAMES)
def test_densities_are_scipys(name: LikelihoodName) -> None:
    likelihood = make_likelihood(name, 2).double()
    x, (location, log_scale) = emission()
    given = {"loc": location.numpy(), "scale": log_scale.exp().numpy()}
    if name == "student_t":
        with torch.no_grad():
            likelihood.raw_freedom[1] += 0.3
        freedom = likelihood.freedom.detach().numpy()
        assert freedom[1] > freedom[0] == pytest.approx(10.0)
        expected = stats.t.logpdf(x.numpy(), freedom, **given)
    else:
        expected = stats.norm.logpdf(x.numpy(), **given)
    found = likelihood.log_density(x, Emission(location, log_scale))
    assert found.detach().numpy() == pytest.approx(expected.sum((1, 2)), rel=1e-10)


def test_the_variance_is_finite_whatever_is_learned() -> None:
    likelihood = make_likelihood("student_t", 1).double()
    torch.nn.init.constant_(likelihood.raw_freedom, -50.0)
    assert likelihood.freedom.item() == pytest.approx(2.0)


@pytest.mark.parametrize("name", NAMES)
def test_draws_have_the_distribution_of_the_density(name: LikelihoodName) -> None:
    likelihood = make_likelihood(name, 1).double()
    location, log_scale = torch.tensor(0.7).double(), torch.tensor(-1.2).double()
    shape = (400, 1, 50)
    share = Draws(0, "test", 0, torch.arange(400)).uniform(1, 50)
    drawn = likelihood.draw(Emission(location.expand(shape), log_scale.expand(shape)), share)
    scale = float(log_scale.exp())
    law = stats.norm(0.7, scale) if name == "gaussian" else stats.t(likelihood.freedom.item(), 0.7, scale)
    assert stats.kstest(drawn.flatten().numpy(), law.cdf).pvalue > 0.01


def test_the_scale_has_its_floor_and_starts_at_one_and_the_floor() -> None:
    vae = VAE(
        WindowEncoder("mlp", (2, 6), (3, 1), 8),
        WindowDecoder("mlp", (2, 6), (3, 1), 8, 2),
        "gaussian",
        2,
        0.25,
    )
    z = torch.randn(64, 3, 1)
    for parameter in vae.decoder.parameters():
        torch.nn.init.zeros_(parameter)
    assert vae.decode(z).log_scale.exp().detach().numpy() == pytest.approx(1.25, rel=1e-6)
    with torch.no_grad():
        list(vae.decoder.parameters())[-1].fill_(-60.0)
    assert vae.decode(z).log_scale.exp().detach().numpy() == pytest.approx(0.25, rel=1e-6)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
@pytest.mark.parametrize("latent", [(3, 1), (2, 5), (4, 7)])
def test_networks_take_every_shape_and_pass_gradients(kind: str, latent: tuple[int, int]) -> None:
    encoder, decoder = WindowEncoder(kind, (2, 7), latent, 8), WindowDecoder(kind, (2, 7), latent, 8, 2)
    x = torch.randn(4, 2, 7)
    code = encoder(x)
    assert code.shape == (4, 2 * latent[0], latent[1])
    made = decoder(code[:, : latent[0]])
    assert made.shape == (4, 2, 2, 7)
    (made.square().sum() + code.square().sum()).backward()
    for parameter in (*encoder.parameters(), *decoder.parameters()):
        assert parameter.grad is not None and bool((parameter.grad != 0).any())
    assert np.isfinite(made.detach().numpy()).all()
