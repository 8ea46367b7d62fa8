"""Scores of samples against closed forms and definitions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from undula.core.errors import DataError
from undula.evaluation.joint import energy_score, joint_coverage
from undula.evaluation.probabilistic import (
    binomial_interval,
    coverage,
    crps,
    pinball,
    pit,
    spread_skill,
    weighted_quantile_loss,
)


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


def test_pinball_is_least_at_the_quantile() -> None:
    assert pinball(np.array([1.0, 1.0]), np.array([3.0, 0.0]), 0.9) == pytest.approx([1.8, 0.1])
    y = np.random.default_rng(0).normal(size=100_000)
    places = np.linspace(0.5, 2.0, 61)
    losses = [pinball(np.full_like(y, q), y, 0.9).mean() for q in places]
    assert places[int(np.argmin(losses))] == pytest.approx(stats.norm.ppf(0.9), abs=0.04)


def test_the_integral_of_pinball_losses_is_the_crps() -> None:
    rng = np.random.default_rng(0)
    samples, y = rng.normal(3.0, 1.0, size=(2000, 50)), rng.normal(3.0, 1.0, size=50)
    levels = (np.arange(400) + 0.5) / 400
    loss = weighted_quantile_loss(samples, y, levels)
    assert loss == pytest.approx(crps(samples, y).sum() / np.abs(y).sum(), rel=0.01), "CRPS = 2 ∫ pinball dτ"


def test_the_weighted_quantile_loss_is_that_of_gluonts() -> None:
    samples = np.arange(11.0)[:, None] * [1.0, 10.0]  # the quantile at .1 k is k
    y = np.array([4.0, -20.0])
    by_hand = 0.0
    for k in range(1, 10):
        by_hand += sum(
            2 * abs((truth - q) * ((truth <= q) - k / 10)) for truth, q in zip(y, (k, 10 * k), strict=True)
        )
    assert weighted_quantile_loss(samples, y) == pytest.approx(by_hand / 9 / 24)
    with_hole = weighted_quantile_loss(np.c_[samples, samples[:, :1]], np.r_[y, np.nan])
    assert with_hole == pytest.approx(by_hand / 9 / 24)
    with pytest.raises(DataError, match="0 throughout: use the crps"):
        weighted_quantile_loss(samples, np.zeros(2))


def test_pit_is_uniform_for_a_calibrated_answer_also_of_counts() -> None:
    rng = np.random.default_rng(1)
    for draw in (rng.normal, lambda size: rng.poisson(0.7, size).astype(float)):
        u = pit(draw(size=(9, 20_000)), draw(size=20_000))
        assert stats.kstest(u, "uniform").pvalue > 0.01
    wide = pit(3 * rng.normal(size=(99, 5000)), rng.normal(size=5000))
    assert wide.std() < 0.15, "an answer that is too wide has its truths in the middle"
    assert np.isnan(pit(np.zeros((3, 1)), np.array([np.nan]))).all()


def test_spread_is_skill_for_a_calibrated_answer() -> None:
    rng = np.random.default_rng(0)
    centre = rng.normal(size=200_000)
    samples, y = centre + rng.normal(size=(4, 200_000)), centre + rng.normal(size=200_000)
    spread, skill = spread_skill(samples, y)
    assert spread == pytest.approx(np.sqrt(5 / 4), rel=0.01) and skill == pytest.approx(spread, rel=0.01)


def test_wilsons_interval() -> None:
    assert binomial_interval(90, 100) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    low, high = binomial_interval(0, 20)
    assert low == 0.0 and high == pytest.approx(0.1611, abs=1e-4)
    with pytest.raises(DataError, match="5 out of 4 is not a share"):
        binomial_interval(5, 4)


def test_energy_score_is_its_definition_and_the_crps_of_one_number() -> None:
    rng = np.random.default_rng(0)
    samples, y = rng.normal(size=(9, 4, 3, 2)), rng.normal(size=(4, 3, 2))
    gaps = np.sqrt(((samples[:, None] - samples[None]) ** 2).sum((3, 4)))
    first = np.sqrt(((samples - y) ** 2).sum((2, 3))).mean(0)
    assert energy_score(samples, y, fair=False) == pytest.approx(first - 0.5 * gaps.mean((0, 1)))
    assert energy_score(samples, y) == pytest.approx(first - 0.5 * gaps.sum((0, 1)) / (9 * 8))
    one = samples[:, :, :1, 0], y[:, :1, 0]
    assert energy_score(*one) == pytest.approx(crps(*one)[:, 0])


def test_the_energy_score_sees_dependence_that_the_crps_does_not() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(1000, 6)).cumsum(1)
    paths = rng.normal(size=(60, 1000, 6)).cumsum(2)
    shuffled = rng.permuted(paths, axis=0)  # the same numbers at each step, no paths
    assert crps(shuffled, y) == pytest.approx(crps(paths, y))
    assert energy_score(shuffled, y).mean() > 1.02 * energy_score(paths, y).mean()


def test_joint_coverage_is_the_level_for_a_calibrated_answer() -> None:
    rng = np.random.default_rng(0)

    def draw(*size: int) -> np.ndarray:
        """Walks in two columns of different units."""
        return rng.normal(size=(*size, 5, 2)).cumsum(-2) * [1.0, 1000.0]

    samples, y = draw(100, 1500), draw(1500)
    for level in (0.5, 0.9):
        low, high = binomial_interval(round(level * 1500), 1500, 0.99)
        assert low < joint_coverage(samples, y, level) < high
    assert joint_coverage(0.5 * samples, y) < 0.6 and joint_coverage(3 * samples, y) > 0.99
    shuffled = rng.permuted(samples, axis=0)
    assert joint_coverage(shuffled, y) < 0.88, "each number's coverage is right, the paths' is not"


def test_joint_coverage_is_fair_to_few_samples() -> None:
    rng = np.random.default_rng(0)
    samples, y = rng.normal(size=(19, 3000, 40)), rng.normal(size=(3000, 40))
    assert joint_coverage(2.0 + samples, 2.0 + y, 0.5) == pytest.approx(0.5, abs=0.03)


def test_what_all_samples_agree_on_has_to_happen() -> None:
    rng = np.random.default_rng(0)
    samples = np.stack([rng.normal(size=(50, 200)), np.full((50, 200), 7.0)], axis=2)
    right = np.stack([rng.normal(size=200), np.full(200, 7.0)], axis=1)
    assert joint_coverage(samples, right) > 0.8
    assert joint_coverage(samples, right + np.array([0.0, 0.1])) == 0.0
