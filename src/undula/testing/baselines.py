"""Laws of baselines: shapes and units, seeds, what they are given, and what they refuse."""

from __future__ import annotations

__all__ = ["BASELINE_LAWS"]

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.baseline import BaseBaseline
from ..core.errors import DataError

_LENGTH = 10


def _series(channels: int = 2) -> list[np.ndarray]:
    """Stretches that wander, in very different units."""
    rng = np.random.default_rng(0)
    units = np.array([0.01, 100.0, 1.0])[:channels]
    return [rng.normal(size=(n, channels)).cumsum(0) * units for n in (300, 120)]


def _fitted(baseline: BaseBaseline, series: list[np.ndarray], seed: int = 0) -> BaseBaseline:
    return copy.deepcopy(baseline).fit(series, _LENGTH, seed)


def samples_are_windows_in_units(baseline: BaseBaseline) -> None:
    """Samples have the asked shape, are finite, lie where the data do, and the data stay as they were."""
    series = _series()
    samples = _fitted(baseline, series).sample(50, seed=0)
    assert samples.shape == (50, _LENGTH, 2), f"shape {samples.shape}"
    assert np.isfinite(samples).all(), "samples are not finite"
    real = np.concatenate(_series())
    spread = np.abs(samples - real.mean(0)).max((0, 1)) / real.std(0)
    assert (spread < 20).all(), "samples lie far outside the data: are they in units?"
    same = all(np.array_equal(a, b) for a, b in zip(series, _series(), strict=True))
    assert same, "fitting or sampling changes the training data"


def samples_depend_on_seed_and_number_alone(baseline: BaseBaseline) -> None:
    """The same seeds give the same samples, another gives others, and sample i does not depend on n."""
    fitted, again = _fitted(baseline, _series()), _fitted(baseline, _series())
    samples = fitted.sample(5, seed=1)
    assert np.array_equal(samples, fitted.sample(5, seed=1)), "not deterministic"
    assert np.array_equal(samples, again.sample(5, seed=1)), "two fits with the same seed differ"
    assert not np.array_equal(samples, fitted.sample(5, seed=2)), "the seed has no effect"
    first = fitted.sample(300, seed=1)[:5]
    assert np.allclose(samples, first, rtol=1e-6, atol=1e-9), "a sample depends on how many are drawn"


def takes_any_number_of_columns(baseline: BaseBaseline) -> None:
    """One column and three are as good as two."""
    for channels in (1, 3):
        samples = _fitted(baseline, _series(channels)).sample(7)
        assert samples.shape == (7, _LENGTH, channels), f"{channels} columns give the shape {samples.shape}"
        assert np.isfinite(samples).all(), f"{channels} columns: samples are not finite"


def missing_values_are_left_out_or_refused(baseline: BaseBaseline) -> None:
    """With missing values samples are finite and in units, or there is a DataError that says why not."""
    series = _series()
    series[0][40, 1] = np.nan
    try:
        samples = _fitted(baseline, series).sample(20)
    except DataError as error:
        assert str(error), "missing values are refused without a word"
        return
    assert np.isfinite(samples).all(), "missing values come back in samples"


def what_is_too_short_is_refused(baseline: BaseBaseline) -> None:
    """A fit that has nothing to learn from is a DataError, not another error and no silent nonsense."""
    nothing = [[np.full((30, 2), np.nan)], [], [np.zeros((0, 2))]]
    for series in nothing:
        try:
            _fitted(baseline, series)
        except DataError:
            continue
        raise AssertionError(f"a fit without a whole row succeeds ({len(series)} stretches)")


BASELINE_LAWS: list[Callable[[Any], None]] = [
    samples_are_windows_in_units,
    samples_depend_on_seed_and_number_alone,
    takes_any_number_of_columns,
    missing_values_are_left_out_or_refused,
    what_is_too_short_is_refused,
]
