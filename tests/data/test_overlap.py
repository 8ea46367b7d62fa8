"""Windows put back where they were cut from; windows that only look alike stay where they are."""

from __future__ import annotations

import numpy as np
import pytest

from undula.data.overlap import placed

RNG = np.random.default_rng


def walk(rows: int, columns: int = 2, seed: int = 0) -> np.ndarray:
    return np.cumsum(RNG(seed).normal(size=(rows, columns)), axis=0)


def cut(series: np.ndarray, length: int, stride: int = 1) -> np.ndarray:
    view = np.lib.stride_tricks.sliding_window_view(series, length, axis=0)
    return view.transpose(0, 2, 1)[::stride]


@pytest.mark.parametrize("stride", [1, 2, 5, 9])
def test_shuffled_windows_are_put_in_order(stride: int) -> None:
    series = walk(200)
    windows = cut(series, 20, stride)
    found = placed(windows[RNG(1).permutation(len(windows))])
    assert np.array_equal(found.windows, windows)
    assert np.array_equal(found.starts, stride * np.arange(len(windows)))
    assert found.overlapping == len(windows)
    assert len(found.stretches) == 1
    assert np.array_equal(found.stretches[0], series[: len(found.stretches[0])])


def test_two_series_are_two_stretches_far_apart() -> None:
    first, second = walk(80, seed=1), walk(60, seed=2)
    windows = np.concatenate([cut(first, 10), cut(second, 10)])[RNG(3).permutation(71 + 51)]
    found = placed(windows)
    assert sorted(len(s) for s in found.stretches) == [60, 80]
    jumps = np.diff(found.starts)
    assert sorted(set(jumps.tolist()))[0] == 1 and jumps.max() >= 30
    assert (jumps == 1).sum() == 70 + 50


def test_windows_that_share_nothing_keep_their_order() -> None:
    windows = RNG(0).normal(size=(300, 12, 2))
    found = placed(windows)
    assert np.array_equal(found.windows, windows) and found.overlapping == 0
    assert np.array_equal(found.starts, 12 * np.arange(300))
    assert len(found.stretches) == 300


def test_windows_side_by_side_share_nothing() -> None:
    assert placed(walk(240).reshape(20, 12, 2)).overlapping == 0


@pytest.mark.parametrize(
    "windows",
    [
        np.zeros((50, 24, 1)),
        np.repeat(RNG(0).integers(0, 2, (200, 1, 1)), 24, axis=1).astype(float),
        RNG(1).integers(0, 2, (300, 24, 1)).astype(float),
        RNG(2).poisson(0.5, (300, 24, 1)).astype(float),
        np.where(np.arange(24)[:, None] % 24 < 12, 0.0, RNG(3).normal(size=(200, 24, 1))),
    ],
    ids=["constant", "on or off", "coins", "counts", "nights"],
)
def test_what_agrees_by_chance_or_always_is_no_overlap(windows: np.ndarray) -> None:
    found = placed(windows)
    assert found.overlapping == 0 and np.array_equal(found.windows, windows)


def test_counts_that_do_overlap_are_found() -> None:
    """A hundred rows of counts, three columns: what 20 rows share is beyond chance."""
    series = RNG(0).poisson(3.0, (100, 3)).astype(float)
    windows = cut(series, 24)
    found = placed(windows[::-1])
    assert np.array_equal(found.windows, windows) and found.overlapping == len(windows)


def test_a_periodic_series_closes_and_loses_nothing() -> None:
    angle = 2 * np.pi * np.arange(60) / 15
    windows = cut(np.round(np.sin(angle), 9)[:, None], 10)[:15]
    found = placed(windows)
    assert len(found.windows) == 15
    assert sorted(w.tobytes() for w in found.windows) == sorted(w.tobytes() for w in windows)


def test_windows_given_twice_are_both_kept() -> None:
    windows = cut(walk(60), 12)
    found = placed(np.concatenate([windows, windows]))
    assert len(found.windows) == 2 * len(windows)
    assert len(np.unique(found.starts)) == 2 * len(windows)
