"""The evidence lower bound against closed forms; warm-up, beta and free bits act."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from undula.latent.objective import VAELoss
from undula.latent.vae import VAE, Posterior, active_units

W, NOISE = 1.7, 0.6


class LinearEncoder(nn.Module):
    """The exact posterior of x = w z + σ ε, z ~ N(0, 1), moved by `off`."""

    def __init__(self, off: float = 0.0) -> None:
        super().__init__()
        precision = 1.0 + (W / NOISE) ** 2
        self.gain, self.log_sd, self.off = W / NOISE**2 / precision, -0.5 * math.log(precision), off

    def forward(self, x: Tensor) -> Tensor:
        raw = 5.0 * math.atanh(self.log_sd / 5.0)
        return torch.cat((self.gain * x + self.off, torch.full_like(x, raw)), dim=1)


class LinearDecoder(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        raw = math.log(math.expm1(NOISE - 0.01)) - math.log(math.e - 1.0)
        return torch.stack((W * z, torch.full_like(z, raw)), dim=1)


def loss(off: float = 0.0, beta: float = 1.0, kl_warmup: int = 0, free_bits: float = 0.0) -> VAELoss:
    vae = VAE(LinearEncoder(off), LinearDecoder(), "gaussian", 1, 0.01)
    return VAELoss(vae.double(), 0, beta, kl_warmup, free_bits)


def bound(value: float, **options: float) -> float:
    """The mean loss over many draws of the posterior at one x."""
    x = torch.full((40_000, 1, 1), value, dtype=torch.float64)
    return float(loss(**options)(x, 0, torch.arange(len(x)), len(x)).mean())


@pytest.mark.parametrize("value", [0.0, 1.3, -4.0])
def test_at_the_exact_posterior_the_bound_is_the_likelihood(value: float) -> None:
    exact = -float(Normal(0.0, math.hypot(W, NOISE)).log_prob(torch.tensor(value)))
    assert bound(value) == pytest.approx(exact, abs=0.02)


def test_away_from_it_the_gap_is_the_kl_to_it() -> None:
    sd = math.exp(LinearEncoder().log_sd)
    gap = float(kl_divergence(Normal(0.3, sd), Normal(0.0, sd)))
    exact = -float(Normal(0.0, math.hypot(W, NOISE)).log_prob(torch.tensor(1.3)))
    assert bound(1.3, off=0.3) - exact == pytest.approx(gap, abs=0.03)


def test_the_kl_is_that_of_two_gaussians() -> None:
    mean, log_sd = torch.randn(2, 6, 3, 2, dtype=torch.float64)
    expected = kl_divergence(Normal(mean, log_sd.exp()), Normal(0.0, 1.0))
    assert torch.allclose(Posterior(mean, log_sd).kl(), expected)


def test_beta_and_warm_up_weigh_the_kl() -> None:
    x, index = torch.full((8, 1, 1), 1.3, dtype=torch.float64), torch.arange(8)
    reconstruction, kl = loss().terms(x, "posterior", 4, index)
    for beta, warmup, weight in ((1.0, 0, 1.0), (0.3, 0, 0.3), (2.0, 10, 1.0), (2.0, 4, 2.0)):
        found = loss(beta=beta, kl_warmup=warmup)(x, 4, index, 8)
        assert torch.allclose(found, reconstruction + weight * kl[:, 0, 0]), (beta, warmup)
    assert [loss(kl_warmup=4).weight(k) for k in (0, 1, 3, 9)] == [0.25, 0.5, 1.0, 1.0]


def test_free_bits_take_the_pressure_off_units_that_say_less() -> None:
    x, index = torch.full((8, 1, 1), 0.1, dtype=torch.float64), torch.arange(8)
    reconstruction, kl = loss().terms(x, "posterior", 0, index)
    below, above = 0.5 * float(kl.mean()), 2.0 * float(kl.mean())
    assert torch.allclose(loss(free_bits=below)(x, 0, index, 8), reconstruction + kl[:, 0, 0])
    assert torch.allclose(loss(free_bits=above)(x, 0, index, 8), reconstruction + above)


def test_draws_are_a_function_of_seed_step_and_position() -> None:
    x = torch.randn(6, 1, 1, dtype=torch.float64)
    task = loss()
    whole = task(x, 3, torch.arange(6), 6)
    assert torch.equal(task(x[2:4], 3, torch.arange(2, 4), 6), whole[2:4])
    assert not torch.equal(task(x, 4, torch.arange(6), 6), whole)


def test_a_unit_whose_mean_does_not_move_is_not_active() -> None:
    means = torch.stack((torch.randn(500, 2), 0.05 * torch.randn(500, 2)), dim=1)
    assert active_units(means).tolist() == [[True, True], [False, False]]
