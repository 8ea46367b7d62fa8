"""Frequencies against NumPy's FFT, block means against block means."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from undula.components.preprocessing._orthonormal import Basis
from undula.components.preprocessing.fourier import FourierPreprocessor
from undula.components.preprocessing.multi_scale import MultiScalePreprocessor
from undula.core.condition import Layout
from undula.core.errors import ConfigError


def matrix(basis: Basis) -> torch.Tensor:
    return basis.fast(torch.eye(basis.length, dtype=torch.float64)[None])[0].mT


def is_orthonormal(basis: Basis) -> bool:
    rows = matrix(basis)
    again = basis.fast_back(rows.mT[None])[0]
    unit = torch.eye(basis.length, dtype=torch.float64)
    return torch.allclose(rows @ rows.mT, unit, atol=1e-12) and torch.allclose(again, unit, atol=1e-12)


@pytest.mark.parametrize("length", [1, 2, 3, 8, 21, 601, 1000])
def test_frequencies_are_numpys(length: int) -> None:
    x = torch.randn(3, 2, length, dtype=torch.float64)
    z = FourierPreprocessor().basis(length).analyse(x).numpy()
    expected = np.fft.rfft(x.numpy(), norm="ortho")
    np.testing.assert_allclose(z[..., 0], expected[..., 0].real, atol=1e-12)
    pairs = (length - 1) // 2
    np.testing.assert_allclose(
        z[..., 1 : 2 * pairs : 2], np.sqrt(2) * expected[..., 1 : pairs + 1].real, atol=1e-12
    )
    np.testing.assert_allclose(
        z[..., 2 : 2 * pairs + 1 : 2], np.sqrt(2) * expected[..., 1 : pairs + 1].imag, atol=1e-12
    )
    if length % 2 == 0:
        np.testing.assert_allclose(z[..., -1], expected[..., -1].real, atol=1e-12)


@given(st.integers(1, 60))
def test_frequencies_are_orthonormal_the_mean_and_nyquist_too(length: int) -> None:
    assert is_orthonormal(FourierPreprocessor().basis(length))


def test_cosine_and_sine_share_a_scale_and_every_frequency_has_variance_one() -> None:
    generator = torch.Generator().manual_seed(0)
    phase = 6.283 * torch.rand(4000, 1, 1, generator=generator, dtype=torch.float64)
    n = torch.arange(16, dtype=torch.float64)
    noise = 0.01 * torch.randn(4000, 1, 16, generator=generator, dtype=torch.float64)
    x = 5.0 * torch.cos(6.283185307 * 3 * n / 16 + phase) + noise
    fitted = FourierPreprocessor().fit(x)
    scales = fitted.scale_[0]
    # the amplitude 5 is √2·5·√16/2 in one direction of the plane, half of its square in each
    assert scales[5] == scales[6] == pytest.approx(5.0 * 4 / 2, rel=0.01)
    assert scales[0] == pytest.approx(0.01, rel=0.05) and scales[15] == pytest.approx(0.01, rel=0.05)
    z = fitted.transform(x)
    for k in range(9):
        of_k = z[..., fitted.basis(16).bands == k]
        assert float(of_k.square().mean()) == pytest.approx(1.0, abs=1e-3)


def test_coordinates_tell_frequency_and_phase() -> None:
    height, phase = FourierPreprocessor().basis(8).coordinates
    assert phase.tolist() == [0, -1, 1, -1, 1, -1, 1, 0]
    assert height[0] == -1 and height[7] == 1 and height[1] == height[2] < height[3]


def block_means(x: np.ndarray, sizes: list[int]) -> np.ndarray:
    """Means of blocks of the coarsest size, cut into the next, … down to the last of `sizes`."""
    if not sizes:
        return np.full_like(x, x.mean())
    first, rest = sizes[0], sizes[1:]
    pieces = [x[i : i + first] for i in range(0, len(x), first)]
    return np.concatenate([block_means(piece, rest) for piece in pieces])


@pytest.mark.parametrize(
    ("scales", "length"),
    [
        ([1, 7, 30], 100),
        ([1, 7, 30], 21),
        ([7, 30], 31),
        ([1, 7, 30], 30),
        ([2, 4], 9),
        ([1, 5], 1),
        ([3], 700),
    ],
)
def test_coarse_bands_alone_are_block_means(scales: list[int], length: int) -> None:
    basis = MultiScalePreprocessor(scales).basis(length)
    x = torch.randn(1, 1, length, dtype=torch.float64)
    z = basis.analyse(x)
    used = sorted((s for s in scales if 1 < s < length), reverse=True)
    if max(scales) >= length:
        used = [length, *used]
    for band in range(len(used)):
        coarse = basis.synthesise(torch.where(basis.bands <= band, z, 0.0))[0, 0].numpy()
        np.testing.assert_allclose(coarse, block_means(x[0, 0].numpy(), used[: band + 1]), atol=1e-12)
    np.testing.assert_allclose(basis.synthesise(z), x, atol=1e-12)


def test_coarse_coefficients_come_first_each_scale_in_the_order_of_time() -> None:
    basis = MultiScalePreprocessor([1, 7, 30]).basis(40)
    assert torch.bincount(basis.bands).tolist() == [2, 5, 33] and bool((basis.bands.diff() >= 0).all())
    assert ((basis.coordinates[1, 2:7] + 1) / 2 * 39).tolist() == pytest.approx([7, 14, 21, 28, 37])
    x = torch.arange(40, dtype=torch.float64)[None, None]
    z = basis.analyse(x)[0, 0]
    assert z[:2].tolist() == pytest.approx([30**0.5 * 14.5, 10**0.5 * 34.5])


@given(st.sets(st.integers(2, 40), min_size=1, max_size=4), st.integers(1, 90))
def test_blocks_are_orthonormal_at_any_length(scales: set[int], length: int) -> None:
    assert is_orthonormal(MultiScalePreprocessor(sorted(scales)).basis(length))


def test_each_scale_has_its_own_deviation() -> None:
    walks = torch.randn(300, 1, 60, dtype=torch.float64).cumsum(-1)
    fitted = MultiScalePreprocessor().fit(walks)
    z, number = fitted.transform(walks), fitted.basis(60).bands
    for band in range(3):
        assert float(z[..., number == band].square().mean()) == pytest.approx(1.0, abs=0.01)


def test_a_band_that_does_not_vary_keeps_a_small_scale() -> None:
    weeks = torch.randn(50, 1, 4, 1, dtype=torch.float64).expand(-1, -1, -1, 7).flatten(2)
    fitted = MultiScalePreprocessor([1, 7]).fit(weeks)
    fine = fitted.basis(28).bands == 1
    assert float(fitted.scale_[0, fine].max() / fitted.scale_.max()) == pytest.approx(1e-6)
    assert float(fitted.transform(weeks)[..., fine].abs().max()) < 1e-6


@pytest.mark.parametrize(
    ("scales", "words"), [([1], "longer than 1"), ([7, 1, 30], r"use \[1, 7, 30\]"), ([2, 2], "do not rise")]
)
def test_scales_that_make_no_sense_are_refused(scales: list[int], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        MultiScalePreprocessor(scales)


def test_coordinates_of_two_maps_stand_side_by_side() -> None:
    x = torch.randn(4, 1, 14)
    first, second = MultiScalePreprocessor([1, 7]).fit(x), FourierPreprocessor().fit(x)
    told = second.condition(first.condition(None, x), x).aligned["coordinates"]
    layout = second.layout(first.layout(Layout(channels=1, length=14)))
    assert told.shape == (4, 4, 14) and layout.aligned == {"coordinates": 4}
    assert torch.equal(told[0, 2:].double(), second.basis(14).coordinates.float().double())
