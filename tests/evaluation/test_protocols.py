"""What judge does under its two protocols: floors, groups, figures by column, baselines, repeats."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from undula.evaluation import scores
from undula.evaluation.blocks import RealWindows
from undula.evaluation.figure import Figure, Judgement
from undula.evaluation.judge import Protocol, judge
from undula.evaluation.pairs import Pair
from undula.report.words import columns_table, headline, rows, tally_in_words, verdict

L = 12


def columns(rows: int, seed: int, phi: float = 0.9) -> np.ndarray:
    white = np.random.default_rng(seed).normal(size=(rows, 2))
    return np.stack([lfilter([1], [1, -phi], white[:, 0]), 50 * white[:, 1]], 1)


def windows_of(series: np.ndarray) -> RealWindows:
    view = np.lib.stride_tricks.sliding_window_view(series, L, axis=0).transpose(0, 2, 1)
    return RealWindows(view, np.arange(len(view)))


REAL, TRAIN = windows_of(columns(1200, 0)), windows_of(columns(1500, 1))
SAMPLES = windows_of(columns(6000, 2)).windows[::12]
OTHER = 2.5 * windows_of(columns(3000, 3)).windows[::6]


def judged(
    protocol: Protocol,
    metrics: list[str],
    samples: np.ndarray = SAMPLES,
    other: np.ndarray = OTHER,
    **options: Any,
) -> Judgement:
    real = REAL if protocol == "held-out" else TRAIN
    return judge(
        samples, real, TRAIN, {"other": other}, metrics, **{"draws": 20, "protocol": protocol, **options}
    )


def test_floors_of_blocks_and_of_random_halves() -> None:
    """Random halves of one series share their rows nearly: their floor is far below that of blocks."""
    held_out = judged("held-out", ["wasserstein", "ks", "energy_distance"]).figures
    literature = judged("train = test", ["wasserstein", "ks", "energy_distance"]).figures
    for name in held_out:
        assert literature[name].floors["sampling"] < 0.5 * held_out[name].floors["sampling"]
        assert np.isnan(literature[name].floors["shift"]) and held_out[name].floors["shift"] > 0
        assert literature[name].floor == literature[name].floors["sampling"]
        assert held_out[name].floor == max(held_out[name].floors.values())


def test_the_random_floor_is_the_mean_over_three_halves() -> None:
    figure = judged("train = test", ["ks"], seed=4).figures["ks"]
    from undula.evaluation.statistics import DISTANCES

    def gap(k: int) -> float:
        a, b = TRAIN.random_halves(np.random.default_rng([4, k]))
        return float(np.mean([DISTANCES["ks"](a[:, :, c], b[:, :, c]) for c in range(2)]))

    assert figure.floor == pytest.approx(np.mean([gap(k) for k in range(3)]))
    assert len({gap(k) for k in range(3)}) == 3


def test_at_floor_size_is_the_figure_of_as_many_samples_as_a_half_has() -> None:
    from undula.evaluation.statistics import DISTANCES

    for protocol, real in (("held-out", REAL), ("train = test", TRAIN)):
        figure = judged(protocol, ["ks"]).figures["ks"]  # type: ignore[arg-type]
        halves = (
            real.halves() if protocol == "held-out" else real.random_halves(np.random.default_rng([0, 0]))
        )
        expected = [DISTANCES["ks"](SAMPLES[: len(h), :, c], h[:, :, c]) for h in halves for c in range(2)]
        assert figure.at_floor_size == pytest.approx(np.mean(expected))


def test_columns_are_reported_alone_too() -> None:
    judgement = judged("held-out", ["ks", "std", "energy_distance"], columns=("slow", "white"))
    figure = judgement.figures["ks"]
    assert set(figure.columns) == {"slow", "white"}
    assert figure.value == pytest.approx(np.mean([c["value"] for c in figure.columns.values()]))
    one = judge(SAMPLES[..., :1], windows_of(columns(1200, 0)[:, :1]), windows_of(columns(1500, 1)[:, :1]), {},
                ["ks"], draws=0).figures["ks"]  # fmt: skip
    assert figure.columns["slow"]["value"] == pytest.approx(one.value)
    assert judgement.figures["std"].columns["slow"].keys() >= {
        "value",
        "generated",
        "held_out",
        "low",
        "high",
    }
    assert judgement.figures["energy_distance"].columns == {}
    names, table = columns_table(judgement)
    assert names == ["slow", "white"] and len(table) == 2


def test_baselines_have_every_figure() -> None:
    names = ["ks", "std", "energy_distance", "cross_correlation", "correlational", "copying"]
    judgement = judged("held-out", names)
    for name, figure in judgement.figures.items():
        assert np.isfinite(figure.baselines["other"]), name
    assert judgement.figures["std"].statistic["other"] > judgement.figures["std"].statistic["generated"]
    assert not verdict("ks", judgement.figures["ks"], "other")[1]
    assert tally_in_words(judged("held-out", ["ks"])).endswith("by the same rule: other 0.")


def _seen_by(
    monkeypatch: pytest.MonkeyPatch, protocol: Protocol, repeats: int
) -> tuple[list[Pair], Judgement]:
    """The pairs that a trained judge is given, and what comes of scores 0, 1, 2, …"""
    given: list[Pair] = []

    def score(pairs: list[Pair], repeats: int, seed: int, *, on_progress: object = None) -> np.ndarray:
        given.extend(pairs)
        return np.arange(len(pairs) * repeats, dtype=float).reshape(len(pairs), repeats)

    monkeypatch.setitem(scores.SCORES, "discriminative", score)
    return given, judged(protocol, ["discriminative"], repeats=repeats)


def test_repeats_and_their_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    _, judgement = _seen_by(monkeypatch, "held-out", 4)
    figure = judgement.figures["discriminative"]
    assert figure.repeats == 4 and figure.as_json("")["repeats"] == 4
    assert figure.value == pytest.approx(1.5) and figure.sd == pytest.approx(np.std(range(4), ddof=1))
    assert np.isnan(figure.at_floor_size) and figure.columns == {}
    _, once = _seen_by(monkeypatch, "held-out", 1)
    assert np.isnan(once.figures["discriminative"].sd)


def test_judges_keep_overlapping_windows_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """held-out: groups share no row, in the real and in the training windows; train = test: no groups."""
    pairs, _ = _seen_by(monkeypatch, "held-out", 1)
    assert len(pairs) == 4  # the samples, one pair of halves, the training part, the baseline
    assert pairs[0].generated.groups is None and pairs[0].real.groups is not None
    grouped = [side for pair in pairs for side in pair if side.groups is not None]
    assert len(grouped) == 6
    for side in (pairs[0].real, pairs[2].generated):
        series = REAL if side is pairs[0].real else TRAIN
        places = {w.tobytes(): s for w, s in zip(series.windows, series.starts, strict=True)}
        ends = []
        for group in np.unique(side.groups):
            starts = [places[w.tobytes()] for w in side.values[side.groups == group]]
            ends.append((min(starts), max(starts) + L))
        assert len(ends) >= 5
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(sorted(ends)))
    pairs, _ = _seen_by(monkeypatch, "train = test", 1)
    assert len(pairs) == 3 and all(side.groups is None for pair in pairs for side in pair)


def test_too_few_windows_for_a_judge_are_no_figure() -> None:
    judgement = judged("held-out", ["boosting", "ks"], SAMPLES[:5])
    assert np.isnan(judgement.figures["boosting"].value) and np.isfinite(judgement.figures["ks"].value)
    assert judgement.as_json()["boosting"]["value"] is None
    assert verdict("boosting", judgement.figures["boosting"]) == ("not defined for these data", False)
    assert np.isnan(judgement.figures["ks"].sd)


def test_a_spread_over_samples() -> None:
    """The standard error of the mean of eight groups: halved by four times the samples."""
    few = judged("held-out", ["std"], SAMPLES[:64]).figures["std"].sd
    many = judged("held-out", ["std"], windows_of(columns(60_000, 9)).windows[::12]).figures["std"].sd
    assert 0 < many < 0.5 * few


def test_words_name_the_one_floor_and_both() -> None:
    same, apart = judged("train = test", ["ks"], OTHER), judged("held-out", ["ks"], OTHER)
    assert rows(same)[0].verdict.endswith("times the floor")
    assert rows(apart)[0].verdict.endswith("times the larger floor")
    assert "the literature's protocol" in same.protocol and apart.protocol.startswith("held-out: 499 samples")
    assert rows(judged("train = test", ["std"], 3 * OTHER))[0].verdict.startswith(
        "outside the interval, over"
    )
    assert headline(same, 0.0) == (
        "0 of 1 figures are as in the real data, all of them in 0 of 1 properties. Copying was not checked."
    )
    assert headline(same, 0.9).startswith("A copy: 90%")


def test_errors_of_opposite_sign_in_two_columns_do_not_cancel() -> None:
    """Half the spread in one column and one and a half in the other have the right spread as a mean."""

    crossed = SAMPLES * np.array([0.5, 1.5])
    good = judged("train = test", ["std"], SAMPLES, crossed, columns=("calm", "wild")).figures["std"]
    bad = judged("train = test", ["std"], crossed, SAMPLES, columns=("calm", "wild")).figures["std"]
    off = "inside the interval as a mean, off in calm, wild"
    assert verdict("std", good)[1] and verdict("std", good, "other") == (off, False)
    assert verdict("std", bad) == (off, False) and verdict("std", bad, "other")[1]


@pytest.mark.parametrize(("count", "low", "off"), [(2, 2.2, 2.3), (28, 3.1, 3.2)])
def test_of_many_columns_a_few_lie_outside_their_own_interval(count: int, low: float, off: float) -> None:
    """Of C columns of real data none leaves Φ⁻¹(1 − 0.025/C) standard errors with probability 0.95."""

    def said(errors: float) -> str:
        one = {"value": 1.0, "floor": 0.1, "held_out": 5.0, "low": 5.0 - 1.96, "high": 5.0 + 1.96}
        columns = {f"c{i}": {**one, "generated": 5.0} for i in range(count - 1)}
        columns["last"] = {**one, "generated": 5.0 - errors, "value": errors}
        numbers = {"generated": 5.0, "held_out": 5.0, "low": 4.5, "high": 5.5}
        floors = {"sampling": 0.1, "shift": np.nan}
        return verdict("std", Figure(1.0, 0.0, 0.0, 0.1, floors, {}, numbers, columns))[0]

    assert said(low) == "inside the interval of the real data"
    assert said(off) == "inside the interval as a mean, off in last"


def test_a_judge_at_a_high_floor_is_not_called_blind() -> None:
    """Two periods of real data may be told apart too: then the judge says little, and that is said."""

    def said(value: float, floor: float) -> tuple[str, bool]:
        figure = Figure(value, 0.0, 0.0, floor, {"sampling": floor, "shift": np.nan}, {})
        return verdict("boosting", figure)

    assert said(0.51, 0.55) == ("at the floor: cannot be told apart", True)
    assert said(0.6, 0.5) == ("hardly told apart", True)
    assert said(0.85, 0.94) == ("at the floor: no better than two periods of real data", True)
    assert said(0.03, 0.5) == ("below chance: real windows are taken for their copies", False)
    assert said(0.8, 0.5) == ("often told apart", False) and said(0.99, 0.6) == ("told apart", False)
