"""Paired differences: known answers, coverage, corrections, winners."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from undula.core.errors import DataError
from undula.evaluation.comparing import compare_results
from undula.evaluation.paired import Difference, holm, paired_difference, spread, winner
from undula.report.comparison_words import verdict


def by_seed(*values: float) -> dict[int, float]:
    return dict(enumerate(values))


def test_the_interval_is_scipys() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=7), rng.normal(size=7) + 0.3
    oracle = stats.ttest_rel(a, b)
    for confidence in (0.9, 0.95):
        found = paired_difference(by_seed(*a), by_seed(*b), confidence)
        interval = oracle.confidence_interval(confidence)
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-12)
    assert found.p == pytest.approx(oracle.pvalue, rel=1e-10)
    assert found.n == 7


def test_an_answer_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, error 1/√3, t_2 = 4.3027."""
    found = paired_difference(by_seed(2, 4, 6), by_seed(1, 2, 3))
    assert found.mean == 2
    assert found.high - 2 == pytest.approx(4.302653 / math.sqrt(3), rel=1e-6)
    assert found.sign == 0 and paired_difference(by_seed(2.9, 4, 5.1), by_seed(1, 2, 3)).sign == 1


def test_only_shared_finite_seeds_count() -> None:
    a, b = {0: 1.0, 1: 2.0, 2: math.nan, 5: 9.0}, {1: 1.0, 2: 0.0, 5: 7.0, 6: 3.0}
    found = paired_difference(a, b)
    assert (found.n, found.mean) == (2, 1.5)
    one = paired_difference({1: 2.0}, {1: 1.0, 2: 5.0})
    assert (one.n, one.mean, one.sign) == (1, 1.0, 0)
    assert math.isnan(one.low) and math.isnan(one.p)
    none = paired_difference({1: 2.0}, {2: 1.0})
    assert none.n == 0 and math.isnan(none.mean) and none.sign == 0


def test_equal_runs_are_not_told_apart() -> None:
    same = paired_difference(by_seed(1, 2, 3), by_seed(1, 2, 3))
    assert (same.low, same.high, same.sign, same.p) == (0, 0, 0, 1)
    shifted = paired_difference(by_seed(2, 3, 4), by_seed(1, 2, 3))
    assert (shifted.sign, shifted.p) == (1, 0)


@pytest.mark.parametrize("n", [2, 3, 6])
def test_intervals_cover_as_often_as_they_say(n: int) -> None:
    """Seeds move both configs alike; 95 % of the intervals hold the true difference."""
    rng = np.random.default_rng(n)
    covered, draws, truth = 0, 2000, 0.4
    for _ in range(draws):
        common = 10 * rng.normal(size=n)
        found = paired_difference(
            by_seed(*(common + rng.normal(size=n) + truth)), by_seed(*(common + rng.normal(size=n)))
        )
        covered += found.low <= truth <= found.high
    assert covered / draws == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / draws))


def test_holm_is_statsmodels() -> None:
    p = [0.01, 0.2, 0.004, 0.03, 0.03, 0.9]
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)
    with_gap = holm([*p[:3], math.nan, *p[3:]])
    assert with_gap[:3] + with_gap[4:] == holm(p) and math.isnan(with_gap[3])


def test_spread_has_n_minus_one() -> None:
    assert spread([1.0, 2.0, 3.0, math.nan]) == (2.0, 1.0)
    assert spread([4.0])[0] == 4.0 and math.isnan(spread([4.0])[1])


def test_a_winner_beats_everyone() -> None:
    clear, unclear = Difference(3, -1, -2, -0.5, 0.01), Difference(3, -1, -2, 0.5, 0.2)
    labels = ["a", "b", "c"]
    assert winner(labels, {("a", "b"): clear, ("a", "c"): clear, ("b", "c"): unclear}, "lower") == "a"
    assert winner(labels, {("a", "b"): clear, ("a", "c"): unclear, ("b", "c"): clear}, "lower") is None
    assert winner(labels, {("a", "b"): clear, ("a", "c"): clear, ("b", "c"): clear}, "higher") == "c"


# -- results of runs -------------------------------------------------------------------------------


def results(value: float, floor: float = 1.0, **more: Any) -> dict[str, Any]:
    entry = {"value": value, "sd": 0.1, "floor": floor, "floors": {"sampling": floor}, "baselines": {"gaussian": 2 * value},
             "better": "lower", "statistic": {"generated": value + 5, "held_out": 5.0, "low": 4.0, "high": 6.0}}  # fmt: skip
    return {"metrics": {"std": entry, **more}, "data": {"windows": {"train": 10, "test": 5}}}


def test_results_side_by_side() -> None:
    found = {("a", s): results(1 + 0.01 * s) for s in range(3)} | {
        ("b", s): results(2 + 0.02 * s) for s in range(3)
    }
    compared = compare_results(found, ["a", "b", "never finished"])
    assert (compared.labels, compared.seeds, compared.intervals) == (["a", "b"], [0, 1, 2], 1)
    (figure,) = compared.figures
    assert figure.means == pytest.approx({"a": 1.01, "b": 2.02})
    assert figure.sds == pytest.approx({"a": 0.01, "b": 0.02})
    assert figure.sampling_sds == pytest.approx({"a": 0.1, "b": 0.1})
    assert figure.baselines["gaussian"] == pytest.approx(2 * (1.01 + 2.02) / 2)
    assert figure.generated["b"] == pytest.approx(7.02)
    assert figure.held_out == {"held_out": 5.0, "low": 4.0, "high": 6.0}
    assert (figure.winner, figure.holds, figure.at_the_floor) == ("a", True, False)
    assert figure.pairs[0].difference.mean == pytest.approx(-1.01)
    plain = compared.as_json()
    assert plain["expected_by_chance"] == pytest.approx(0.05)
    assert plain["figures"]["std"]["pairs"][0]["difference"]["n"] == 3


def test_a_winner_by_next_to_nothing_is_called_so() -> None:
    for step, words in ((1e-5, "a; by less than 1% of the floor"), (0.2, "a")):
        found = {
            (label, s): results(5 + step * (label == "b") + 1e-3 * s) for label in "ab" for s in range(3)
        }
        (figure,) = compare_results(found, ["a", "b"]).figures
        assert verdict(figure) == words


def test_one_seed_claims_nothing() -> None:
    compared = compare_results({("a", 0): results(1), ("b", 0): results(9)}, ["a", "b"])
    assert compared.intervals == 0 and compared.figures[0].winner is None


def test_correction_is_over_the_whole_comparison() -> None:
    """A figure that barely excludes zero does not hold once many are looked at."""
    rng = np.random.default_rng(0)

    def run(label: str, seed: int) -> dict[str, Any]:
        other = {f"m{i}": {"value": float(rng.normal()), "better": "lower"} for i in range(20)}
        return results({"a": 0.0, "b": 1.0}[label] + [0, 0.35, -0.35][seed] * (label == "a"), **other)

    found = {(label, s): run(label, s) for label in "ab" for s in range(3)}
    figure = compare_results(found, ["a", "b"]).figures[0]
    assert figure.winner == "a" and not figure.holds
    assert figure.pairs[0].difference.p < 0.05 < figure.pairs[0].holm


def test_a_figure_that_only_one_config_has() -> None:
    found = {("a", 0): results(1, own={"value": 3.0, "better": "higher"}), ("b", 0): results(2)}
    figure = compare_results(found, ["a", "b"]).figures[1]
    assert figure.values == {"a": {0: 3.0}} and not figure.pairs and math.isnan(figure.floor)


@pytest.mark.parametrize("what", ["floor", "windows"])
def test_other_data_are_noticed(what: str) -> None:
    other = results(1, floor=1.001 if what == "floor" else 1.0)
    if what == "windows":
        other["data"]["windows"]["test"] = 6
    with pytest.raises(
        DataError, match=rf"a \(seed 0\) and b \(seed 0\) were judged by different data \({what}"
    ):
        compare_results({("a", 0): results(1), ("b", 0): other}, ["a", "b"])


def test_a_trained_judge_has_a_floor_for_each_seed() -> None:
    """Its split and its start are the seed's; at one seed two runs have the same."""

    def judged(value: float, floor: float) -> dict[str, Any]:
        entry = results(value, floor=1.0)
        return {
            **entry,
            "metrics": {**entry["metrics"], "boosting": {"value": 0.7, "floor": floor, "better": "lower"}},
        }

    found = {(label, seed): judged(1 + seed, 0.5 + 0.01 * seed) for label in "ab" for seed in (0, 1)}
    assert compare_results(found, ["a", "b"]).figures
    with pytest.raises(DataError, match=r"a \(seed 1\) and b \(seed 1\).*floor of boosting"):
        compare_results({**found, ("b", 1): judged(2, 0.6)}, ["a", "b"])


def test_the_fields_words_come_along() -> None:
    found = {(label, 0): results(1) for label in "ab"}
    for entry in found.values():
        entry["metrics"]["twin"] = {**next(iter(entry["metrics"].values())), "words": "its name (share)"}
    figures = compare_results(found, ["a", "b"]).figures
    assert [figure.words for figure in figures] == [*[""] * (len(figures) - 1), "its name (share)"]
