"""Gaussianised details: what becomes normal, what stays still, and where errors become small."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from undula.components.preprocessing.gaussianise import GaussianisePreprocessor
from undula.core.errors import ConfigError, DataError
from undula.core.registry import Registry

L = 24


def calm_and_lively(n: int = 4000, seed: int = 0) -> Tensor:
    """Walks whose steps are 0.02 in half of the windows and 1 in the others, (n, 1, L)."""
    generator = torch.Generator().manual_seed(seed)
    size = torch.where(torch.arange(n) % 2 == 0, 0.02, 1.0)[:, None, None].double()
    steps = torch.randn(n, 1, L, generator=generator, dtype=torch.float64)
    return 3.0 + (size * steps).cumsum(-1)


def resting(n: int = 4000, seed: int = 0) -> Tensor:
    """Walks with two decimals that rest three steps in ten, (n, 1, L)."""
    generator = torch.Generator().manual_seed(seed)
    moves = torch.rand(n, 1, L, generator=generator) > 0.3
    steps = torch.randn(n, 1, L, generator=generator, dtype=torch.float64)
    return (moves * steps).cumsum(-1).round(decimals=2)


def details(fitted: GaussianisePreprocessor, x: Tensor) -> Tensor:
    """u of series, (B, C, L)."""
    basis = fitted._basis(x)
    return basis.analyse(fitted.transform(x)) / fitted.amplitude_


def test_details_of_every_scale_are_normal_scores() -> None:
    """Excess kurtosis 3 σ⁴-mixture: (1 + 0.02⁴)/2 · 3/((1 + 0.02²)/2)² − 3 = 3 before, 0 after."""
    x = calm_and_lively()
    fitted = GaussianisePreprocessor().fit(x)
    bands = fitted._basis(x).bands
    plain = fitted._basis(x).analyse(x)
    scores = details(fitted, x)
    for band in range(1, int(bands.max()) + 1):
        before, after = (c[..., bands == band].flatten() for c in (plain, scores))
        kurtosis = [float(((c - c.mean()) / c.std()).pow(4).mean()) for c in (before, after)]
        assert kurtosis[0] > 5 and abs(kurtosis[1] - 3) < 0.1, (band, kurtosis)
        assert abs(float(after.mean())) < 0.01 and abs(float(after.std()) - 1) < 0.02


def test_an_error_in_z_is_as_small_as_the_details_are() -> None:
    """The same fuzz on z moves the steps of lively windows, and those of calm ones fifty times less."""
    x = calm_and_lively()
    fitted = GaussianisePreprocessor().fit(x)
    z = fitted.transform(x)
    noise = 0.05 * torch.randn(z.shape, generator=torch.Generator().manual_seed(1), dtype=z.dtype)
    off = (fitted.inverse_transform(z + noise) - x).diff(dim=-1).abs().mean((1, 2))
    calm, lively = float(off[0::2].median()), float(off[1::2].median())
    assert calm < 0.1 * lively
    plain = Registry.get("preprocessing", "multi_scale", scales=[1, 2, 4, 12, 24]).fit(x)
    w = plain.transform(x)
    off = (plain.inverse_transform(w + noise) - x).diff(dim=-1).abs().mean((1, 2))
    assert float(off[0::2].median()) > 0.9 * float(off[1::2].median())


def test_rests_are_exact_and_as_frequent_as_in_the_data() -> None:
    """Normal scores drawn afresh: 3 of 10 steps inside a pair are 0, without a tolerance."""
    x = resting()
    fitted = GaussianisePreprocessor(basis=Registry.get("preprocessing", "multi_scale", scales=[2])).fit(x)
    generator = torch.Generator().manual_seed(2)
    u = torch.randn(x.shape, generator=generator, dtype=torch.float64)
    samples = fitted.inverse_transform(fitted._basis(x).synthesise(u * fitted.amplitude_))
    still = (samples.diff(dim=-1)[..., 0::2].abs() < 1e-12).double().mean()
    real = (x.diff(dim=-1)[..., 0::2] == 0).double().mean()
    assert abs(float(still - real)) < 0.01
    rested = fitted.inverse_transform(fitted.transform(x) + 1e-3 * torch.randn(x.shape, generator=generator))
    in_pairs = x.diff(dim=-1)[..., 0::2] == 0
    assert float((rested.diff(dim=-1)[..., 0::2][in_pairs].abs() < 1e-12).double().mean()) > 0.99


@pytest.mark.parametrize("strength", [0.0, 0.5, 1.0])
def test_strength_says_how_much_of_the_spectrum_is_left(strength: float) -> None:
    x = calm_and_lively()
    fitted = GaussianisePreprocessor(strength=strength).fit(x)
    basis = fitted._basis(x)
    spread = basis.analyse(x - x.mean()).square().mean((0, 1)).sqrt()
    level, finest = 0, -1
    assert float(spread[level] / spread[finest]) > 5
    found = float(fitted.amplitude_[0, level] / fitted.amplitude_[0, finest])
    bands = basis.bands
    sizes = [float(basis.analyse(x)[..., bands == bands[k]].std(correction=0)) for k in (level, finest)]
    assert math.isclose(found, (sizes[0] / sizes[1]) ** strength, rel_tol=1e-9)
    assert math.isclose(float(fitted.amplitude_.square().mean()), 1.0, rel_tol=1e-9)


def test_what_it_refuses() -> None:
    with pytest.raises(ConfigError, match="'raw' is no orthonormal basis: use multi_scale, wavelet"):
        GaussianisePreprocessor(basis=Registry.get("preprocessing", "raw"))
    fitted = GaussianisePreprocessor().fit(calm_and_lively(100))
    with pytest.raises(DataError, match="the windows have 12 steps; the maps were fitted to 24"):
        fitted.transform(calm_and_lively(4)[..., :12])
