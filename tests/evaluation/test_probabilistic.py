"""CRPS and coverage against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from undula.evaluation.probabilistic import coverage, crps


def gaussian_crps(y: np.ndarray, mean: float, sd: float) -> np.ndarray:
    """Gneiting & Raftery (2007), eq. 21."""
    z = (y - mean) / sd
    return sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))


@pytest.mark.parametrize(("mean", "sd"), [(0.0, 1.0), (2.0, 0.3)])
def test_crps_of_a_gaussian(mean: float, sd: float) -> None:
    y = np.array([-1.5, 0.0, 0.4, 3.0])
    quantiles = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000, mean, sd)
    samples = np.repeat(quantiles[:, None], len(y), 1)
    assert crps(samples, y) == pytest.approx(gaussian_crps(y, mean, sd), abs=2e-4)


def test_crps_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    samples, y = rng.normal(size=(9, 4, 3)), rng.normal(size=(4, 3))
    gaps = np.abs(samples[:, None] - samples[None])
    first = np.abs(samples - y).mean(0)
    assert crps(samples, y, fair=False) == pytest.approx(first - 0.5 * gaps.mean((0, 1)))
    assert crps(samples, y) == pytest.approx(first - 0.5 * gaps.sum((0, 1)) / (9 * 8))


def test_fair_crps_does_not_depend_on_the_number_of_samples() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=200_000)
    truth = 1 / np.sqrt(np.pi)  # of N(0, 1) against itself
    few = rng.normal(size=(3, 200_000))
    assert crps(few, y).mean() == pytest.approx(truth, abs=4e-3)
    assert crps(few, y, fair=False).mean() > truth + 0.1


def test_too_wide_answers_cover_and_have_a_worse_crps() -> None:
    rng = np.random.default_rng(0)
    y, samples = rng.normal(size=3000), rng.normal(size=(400, 3000))
    assert coverage(samples, y, 0.9) == pytest.approx(0.9, abs=0.02)
    assert coverage(42 * samples, y, 0.9) == 1.0
    assert crps(42 * samples, y).mean() > 10 * crps(samples, y).mean()
