"""Whitening: what becomes white, and white noise behind it against coloured noise before it."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from tests.golden.problems import ColouredNoise, path_of
from undula.components.preprocessing.decorrelate import DecorrelatePreprocessor
from undula.core.condition import Condition
from undula.core.errors import DataError
from undula.core.registry import Registry
from undula.core.transforms import dct
from undula.diffusion.analytic import GaussianDenoiser


class NoiseOf(ColouredNoise):
    """Σ = R Rᵀ for the inverse R = M⁻¹ of a fitted decorrelation, by dense matrices."""

    def __init__(self, fitted: DecorrelatePreprocessor, channels: int, length: int) -> None:
        zero = fitted.inverse_transform(torch.zeros(1, channels, length, dtype=torch.float64))
        units = torch.eye(channels * length, dtype=torch.float64).unflatten(1, (channels, length))
        object.__setattr__(self, "root", (fitted.inverse_transform(units) - zero).flatten(1).mT)

    def colour(self, white: Tensor, condition: Condition | None = None) -> Tensor:
        return (white.flatten(1) @ self.root.mT).reshape(white.shape)

    def whiten(self, x: Tensor, condition: Condition | None = None) -> Tensor:
        return torch.linalg.solve(self.root, x.flatten(1).mT).mT.reshape(x.shape)


def two_sensors(n: int = 3000, length: int = 12) -> Tensor:
    """Two correlated AR(1) series of very different size."""
    generator = torch.Generator().manual_seed(0)
    eps = torch.randn(n, 2, length + 40, generator=generator, dtype=torch.float64)
    x = [eps[..., 0]]
    for i in range(1, eps.shape[-1]):
        x.append(0.8 * x[-1] + 0.6 * eps[..., i])
    series = torch.stack(x[40:], dim=-1)
    mixed = torch.stack((series[:, 0], 0.9 * series[:, 0] + 0.4 * series[:, 1]), dim=1)
    return mixed * torch.tensor([[1.0], [50.0]], dtype=torch.float64) + 7.0


@pytest.mark.parametrize(
    "params", [{}, {"strength": 0.6}, {"over": "time"}, {"over": "features"}, {"over": "window"}]
)
def test_white_noise_behind_it_is_coloured_noise_before_it(params: dict[str, object]) -> None:
    x = two_sensors()
    fitted = DecorrelatePreprocessor(**params).fit(x)
    z = fitted.transform(x)
    noise = NoiseOf(fitted, 2, 12)
    behind, before = path_of("vpsde"), path_of("vpsde", noise)
    of_z, of_x = GaussianDenoiser.fit(behind, z), GaussianDenoiser.fit(before, x)
    mean = fitted.inverse_transform(torch.zeros_like(z[:1]))

    def shifted(x_t: Tensor, alpha: float) -> Tensor:
        """z_t of x_t: the noisy series is α(x_0 − m) + σ M⁻¹ε about α m."""
        return fitted.transform(x_t - alpha * mean + mean)

    for t in (0.1, 0.5, 0.9):
        level = before.level(t)
        x_t = before.perturb(x[:20], noise.colour(torch.randn(20, 2, 12, dtype=torch.float64)), level)
        there = fitted.inverse_transform(of_z(shifted(x_t, level.alpha), level))
        assert torch.allclose(of_x(x_t, level), there, rtol=1e-8, atol=1e-8)

    sampler = Registry.get("sampler", "heun", num_steps=6)
    white = torch.randn(5, 2, 12, dtype=torch.float64)
    levels = [before.level(t) for t in (0.9, 0.6, 0.3, 0.1)]
    start = before.perturb(mean.expand(5, -1, -1), noise.colour(white), levels[0])
    direct = sampler.integrate(of_x, start, levels)
    mapped = sampler.integrate(of_z, shifted(start, levels[0].alpha), levels)
    assert torch.allclose(shifted(direct, levels[-1].alpha), mapped, rtol=1e-7, atol=1e-7)


def test_the_noise_before_it_has_the_spectrum_of_the_data() -> None:
    """Strength 1 gives Σ = Cᵀ diag(C K Cᵀ) C for data of covariance K; half of it the geometric mean with I."""
    steps = torch.arange(32, dtype=torch.float64)
    ar1 = 0.8 ** (steps[:, None] - steps).abs()
    white = torch.randn(20_000, 32, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    x = (white @ torch.linalg.cholesky(ar1).mT)[:, None]
    cosines = dct(torch.eye(32, dtype=torch.float64)).mT
    spectrum = (cosines @ torch.cov(x[:, 0].mT, correction=0) @ cosines.mT).diagonal()
    for strength in (1.0, 0.5):
        root = NoiseOf(DecorrelatePreprocessor(strength=strength).fit(x), 1, 32).root
        sigma = cosines.mT @ torch.diag(spectrum**strength) @ cosines
        size = (spectrum ** (1 - strength)).mean()  # of z before it is scaled
        assert torch.allclose(root @ root.mT, sigma * size, atol=1e-6)
    full = NoiseOf(DecorrelatePreprocessor().fit(x), 1, 32).root
    assert float(torch.linalg.norm(full @ full.mT - ar1) / torch.linalg.norm(ar1)) < 0.2


def test_frequencies_of_components_become_white_and_strength_says_how_much() -> None:
    x = two_sensors()
    spread = []
    for strength in (0.0, 0.5, 1.0):
        fitted = DecorrelatePreprocessor(strength=strength).fit(x)
        z = fitted.transform(x)
        assert float(z.square().mean()) == pytest.approx(1.0, abs=1e-6)
        variance = fitted._spectrum(z).square().mean(0)
        spread.append(float(variance.log().std()))
    assert spread[2] < 1e-6
    assert spread[1] == pytest.approx(spread[0] / 2, rel=1e-6)


def test_it_turns_back_so_that_the_map_is_symmetric_and_local() -> None:
    fitted = DecorrelatePreprocessor().fit(x := two_sensors())
    root = NoiseOf(fitted, 2, 12).root / fitted.scale_.repeat_interleave(12, 0)
    assert torch.allclose(root, root.mT, atol=1e-9)
    z = fitted.transform(x)
    for c in range(2):
        for n in range(12):
            together = torch.corrcoef(torch.stack((z[:, c, n], x[:, c, n])))[0, 1]
            assert float(together) > 0.4
    time_only = DecorrelatePreprocessor(over="time").fit(x).transform(x)
    both = torch.corrcoef(z.transpose(0, 1).flatten(1))[0, 1]
    assert abs(float(both)) < 0.05 < 0.8 < float(torch.corrcoef(time_only.transpose(0, 1).flatten(1))[0, 1])


def test_the_floor_keeps_what_the_data_lack_from_being_blown_up() -> None:
    n = torch.arange(16, dtype=torch.float64)
    smooth = torch.randn(200, 1, 2, dtype=torch.float64) @ torch.stack((torch.ones(16).double(), n))
    for floor in (1e-3, 0.1):
        gain = DecorrelatePreprocessor(floor=floor).fit(smooth).gain_
        assert float(gain.min() / gain.max()) == pytest.approx(floor, rel=1e-6)


def test_windows_are_white_where_a_column_follows_another_ones_past() -> None:
    """The principal components of windows hold what neither spectra nor correlations of columns do."""
    generator = torch.Generator().manual_seed(2)
    first = torch.randn(4000, 1, 9, generator=generator, dtype=torch.float64)
    second = torch.randn(4000, 1, 8, generator=generator, dtype=torch.float64)
    x = torch.cat((first[..., 1:], 0.9 * first[..., :-1] + 0.3 * second), 1)  # yesterday's first column
    for over, white in (("both", False), ("window", True)):
        z = DecorrelatePreprocessor(over=over).fit(x).transform(x).flatten(1)
        off = torch.corrcoef(z.mT) - torch.eye(16)
        assert (float(off.abs().max()) < 1e-6) == white


@pytest.mark.parametrize("over", ["both", "window"])
def test_calibration_gives_samples_the_moments_of_the_data_and_stays_a_map(over: str) -> None:
    """What a model makes too small, shifted and of another spectrum comes out as the data are."""
    x = two_sensors()
    fitted = DecorrelatePreprocessor(over=over, strength=0.5, calibrate=True).fit(x)
    assert fitted.notes() == []
    z = fitted.transform(x)
    faults = torch.linspace(0.6, 1.1, 24, dtype=torch.float64).reshape(2, 12)
    made = fitted._series(fitted._spectrum(z) * faults) + 0.2
    fitted.learn_from_samples(made[:2000])
    back = fitted.inverse_transform(made)
    assert torch.allclose(back.mean(0), x.mean(0), atol=0.05 * float(x.std()))
    scaled = DecorrelatePreprocessor(over=over, strength=0.0).fit(x)
    ratio = scaled._spectrum(scaled.transform(back)).std(0) / scaled._spectrum(scaled.transform(x)).std(0)
    assert float((ratio - 1).abs().max()) < 0.03
    assert torch.allclose(fitted.change_, 1 / faults, rtol=0.05)
    assert torch.allclose(fitted.inverse_transform(fitted.transform(x)), x)
    assert "calibrated: components of samples times" in fitted.notes()[0]


def test_calibration_leaves_components_alone_that_the_data_lack() -> None:
    n = torch.arange(8, dtype=torch.float64)
    x = torch.randn(200, 1, 2, dtype=torch.float64) @ torch.stack((torch.ones(8).double(), n))
    fitted = DecorrelatePreprocessor(over="window", calibrate=True).fit(x)
    fitted.learn_from_samples(fitted.transform(x) + 0.01 * torch.randn(200, 1, 8, dtype=torch.float64))
    assert torch.equal(fitted.change_.flatten()[:6], torch.ones(6, dtype=torch.float64))
    assert bool((fitted.gain_ > 0).all())


def test_what_it_cannot_take_is_refused() -> None:
    with pytest.raises(DataError, match="2 training windows"):
        DecorrelatePreprocessor().fit(torch.randn(1, 1, 8))
    with pytest.raises(DataError, match=r"9 steps.*fitted to 8"):
        DecorrelatePreprocessor().fit(torch.randn(4, 1, 8)).inverse_transform(torch.randn(4, 1, 9))
