"""Wavelets against PyWavelets, and what they promise at the ends of a window of any length."""

from __future__ import annotations

import numpy as np
import pytest
import pywt
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from undula.components.preprocessing._filter_banks import Bounded
from undula.components.preprocessing.wavelet import WaveletPreprocessor, _bank
from undula.core.condition import Condition
from undula.core.errors import ConfigError, DataError, IncompatibleError


def bands(wavelet: str, level: int, boundary: str, x: Tensor) -> list[Tensor]:
    """Coefficients of x (L,) by band, the approximation first."""
    bank = _bank(wavelet, level, boundary, len(x))
    return list(bank.analyse(x[None, None])[0, 0].split(bank.sizes))


def white(length: int, seed: int = 0) -> Tensor:
    return torch.randn(length, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(wavelet: str, level: int, boundary: str, length: int) -> Tensor:
    units = torch.eye(length, dtype=torch.float64)[None]
    return _bank(wavelet, level, boundary, length).fast(units)[0].mT


@pytest.mark.filterwarnings("ignore:Level value")  # the filter is as long as the window
@pytest.mark.parametrize(
    ("wavelet", "level", "length"),
    [("haar", 3, 8), ("db4", 1, 8), ("db2", 2, 12), ("db4", 3, 64), ("sym5", 1, 30), ("coif2", 1, 40)],
)
def test_periodic_is_pywavelets_periodization(wavelet: str, level: int, length: int) -> None:
    x = white(length)
    expected = pywt.wavedec(x.numpy(), wavelet, mode="periodization", level=level)
    for found, oracle in zip(bands(wavelet, level, "periodic", x), expected, strict=True):
        np.testing.assert_allclose(found, oracle, atol=1e-10)


@pytest.mark.parametrize(
    ("wavelet", "level", "length"),
    [("haar", 3, 37), ("db2", 3, 90), ("db3", 2, 61), ("db4", 3, 101), ("sym6", 2, 120), ("coif1", 3, 100)],
)
def test_inner_coefficients_are_pywavelets(wavelet: str, level: int, length: int) -> None:
    x = white(length)
    approximation, *details = pywt.wavedec(x.numpy(), wavelet, mode="zero", level=level)
    bank = _bank(wavelet, level, "orthogonal", length)
    found = bands(wavelet, level, "orthogonal", x)
    last = bank.levels[-1]
    for i, (step, oracle) in enumerate(zip(bank.levels[::-1], details, strict=True)):
        assert isinstance(step, Bounded)
        inner = found[1 + i][len(step.left[1]) :][: step.count]
        np.testing.assert_allclose(inner, oracle[step.first :][: step.count], atol=1e-10)
    inner = found[0][len(last.left[0]) :][: last.count]
    np.testing.assert_allclose(inner, approximation[last.first :][: last.count], atol=1e-10)


@given(
    st.sampled_from(["haar", "db2", "db4", "db9", "sym7", "coif3"]), st.integers(1, 4), st.integers(16, 90)
)
def test_orthonormal_and_blind_to_constants_at_any_length(wavelet: str, level: int, length: int) -> None:
    rows = matrix(wavelet, level, "orthogonal", length)
    assert torch.allclose(rows @ rows.mT, torch.eye(length, dtype=torch.float64), atol=1e-10)
    details = rows[_bank(wavelet, level, "orthogonal", length).bands > 0]
    assert float((details @ torch.ones(length, dtype=torch.float64)).abs().max()) < 1e-9


@pytest.mark.parametrize("length", [21, 50, 128, 131])
def test_a_trend_leaves_no_trace_in_details_unless_it_wraps_round(length: int) -> None:
    trend = torch.linspace(-1, 1, length, dtype=torch.float64)
    for band in bands("db4", 3, "orthogonal", trend)[1:]:
        assert float(band.abs().max()) < 1e-12
    if length % 8 == 0:
        assert float(bands("db4", 3, "periodic", trend)[3].abs().max()) > 0.3


def test_the_reference_config_makes_its_three_levels_of_21_steps() -> None:
    assert _bank("db4", 3, "orthogonal", 21).sizes == [3, 3, 5, 10]
    assert float(matrix("db4", 3, "orthogonal", 21).abs().max()) < 1.0


@pytest.mark.parametrize("boundary", ["orthogonal", "periodic"])
def test_long_windows_take_the_filters_and_invert(boundary: str) -> None:
    x = white(2 * 1000).reshape(2, 1, 1000)
    bank = _bank("db4", 3, boundary, 1000)
    assert torch.equal(bank.analyse(x), bank.fast(x))
    assert torch.allclose(bank.synthesise(bank.analyse(x)), x, atol=1e-12)
    assert torch.allclose(bank.analyse(x).square().sum(-1), x.square().sum(-1))
    whole = bank.fast(torch.eye(1000, dtype=torch.float64)[None])[0]
    assert torch.allclose(x[:, 0] @ whole, bank.analyse(x)[:, 0], atol=1e-12)


def test_coordinates_tell_level_and_place() -> None:
    bank = _bank("db4", 3, "orthogonal", 96)
    energy = matrix("db4", 3, "orthogonal", 96).square()
    centre = energy @ ((torch.arange(96, dtype=torch.float64) + 0.5) / 96)
    level, place = bank.coordinates
    assert level.unique().tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1])
    for band, error in enumerate((0.2, 0.08, 0.04, 0.04)):  # Daubechies' filters lean to one side
        assert float((0.5 + 0.5 * place - centre)[bank.bands == band].abs().max()) < error


def test_each_band_has_its_own_scale() -> None:
    walks = torch.randn(400, 1, 64, dtype=torch.float64).cumsum(-1)
    z = (fitted := WaveletPreprocessor().fit(walks)).transform(walks)
    number = fitted.basis(64).bands
    for band in range(4):
        assert float(z[..., number == band].square().mean()) == pytest.approx(1.0, abs=0.01)
    assert fitted.scale_[0, number == 0][0] > 20 * fitted.scale_[0, number == 3][0]


def test_a_steady_covariate_keeps_its_size_and_leaves_no_trace_in_details() -> None:
    x = torch.randn(8, 1, 64)
    fitted = WaveletPreprocessor(level=2).fit(x)
    steady = Condition(aligned={"covariates": torch.full((8, 1, 64), 0.7)})
    told = fitted.condition(steady, x).aligned["covariates"]
    coarse = fitted.basis(64).bands == 0
    assert told[0, 0, coarse][3:-3].numpy() == pytest.approx(0.7, rel=0.05)
    assert float(told[0, 0, ~coarse].abs().max()) < 1e-6


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bior2.2", "not orthogonal"),
        ("dmey", "not orthogonal"),
        ("morl", "not orthogonal"),
        ("db44", "did you mean"),
    ],
)
def test_other_wavelets_are_refused(name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        WaveletPreprocessor(wavelet=name)


def test_lengths_that_do_not_go_are_refused() -> None:
    with pytest.raises(IncompatibleError, match=r"multiple of 8.*boundary: orthogonal"):
        WaveletPreprocessor(boundary="periodic").fit(torch.randn(5, 1, 21))
    with pytest.raises(IncompatibleError, match="use level: 2 or less"):
        WaveletPreprocessor().fit(torch.randn(5, 1, 4))
    fitted = WaveletPreprocessor().fit(torch.randn(5, 1, 21))
    with pytest.raises(DataError, match=r"24 steps.*fitted to 21"):
        fitted.transform(torch.randn(5, 1, 24))
    with pytest.raises(DataError, match="at least 2 training windows"):
        WaveletPreprocessor().fit(torch.randn(1, 1, 21))
