"""Ramps, peaks, zeros, profiles and load duration of made-up days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from undula.core.errors import DataError
from undula.domains.energy import (
    ENERGY,
    ENERGY_DISTANCES,
    daily_peaks,
    daily_profile,
    load_duration_curve,
    ramps,
    weekly_profile,
    zero_mass,
)
from undula.evaluation.intervals import estimates

RNG = np.random.default_rng(0)
TIMES = pd.date_range("2021-03-01", periods=24 * 28, freq="h").to_numpy()  # a Monday
HOURS = np.tile(np.arange(24.0), 28)
DAYS = RNG.normal(100, 20, (28, 24))


def test_a_ramp_has_its_own_slope_at_every_lag() -> None:
    windows = 3.0 * np.arange(24.0) + RNG.normal(0, 50, (10, 1))
    for lag in (1, 3):
        assert np.allclose(ramps(windows, lag), 3.0 * lag)
        for q in ("1%", "99%"):
            assert np.isclose(ENERGY[f"ramp_{lag}_{q}"](windows), 3.0 * lag)
    assert len(ramps(windows, 24)) == 0 and np.isnan(ENERGY["ramp_3_1%"](windows[:, :3]))
    assert ENERGY["ramp_1_1%"](-windows) == -ENERGY["ramp_1_99%"](windows)


def test_ramps_do_not_cross_windows_or_holes() -> None:
    windows = np.array([[0.0, 1.0, np.nan, 3.0], [100.0, 101.0, 102.0, 103.0]])
    assert ramps(windows).tolist() == [1.0, 1.0, 1.0, 1.0]


def test_zero_mass_is_exact() -> None:
    windows = np.array([[0.0, 1.0, 0.0], [1e-300, -0.0, np.nan]])
    assert zero_mass(windows) == 3 / 5 and ENERGY["zero_mass"](windows) == 3 / 5
    assert np.isnan(zero_mass(np.full((2, 2), np.nan)))


def test_peaks_of_windows() -> None:
    windows = np.array([[1.0, 5.0, 2.0, 4.0], [8.0, 2.0, 3.0, 1.0]])
    expected = {"peak_mean": 6.5, "peak_step": 0.5, "base_mean": 1.0, "peak_95%": 7.85,
                "load_factor": (3 / 5 + 3.5 / 8) / 2}  # fmt: skip
    for name, value in expected.items():
        assert np.isclose(ENERGY[name](windows), value), name
    assert np.isnan(ENERGY["load_factor"](-windows))


def test_profiles_are_means_by_the_clock() -> None:
    days = np.repeat(np.arange(28) % 7, 24)
    values = 10.0 * days + HOURS
    order = RNG.permutation(len(values))
    assert np.allclose(daily_profile(values[order], TIMES[order]), 30.0 + np.arange(24))
    weekly = weekly_profile(values.reshape(28, 24), TIMES.reshape(28, 24))
    assert np.allclose(weekly, 10.0 * np.arange(7)[:, None] + np.arange(24))
    values[5::24] = np.nan
    assert np.flatnonzero(np.isnan(daily_profile(values, TIMES))).tolist() == [5]


def test_daily_peaks_and_their_hours() -> None:
    found = daily_peaks(DAYS, TIMES.reshape(28, 24))
    assert np.array_equal(found.values, DAYS.max(1)) and np.array_equal(found.hours, DAYS.argmax(1))
    assert found.days[0] == np.datetime64("2021-03-01") and len(found.days) == 28


def test_days_with_more_or_fewer_values_do_not_count() -> None:
    values, times = DAYS.ravel().copy(), TIMES
    values[30] = np.nan
    extra = np.append(times, np.datetime64("2021-03-05T12:30"))
    found = daily_peaks(np.append(values, 1e6), extra)
    assert len(found.values) == 26 and found.values.max() < 1e6
    assert np.datetime64("2021-03-02") not in found.days


def test_load_duration() -> None:
    """The curve of 0 … 1 is 1 − share; a constant added is the distance; the area between two scales is known."""
    x = np.linspace(0, 1, 10_001).reshape(1, -1)
    shares = np.array([0.0, 0.1, 0.5, 1.0])
    assert np.allclose(load_duration_curve(x, shares), 1 - shares)
    distance = ENERGY_DISTANCES["load_duration"]
    assert (
        np.isclose(distance(x, x + 3), 3.0)
        and np.isclose(distance(x, 2 * x), 0.5)
        and distance(x, x[:, ::-1]) == 0
    )
    y = RNG.normal(size=(1, 10_001)) ** 2
    grid = (np.arange(10_001) + 0.5) / 10_001
    area = np.abs(load_duration_curve(x, grid) - load_duration_curve(y, grid)).mean()
    assert np.isclose(distance(x, y), area, rtol=1e-2)


def test_distances_of_profiles_and_ramps() -> None:
    shifted = DAYS + np.r_[np.zeros(12), np.full(12, 2.0)]
    assert np.isclose(ENERGY_DISTANCES["profile"](DAYS, shifted), np.sqrt(2.0))
    assert ENERGY_DISTANCES["profile"](DAYS, RNG.permutation(DAYS)) < 1e-12
    assert np.isclose(ENERGY_DISTANCES["ramps"](DAYS, DAYS + 3 * np.arange(24)), 3.0)


def test_intervals_of_all() -> None:
    found = estimates(ENERGY, DAYS, np.arange(28) * 24, draws=50)
    assert set(found) == set(ENERGY)
    assert all(e.low <= e.value <= e.high for name, e in found.items() if name.startswith(("peak_m", "base")))


def test_mistakes() -> None:
    with pytest.raises(DataError, match=r"shape \(28, 24\) have times of shape \(672,\)"):
        daily_profile(DAYS, TIMES)
    overlapping = np.lib.stride_tricks.sliding_window_view(TIMES, 24)[:3]
    with pytest.raises(DataError, match="occurs twice: take windows that do not overlap"):
        daily_peaks(DAYS[:3], overlapping)
