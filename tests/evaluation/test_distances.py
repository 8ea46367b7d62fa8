"""Distances of windows against closed forms, scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from undula.evaluation.distances import (
    WINDOW_DISTANCES,
    correlational_scores,
    cross_correlations,
    energy_distance,
    mmd,
    power_spectrum,
)
from undula.evaluation.pairs import Pair
from undula.evaluation.statistics import DISTANCES


def test_energy_distance_is_scipys() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=300), rng.normal(0.7, 2.0, size=200)
    assert energy_distance(x[:, None], y[:, None]) == pytest.approx(stats.energy_distance(x, y), rel=1e-9)


def test_energy_distance_has_the_unit_of_one_number() -> None:
    """Repeating a coordinate d times changes nothing."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(100, 1)), rng.normal(1.0, 1.0, size=(80, 1))
    assert energy_distance(x.repeat(9, 1), y.repeat(9, 1)) == pytest.approx(energy_distance(x, y))


@pytest.mark.parametrize(("shift", "bandwidth"), [(1.0, 1.0), (0.5, 0.3), (2.0, 3.0)])
def test_mmd_of_two_gaussians(shift: float, bandwidth: float) -> None:
    """With k(u) = exp(−u²/2h²), E k(X + a, X') = h/√(h² + 2) exp(−a²/2(h² + 2)) for unit Gaussians."""
    x = stats.norm.ppf((np.arange(1500) + 0.5) / 1500)
    h2 = bandwidth**2
    squared = 2 * np.sqrt(h2 / (h2 + 2)) * (1 - np.exp(-(shift**2) / (2 * (h2 + 2))))
    assert mmd(x, x + shift, bandwidth) == pytest.approx(np.sqrt(squared), rel=5e-3)


@pytest.mark.parametrize("outlier", [0.0, 40.0, 5_000.0])
@pytest.mark.parametrize("bandwidth", [0.2, 1.0])
def test_mmd_is_its_definition(outlier: float, bandwidth: float) -> None:
    """Means of the kernel over pairs, whatever the range: far values are summed up otherwise."""
    rng = np.random.default_rng(0)
    x, y = np.append(rng.normal(size=150), outlier), rng.normal(0.3, 1.1, size=90)
    xx, yy, xy = (np.exp(-((a[:, None] - b) ** 2) / (2 * bandwidth**2)) for a, b in ((x, x), (y, y), (x, y)))
    squared = xx.mean() + yy.mean() - 2 * xy.mean()
    assert mmd(x, y, bandwidth) == pytest.approx(np.sqrt(squared), rel=1e-9)


def test_mmd_of_equal_sets_is_zero() -> None:
    x = np.random.default_rng(0).normal(size=400)
    assert mmd(x, x, 1.0) == 0.0
    assert mmd(np.zeros(5), np.zeros(3), 1.0) == pytest.approx(0.0, abs=1e-12)
    assert mmd(np.zeros(5), np.full(3, 100.0), 1.0) == pytest.approx(np.sqrt(2.0))


def test_sliced_wasserstein_of_a_shift() -> None:
    """Every projection is moved by θ·c; for c along one axis the mean of |θ₁| on the sphere is known."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=(500, 8, 1))
    b = a.copy()
    b[:, 3] += 5.0
    d = 8
    mean_of_a_coordinate = np.exp(
        np.log(1 / np.sqrt(np.pi)) + np.log(1.0) + _log_gamma(d / 2) - _log_gamma((d + 1) / 2)
    )
    value = WINDOW_DISTANCES["sliced_wasserstein"](a, b)
    assert value == pytest.approx(5.0 * mean_of_a_coordinate, rel=0.15)  # 128 directions
    assert WINDOW_DISTANCES["sliced_wasserstein"](a, a) == 0.0


def _log_gamma(x: float) -> float:
    from scipy.special import gammaln

    return float(gammaln(x))


def test_a_constant_of_time_is_in_frequency_zero_alone() -> None:
    windows = np.ones((3, 16, 2))
    spectrum = power_spectrum(windows)
    assert spectrum[0] == pytest.approx(16.0)
    assert spectrum[1:] == pytest.approx(0.0, abs=1e-20)


def test_doubling_is_six_decibels() -> None:
    x = np.random.default_rng(0).normal(size=(50, 32, 3))
    assert WINDOW_DISTANCES["psd"](2.0 * x, x) == pytest.approx(20 * np.log10(2.0))


def test_spectra_do_not_see_where_a_wave_begins() -> None:
    """The spectrum's distance ignores phases, the time domain's does not."""
    rng = np.random.default_rng(0)
    t = np.arange(32)[:, None]
    phases = rng.uniform(0, 2 * np.pi, (200, 1, 1))
    random, fixed = np.sin(2 * np.pi * t / 8 + phases), np.sin(2 * np.pi * t / 8 + 0 * phases)
    assert WINDOW_DISTANCES["sliced_wasserstein_spectrum"](random, fixed) < 1e-6
    assert WINDOW_DISTANCES["sliced_wasserstein"](random, fixed) > 0.05


def test_cross_correlation_finds_the_lag() -> None:
    x = np.random.default_rng(0).normal(size=(2000, 30))
    late = np.roll(x, 2, axis=1)
    found = cross_correlations(np.stack([x, late], 2), 5)
    assert found[2, 0, 1] == pytest.approx(1.0, abs=0.02)  # the second column follows two steps later
    assert np.abs(found[[0, 1, 3, 4], 0, 1]).max() < 0.05
    assert found[0].diagonal() == pytest.approx(1.0)
    gap = WINDOW_DISTANCES["cross_correlation"](np.stack([x, late], 2), np.stack([x, x], 2))
    assert gap == pytest.approx(2.0 / 11, abs=0.05)  # ρ of lags 0 and 2, of eleven lags; one of two pairs


def test_correlational_score_by_hand() -> None:
    """Σ_{i ≥ j} |ρ_ij − ρ'_ij|/10 = |0.8 − 0|/10."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20_000, 10))
    related = np.stack([a, 0.8 * a + 0.6 * b], 2)
    score = correlational_scores([Pair.of(related, np.stack([a, b], 2))], repeats=3)
    assert score.shape == (1, 3)
    assert score.mean() == pytest.approx(0.08, abs=5e-3)


def test_correlations_within_windows_are_told_from_those_between() -> None:
    """The mean correlation is the same, its distribution over windows is not."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 1000, 20))
    sign = rng.choice([-1.0, 1.0], (1000, 1))
    steady, mixed = np.stack([a, b], 2), np.stack([a, sign * a], 2)
    assert WINDOW_DISTANCES["fdds"](mixed, steady) > 5 * WINDOW_DISTANCES["fdds"](steady[::2], steady[1::2])


def test_increments_are_in_their_standard_deviations() -> None:
    x = np.cumsum(np.random.default_rng(0).normal(size=(400, 20)), 1)
    assert DISTANCES["increments"](2.0 * x, x) == pytest.approx(np.sqrt(2 / np.pi), rel=0.03)
    assert DISTANCES["increments"](x + 7.0, x) == pytest.approx(0.0, abs=1e-9)
