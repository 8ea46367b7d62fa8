"""Intervals as wide as they should be: of windows in runs, in scattered blocks, and of independent ones."""

from __future__ import annotations

import numpy as np
import pytest

from undula.core.errors import DataError
from undula.evaluation.blocks import ScatteredWindows
from undula.evaluation.intervals import Estimate, bootstrap, estimates

MEAN = {"mean": lambda x: float(x.mean())}


def of_mean(windows: ScatteredWindows, draws: int, seed: int = 0) -> tuple[float, float]:
    return bootstrap(MEAN, windows.windows, windows, draws, seed, level=0.9)["mean"]


def test_blocks_hold_the_windows_that_begin_within_two_lengths() -> None:
    starts = np.array([3, 4, 12, 13, 14, 100, 105, 109, 110, 111])
    windows = ScatteredWindows(np.zeros((10, 5)), starts)  # 10 rows a block
    assert windows.blocks.tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]
    assert windows.count == 4
    assert ScatteredWindows(np.zeros((0, 5)), np.zeros(0, int)).count == 0


def test_whole_blocks_are_drawn() -> None:
    starts = np.array([0, 1, 2, 50, 51, 90, 130, 131, 132, 133])
    windows = ScatteredWindows(np.arange(10.0)[:, None].repeat(5, 1), starts)
    rng, seen = np.random.default_rng(0), set()
    for _ in range(200):
        drawn = windows.resample(rng)
        counts = np.bincount(drawn, minlength=10)
        for block in range(windows.count):
            inside = counts[windows.blocks == block]
            assert (inside == inside[0]).all(), "all windows of a block as often"
        assert sum(counts[windows.blocks == b][0] for b in range(4)) == 4
        seen.add(tuple(counts))
    assert len(seen) > 20
    alone = ScatteredWindows(np.zeros((6, 5)))
    assert len(alone.resample(rng)) == 6


def test_the_interval_of_a_mean_of_independent_windows_is_the_known_one() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 4))
    low, high = of_mean(ScatteredWindows(x), 2000)
    half = 1.6449 * x.std() / np.sqrt(x.size)
    assert (low, high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.1 * half)


def test_overlapping_windows_do_not_make_the_interval_narrower() -> None:
    """Means of windows at every row of white noise cover the truth; taken as independent they do not."""
    length, rows, held, naive = 10, 400, 0, 0
    for seed in range(80):
        series = np.random.default_rng(seed).normal(size=rows)
        windows = np.lib.stride_tricks.sliding_window_view(series, length)
        starts = np.arange(len(windows))
        for k, given in enumerate((starts, None)):
            found = of_mean(ScatteredWindows(windows, given), 60)
            inside = found[0] <= 0 <= found[1]
            held, naive = held + (inside and k == 0), naive + (inside and k == 1)
    assert held / 80 > 0.75, "of 20 blocks; 0.9 is what many give"
    assert naive / 80 < 0.55


def test_few_blocks_give_no_interval_and_draws_are_repeatable() -> None:
    x = np.random.default_rng(0).normal(size=(30, 5))
    two = ScatteredWindows(x, np.r_[np.arange(15), 100 + np.arange(15) // 2].astype(int)[:30])
    few = ScatteredWindows(x[:12], np.r_[np.arange(6), 50 + np.arange(6)])
    assert two.count >= 3
    assert few.count == 2 and np.isnan(of_mean(few, 50)).all()
    assert of_mean(two, 50, 3) == of_mean(two, 50, 3) != of_mean(two, 50, 4)


def test_intervals_respect_overlap_and_cover() -> None:
    """Of overlapping windows as wide as the series' length allows; those taken for independent are too sure."""
    rng = np.random.default_rng(0)
    series = rng.standard_normal(2_000)
    windows = np.lib.stride_tricks.sliding_window_view(series, 20)
    honest = estimates(MEAN, windows, np.arange(len(windows)), draws=300)["mean"]
    sure = estimates(MEAN, windows, draws=300)["mean"]
    width = honest.high - honest.low
    assert 0.7 < width / (2 * 1.96 / np.sqrt(2_000)) < 1.4 and sure.high - sure.low < 0.5 * width
    again = estimates(MEAN, windows[:, :, None], np.arange(len(windows)), draws=300)["mean"]
    assert again == honest and np.isnan(estimates(MEAN, windows, draws=0)["mean"].low)


def test_longer_blocks_for_what_lasts_longer() -> None:
    """Of a level that stays for 200 steps a block of two windows sees too little."""
    rng = np.random.default_rng(0)
    series = np.repeat(rng.standard_normal(20), 200)
    windows, starts = series.reshape(-1, 20), np.arange(0, len(series), 20)
    short, long = (estimates(MEAN, windows, starts, draws=300, block=b)["mean"] for b in (None, 20))
    assert long.high - long.low > 1.5 * (short.high - short.low)
    assert short == estimates(MEAN, windows, starts, draws=300, block=2)["mean"]
    for block, given, message in (
        (0, starts, "expected at least 1"),
        (3, None, "drawn one by one: give starts"),
    ):
        with pytest.raises(DataError, match=message):
            estimates(MEAN, windows, given, block=block)


def test_a_statistic_that_is_not_defined_has_no_interval_and_says_nothing_else() -> None:
    windows = np.zeros((40, 5))
    found = estimates({"never": lambda x: float("nan"), **MEAN}, windows, np.arange(0, 200, 5), draws=20)
    assert np.isnan([found["never"].value, found["never"].low]).all()
    assert found["mean"] == Estimate(0.0, 0.0, 0.0) and found["mean"].holds(0.0) is True
    assert found["mean"].holds(1.0) is False and found["never"].holds(0.0) is None
