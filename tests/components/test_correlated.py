"""Correlated noise against dense covariances, an independent transform, and white noise on whitened data."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.fft
import torch

from tests.golden.problems import gaussian, path_of
from undula.core.architecture import BaseArchitecture
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError, IncompatibleError
from undula.core.noise import BaseNoise
from undula.core.registry import Registry
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.bound import variational_bound
from undula.diffusion.denoiser import NetDenoiser
from undula.diffusion.parametrization import Parametrization
from undula.diffusion.sampler import SampleNoise

NOTHING = 1e-12


def correlated(**params: object) -> BaseNoise:
    return Registry.get("noise", "correlated", **params)


def matrix(noise: BaseNoise, length: int) -> torch.Tensor:
    return noise.apply(torch.eye(length, dtype=torch.float64)[:, None])[:, 0]


def ar1(count: int, length: int, phi: float, seed: int = 0) -> torch.Tensor:
    """Exact draws of a stationary AR(1), (count, 1, length)."""
    steps = torch.arange(length, dtype=torch.float64)
    root = torch.linalg.cholesky(phi ** (steps[:, None] - steps).abs())
    white = torch.randn(count, length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (white @ root.mT)[:, None]


@pytest.mark.parametrize("phi", [0.8, -0.6])
def test_ar_is_ar1_away_from_the_ends(phi: float) -> None:
    """Interior: φ^|i−j| up to one factor; everywhere: the reflected, periodised formula of the docs."""
    length = 96
    found = matrix(correlated(ar=phi, floor=NOTHING), length)
    steps = torch.arange(length, dtype=torch.float64)
    exact = phi ** (steps[:, None] - steps).abs()
    inside = slice(32, 64)
    scale = found[48, 48]
    assert torch.allclose(found[inside, inside] / scale, exact[inside, inside], atol=1e-5)

    def r(n: torch.Tensor) -> torch.Tensor:
        return sum(phi ** (n + 2 * length * wrap).abs() for wrap in range(-3, 4))

    reflected = r(steps[:, None] - steps) + r(steps[:, None] + steps + 1)
    assert torch.allclose(found, reflected / reflected.diagonal().mean(), atol=1e-10)
    assert float(found[0, 0] / scale) == pytest.approx(1 + phi, rel=1e-5)


def test_ar_has_a_tridiagonal_inverse() -> None:
    """A Gauss-Markov chain with reflecting ends: the corners of its precision are 1 − φ + φ²."""
    phi, length = 0.7, 12
    precision = torch.linalg.inv(matrix(correlated(ar=phi, floor=NOTHING), length))
    precision = precision / precision[5, 5] * (1 + phi**2)
    expected = (1 + phi**2) * torch.eye(length) - phi * (
        torch.diag(torch.ones(length - 1), 1) + torch.diag(torch.ones(length - 1), -1)
    )
    expected[0, 0] = expected[-1, -1] = 1 - phi + phi**2
    assert torch.allclose(precision, expected.double(), atol=1e-7)


@pytest.mark.parametrize("beta", [1.0, 2.0, -1.0])
def test_power_law_has_its_slope(beta: float) -> None:
    """S_2k/S_k = 2^−β above the lowest frequency, below which it is flat; the floor adds to all alike."""
    plain = correlated(power_law=beta, floor=NOTHING).spectrum(128)
    assert float(plain[0]) == pytest.approx(float(plain[1]), rel=1e-9)
    for k in (1, 5, 40):
        assert float(plain[2 * k] / plain[k]) == pytest.approx(2.0**-beta, rel=1e-6)
    raised = correlated(power_law=beta, floor=0.2).spectrum(128)
    assert torch.allclose(raised, 0.8 * plain + 0.2, rtol=1e-9)
    assert float(raised.mean()) == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize("length", [7, 1500])
def test_all_operations_agree_with_an_independent_transform(length: int) -> None:
    """Short windows go through a matrix, long ones through an FFT: both are SciPy's orthonormal DCT."""
    noise = correlated(ar=0.9)
    x = torch.randn(3, 2, length, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    k = np.arange(length)
    s = 1 / (1 - 1.8 * np.cos(np.pi * k / length) + 0.81)
    s = 0.95 * s / s.mean() + 0.05

    def power(values: np.ndarray, exponent: float) -> np.ndarray:
        z = scipy.fft.dct(values, norm="ortho", axis=-1) * s**exponent
        return scipy.fft.idct(z, norm="ortho", axis=-1)

    assert np.allclose(noise.apply(x).numpy(), power(x.numpy(), 1.0), atol=1e-9)
    assert np.allclose(noise.solve(x).numpy(), power(x.numpy(), -1.0), atol=1e-9)
    again = noise.apply(x)
    assert np.allclose(noise.colour(noise.whiten(x)).numpy(), x.numpy(), atol=1e-9)
    assert np.allclose((noise.whiten(x) ** 2).sum(-1), (x * noise.solve(x)).sum(-1), rtol=1e-9)
    assert noise.log_det(2, length) == pytest.approx(2 * np.log(s).sum(), rel=1e-9)
    assert np.allclose(noise.apply(x.float()).numpy(), again.numpy(), atol=1e-4)


def test_coefficient_is_fitted() -> None:
    """ar: fitted finds the training series' φ; before that it says that it has not seen data."""
    noise = correlated(ar="fitted")
    with pytest.raises(ConfigError, match="has not seen data"):
        noise.colour(torch.zeros(1, 1, 8))
    noise.fit(ar1(2000, 50, 0.8), Registry.get("sde", "vpsde"))
    assert float(noise.ar_) == pytest.approx(0.8, abs=0.01)
    given = correlated(ar=float(noise.ar_))
    assert torch.equal(noise.spectrum(20), given.spectrum(20))


def test_terminal_snr_is_reported_per_frequency() -> None:
    """α(1)² S_data(k)/(σ(1)² S_noise(k)) for AR(1) data: their DCT spectrum over the noise's."""
    z, sde = ar1(20_000, 16, 0.8), Registry.get("sde", "vpsde")
    noise = correlated(power_law=2.0).fit(z, sde)
    (level,) = sde.levels(torch.ones(1))
    spectrum = (scipy.fft.dct(z.numpy(), norm="ortho", axis=-1) ** 2).mean(0)
    expected = level.snr * torch.from_numpy(spectrum) / noise.spectrum(16)
    assert torch.allclose(noise.terminal_snr_, expected, rtol=1e-9)


def test_visible_data_are_refused() -> None:
    """A floor too low for the path leaves high frequencies visible; α(1) = 0 hides everything."""
    z = ar1(500, 64, 0.3)
    low = {"power_law": 2.0, "floor": 0.001}
    with pytest.raises(IncompatibleError, match=r"still visible.*raise floor"):
        correlated(**low).fit(z, Registry.get("sde", "vesde"))
    correlated(**low).fit(z, Registry.get("sde", "vesde", sigma_max=500.0))
    correlated(power_law=2.0).fit(z, Registry.get("sde", "vesde"))
    assert float(correlated(**low).fit(z, Registry.get("sde", "rectified")).terminal_snr_.max()) == 0.0


def test_two_spectra_are_refused() -> None:
    with pytest.raises(ConfigError, match="one of the two"):
        correlated(ar=0.5, power_law=1.0)
    with pytest.raises(ConfigError, match="floor"):
        correlated(ar=0.5, floor=0.0)
    with pytest.raises(ConfigError, match="ar"):
        correlated(ar=1.0)
    assert torch.equal(correlated().spectrum(9), correlated(power_law=1.0).spectrum(9))


NOISES = {
    "correlated": {"ar": 0.7},
    "structured": {"features": "identity", "pattern": "block", "block": 3, "share": 0.8},
}


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize(
    ("sampler", "params"),
    [
        ("euler", {"num_steps": 9}),
        ("euler", {"num_steps": 9, "eta": 1.0}),
        ("ddim", {"num_steps": 9, "eta": 0.7}),
        ("heun", {"num_steps": 9}),
        ("dpm", {"num_steps": 9}),
    ],
)
def test_samplers_with_coloured_noise_are_white_ones_on_whitened_data(
    name: str, sampler: str, params: dict[str, object]
) -> None:
    """Draw for draw: start and steps are all coloured (an uncoloured one would break the equality)."""
    noise = Registry.get("noise", name, **NOISES[name])
    mean, cov = gaussian()
    root = noise.colour(torch.eye(4, dtype=torch.float64)[:, None])[:, 0].mT
    inverse = torch.linalg.inv(root)
    chosen = Registry.get("sampler", sampler, **params)
    start = SampleNoise(0, torch.arange(6), 1, 4, torch.float64)
    there = chosen.sample(GaussianDenoiser(path_of("vpsde", noise), mean, cov), start)
    whitened = GaussianDenoiser(path_of("vpsde"), mean @ inverse.mT, inverse @ cov @ inverse.mT)
    assert torch.allclose(there, chosen.sample(whitened, start) @ root.mT, rtol=1e-7)


@pytest.mark.parametrize("name", NOISES)
def test_bound_is_the_white_one_on_whitened_data(name: str) -> None:
    """−log p(x) = −log p(R⁻¹x) + ½ log det Σ, and so are the bounds, draw for draw."""
    noise = Registry.get("noise", name, **NOISES[name])
    mean, cov = gaussian()
    root = noise.colour(torch.eye(4, dtype=torch.float64)[:, None])[:, 0].mT
    inverse = torch.linalg.inv(root)
    x = torch.randn(5, 1, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    coloured = variational_bound(GaussianDenoiser(path_of("vpsde", noise), mean, cov), x)
    white = GaussianDenoiser(path_of("vpsde"), mean @ inverse.mT, inverse @ cov @ inverse.mT)
    expected = variational_bound(white, noise.whiten(x)) + 0.5 * noise.log_det(1, 4)
    assert torch.allclose(coloured, expected, rtol=1e-9)
    assert math.isfinite(float(coloured.sum()))


class Saturating(BaseArchitecture):
    """F = R tanh(R⁻¹ x) τ: a function of the whitened series alone."""

    def __init__(self, noise: BaseNoise) -> None:
        super().__init__()
        self.noise = noise

    def build(self, layout: Layout) -> None:
        """Nothing to make."""

    def forward(self, x: torch.Tensor, tau: torch.Tensor, condition: Condition | None = None) -> torch.Tensor:
        return self.noise.colour(torch.tanh(self.noise.whiten(x)) * tau[:, None, None])


@pytest.mark.parametrize("objective", ["variational_bound", "score_matching"])
def test_loss_in_the_noises_norm_is_the_white_loss_on_whitened_data(objective: str) -> None:
    """The bound measures errors by Σ⁻¹ and does not see the noise's colour; plain errors do."""
    noise, white = correlated(ar=0.8), Registry.get("noise", "standard")
    chosen = Registry.get("objective", objective)
    x, eps = torch.randn(2, 4, 2, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    t = torch.linspace(0.1, 0.9, 4, dtype=torch.float64)
    parametrization = Parametrization(prediction=chosen.prediction)

    plain = chosen.losses(NetDenoiser(Saturating(white), path_of("vpsde", white), parametrization), x, eps, t)
    denoiser = NetDenoiser(Saturating(noise), path_of("vpsde", noise), parametrization)
    found = chosen.losses(denoiser, noise.colour(x), noise.colour(eps), t)
    assert torch.allclose(found, plain, rtol=1e-9) == (objective == "variational_bound")
