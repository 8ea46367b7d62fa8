"""Laws of data sources and baselines."""

from __future__ import annotations

__all__ = ["BASELINE_LAWS", "DATASET_LAWS"]

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.baseline import BaseBaseline
from ..core.source import BaseSource


def loads_the_same_table_twice(source: BaseSource) -> None:
    """A source is a function of its parameters, and its roles name its columns."""
    table = source.load()
    assert len(table) > 0, "the table is empty"
    assert table.equals(source.load()), "two loads differ"
    for role, column in source.roles.items():
        assert column in table.columns, f"role {role} names {column!r}, which is not a column"


DATASET_LAWS: list[Callable[[Any], None]] = [loads_the_same_table_twice]


def _series() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [rng.normal(size=(n, 2)).cumsum(0) * [0.01, 100.0] for n in (300, 120)]


def samples_are_windows_in_units(baseline: BaseBaseline) -> None:
    """Samples have the asked shape, are finite, and lie where the data do."""
    fitted = copy.deepcopy(baseline).fit(_series(), 10)
    samples = fitted.sample(50, seed=0)
    assert samples.shape == (50, 10, 2), f"shape {samples.shape}"
    assert np.isfinite(samples).all(), "samples are not finite"
    real = np.concatenate(_series())
    spread = np.abs(samples - real.mean(0)).max((0, 1)) / real.std(0)
    assert (spread < 20).all(), "samples lie far outside the data: are they in units?"


def samples_depend_on_the_seed_alone(baseline: BaseBaseline) -> None:
    """The same seed gives the same samples, another seed gives others."""
    fitted = copy.deepcopy(baseline).fit(_series(), 10)
    assert np.array_equal(fitted.sample(5, seed=1), fitted.sample(5, seed=1)), "not deterministic"
    assert not np.array_equal(fitted.sample(5, seed=1), fitted.sample(5, seed=2)), "the seed has no effect"


BASELINE_LAWS: list[Callable[[Any], None]] = [samples_are_windows_in_units, samples_depend_on_the_seed_alone]
