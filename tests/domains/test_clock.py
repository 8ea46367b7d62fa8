"""Daily and weekly profiles against answers by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from undula.domains.energy import ENERGY, ENERGY_DISTANCES, ENERGY_WORDS, daily_profile, energy_figures
from undula.domains.energy.clock import Stamped, clock_figures, clock_profiles, profile_by_step, why_not
from undula.domains.energy.profiles import hours_of_week
from undula.evaluation.blocks import RealWindows

STAMPS = pd.date_range("2021-03-01", periods=24 * 28, freq="h").to_numpy()  # a Monday
HOUR, DAY = np.tile(np.arange(24.0), 28), np.repeat(np.arange(28) % 7, 24)
RNG = np.random.default_rng(0)


def stamped(
    series: np.ndarray, times: np.ndarray | None = STAMPS, length: int = 30, stride: int = 7
) -> Stamped:
    """Windows that begin at every seventh hour, whatever the clock says."""
    starts = np.arange(0, len(series) - length + 1, stride)
    rows = starts[:, None] + np.arange(length)
    series = series if series.ndim == 2 else series[:, None]
    return Stamped(RealWindows(series[rows], starts), None if times is None else times[rows])


def test_hours_of_the_week() -> None:
    assert hours_of_week(STAMPS[:168]).tolist() == list(range(168))
    sunday = np.array(["1969-12-28T23:59", "1970-01-01T00:30"], "datetime64[s]")
    assert hours_of_week(sunday).tolist() == [167, 72]


def test_the_gap_of_a_series_with_a_known_profile() -> None:
    """A sine of the hour with amplitude 3 more: √(9/2); a weekend lower by 7 on two of seven days."""
    wave = np.sin(2 * np.pi * HOUR / 24)
    real, made = stamped(100 + wave), stamped(100 + 4 * wave)
    found = clock_figures(real, made, None, ["load"], "train = test")
    assert found["daily_profile"].value == pytest.approx(3 / np.sqrt(2))
    assert found["weekly_profile"].value == pytest.approx(3 / np.sqrt(2))
    assert (
        found["daily_profile"].words
        == "daily profile: root mean square gap over 24 hours, in the data's unit"
    )
    assert found["daily_profile"].floors["sampling"] == pytest.approx(0, abs=1e-9)
    lower = clock_figures(
        stamped(100 + wave), stamped(100 + wave - 7 * (DAY >= 5)), None, ["load"], "held-out"
    )
    assert lower["weekly_profile"].value == pytest.approx(7 * np.sqrt(2 / 7))
    assert lower["daily_profile"].value < lower["weekly_profile"].value


def test_columns_are_averaged_in_training_sd_and_the_shift_is_a_floor() -> None:
    table = np.stack([RNG.normal(0, 1, 672), RNG.normal(0, 50, 672)], axis=1)
    moved = table + np.array([2.0, 100.0])
    found = clock_figures(stamped(table), stamped(moved), stamped(moved), ["a", "b"], "held-out")
    sd = stamped(moved).real.windows.std((0, 1))
    assert found["daily_profile"].value == pytest.approx(np.mean([2.0, 100.0] / sd))
    assert found["daily_profile"].floors["shift"] == pytest.approx(found["daily_profile"].value)
    assert found["daily_profile"].baselines == {} and "training sd" in found["daily_profile"].words


def test_hours_that_one_set_has_not_do_not_count() -> None:
    times = STAMPS[:48].reshape(2, 24)
    real = Stamped(RealWindows(np.zeros((2, 24, 1)), np.array([0, 24])), times)
    half = Stamped(RealWindows(np.full((2, 12, 1), 5.0), np.array([0, 24])), times[:, :12])
    assert clock_figures(real, half, None, ["x"], "held-out")["daily_profile"].value == pytest.approx(5.0)


def test_why_there_are_no_profiles() -> None:
    series = RNG.normal(size=672)
    assert why_not({"REAL": stamped(series), "SYNTHETIC": stamped(series)}) is None
    assert "SYNTHETIC has no time stamps" in str(
        why_not({"REAL": stamped(series), "SYNTHETIC": stamped(series, None)})
    )
    days = pd.date_range("2021-01-01", periods=672).to_numpy()
    assert "1 hour of the day in common" in str(
        why_not({"REAL": stamped(series), "SYNTHETIC": stamped(series, days)})
    )


def test_courses_are_those_of_the_profiles() -> None:
    series = RNG.normal(size=672) + HOUR
    daily, weekly = clock_profiles(["x"], {"real": stamped(series, length=24, stride=24)})
    assert np.allclose(daily.sets["real"][0, :, 0], daily_profile(series, STAMPS))
    assert weekly.sets["real"].shape == (3, 168, 1)
    mean, low, high = daily.sets["real"][:, :, 0]
    assert (low < mean).all() and (mean < high).all()
    steps = profile_by_step(["x"], {"real": series.reshape(28, 24, 1)})
    assert np.allclose(steps.sets["real"][0, :, 0], daily.sets["real"][0, :, 0])


def test_every_figure_of_energy_has_words() -> None:
    assert set(ENERGY_WORDS) == {*ENERGY, *ENERGY_DISTANCES}
    found = energy_figures(["load", "temp"])
    assert found.columns == (0, 1) and found.known_as(2) == {"wasserstein": "load_duration"}
