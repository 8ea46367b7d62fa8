"""Windows of a chosen condition: blocks that respect overlap, and intervals as wide as they should be."""

from __future__ import annotations

import numpy as np
import pytest

from undula.evaluation.scattered import ScatteredWindows


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
    low, high = ScatteredWindows(x).intervals({"mean": np.mean}, 0.9, 2000, 0)["mean"]
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
            found = ScatteredWindows(windows, given).intervals({"mean": np.mean}, 0.9, 60, 0)["mean"]
            inside = found[0] <= 0 <= found[1]
            held, naive = held + (inside and k == 0), naive + (inside and k == 1)
    assert held / 80 > 0.75, "of 20 blocks; 0.9 is what many give"
    assert naive / 80 < 0.55


def test_few_blocks_give_no_interval_and_draws_are_repeatable() -> None:
    x = np.random.default_rng(0).normal(size=(30, 5))
    two = ScatteredWindows(x, np.r_[np.arange(15), 100 + np.arange(15) // 2].astype(int)[:30])
    few = ScatteredWindows(x[:12], np.r_[np.arange(6), 50 + np.arange(6)])
    assert two.count >= 3
    assert few.count == 2 and np.isnan(few.intervals({"mean": np.mean}, 0.9, 50, 0)["mean"]).all()
    assert two.intervals({"m": np.mean}, 0.9, 50, 3) == two.intervals({"m": np.mean}, 0.9, 50, 3)
    assert two.intervals({"m": np.mean}, 0.9, 50, 3) != two.intervals({"m": np.mean}, 0.9, 50, 4)
