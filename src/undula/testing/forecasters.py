"""Laws of forecasters: shapes and units, seeds, what a forecast may depend on, and what is refused."""

from __future__ import annotations

__all__ = ["FORECASTER_LAWS"]

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import DataError
from ..core.forecaster import BaseForecaster

_HISTORY, _HORIZON = 12, 6

Stretches = list[np.ndarray]


def _series(channels: int = 2, known: int = 1) -> tuple[Stretches, Stretches]:
    """Stretches that wander, in very different units, and features."""
    rng = np.random.default_rng(0)
    units = np.array([0.01, 100.0, 1.0])[:channels]
    lengths = (300, 120)
    series = [rng.normal(size=(n, channels)).cumsum(0) * units for n in lengths]
    return series, [rng.normal(size=(n, known)) for n in lengths]


def _told(count: int, channels: int = 2, known: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Histories (N, H, C) of the training part, and their features (N, H + L, K)."""
    series, features = _series(channels, known)
    starts = range(0, 200, 200 // count)[:count]
    history = np.stack([series[0][t : t + _HISTORY] for t in starts])
    return history, np.stack([features[0][t : t + _HISTORY + _HORIZON] for t in starts])


def _fitted(forecaster: BaseForecaster, channels: int = 2, known: int = 1, seed: int = 0) -> BaseForecaster:
    return copy.deepcopy(forecaster).fit(*_series(channels, known), _HISTORY, _HORIZON, seed)


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.allclose(a, b, rtol=1e-6, atol=1e-9))


def paths_are_in_units_and_leave_the_data_alone(forecaster: BaseForecaster) -> None:
    """Paths have the asked shape, are finite, lie where the data do, and what is given stays as it was."""
    series, features = _series()
    fitted = copy.deepcopy(forecaster).fit(series, features, _HISTORY, _HORIZON)
    history, known = _told(9)
    given = history.copy(), known.copy()
    paths = fitted.forecast(history, known, 30)
    assert paths.shape == (9, 30, _HORIZON, 2), f"shape {paths.shape}"
    assert np.isfinite(paths).all(), "paths are not finite"
    real = np.concatenate(_series()[0])
    spread = np.abs(paths - real.mean(0)).max((0, 1, 2)) / real.std(0)
    assert (spread < 20).all(), "paths lie far outside the data: are they in units?"
    series_before, features_before = _series()
    before = [*series_before, *features_before, *given]
    unchanged = zip([*series, *features, history, known], before, strict=True)
    assert all(np.array_equal(a, b) for a, b in unchanged), "fitting or forecasting changes what is given"


def paths_depend_on_seed_and_history_alone(forecaster: BaseForecaster) -> None:
    """The same seeds give the same paths, others others; neither place, N nor n matter."""
    fitted, again = _fitted(forecaster), _fitted(forecaster)
    history, known = _told(5)
    paths = fitted.forecast(history, known, 6, seed=1)
    assert np.array_equal(paths, fitted.forecast(history, known, 6, seed=1)), "not deterministic"
    assert np.array_equal(paths, again.forecast(history, known, 6, seed=1)), "two fits of one seed differ"
    assert not np.array_equal(paths, fitted.forecast(history, known, 6, seed=2)), "the seed has no effect"
    alone = fitted.forecast(history[3:4], known[3:4], 6, seed=1)
    assert _same(alone[0], paths[3]), "a forecast depends on what else is forecast"
    more = fitted.forecast(history, known, 40, seed=1)
    assert _same(more[:, :6], paths), "a path depends on how many are drawn"
    apart = np.abs(more - more[:, :1]).max((2, 3)) > 0
    assert apart[:, 1:].mean() > 0.5, "paths of one history are the same"


def takes_any_number_of_columns_and_features(forecaster: BaseForecaster) -> None:
    """One column and three, without features and with two."""
    for channels, known in ((1, 0), (3, 2)):
        fitted = _fitted(forecaster, channels, known)
        paths = fitted.forecast(*_told(4, channels, known), 5)
        expected = (4, 5, _HORIZON, channels)
        assert paths.shape == expected, f"{channels} columns, {known} features: shape {paths.shape}"
        assert np.isfinite(paths).all(), f"{channels} columns, {known} features: not finite"


def missing_training_values_are_left_out_or_refused(forecaster: BaseForecaster) -> None:
    """With missing training values paths are finite, or there is a DataError that says why not."""
    series, features = _series()
    series[0][40, 1] = np.nan
    try:
        paths = copy.deepcopy(forecaster).fit(series, features, _HISTORY, _HORIZON).forecast(*_told(3), 5)
    except DataError as error:
        assert str(error), "missing values are refused without a word"
        return
    assert np.isfinite(paths).all(), "missing training values come back in paths"


def what_does_not_fit_is_refused(forecaster: BaseForecaster) -> None:
    """Nothing to learn from, a short or holed history, and other shapes are a DataError of one sentence."""
    fitted = _fitted(forecaster)
    history, known = _told(3)
    holed = history.copy()
    holed[1, 4, 0] = np.nan
    nothing: list[tuple[Stretches, Stretches]] = [
        ([], []),
        ([np.full((30, 2), np.nan)], [np.zeros((30, 1))]),
        ([np.zeros((3, 2))], [np.zeros((3, 1))]),
        ([np.zeros((30, 2))], [np.zeros((20, 1))]),
    ]
    for series, features in nothing:
        try:
            copy.deepcopy(forecaster).fit(series, features, _HISTORY, _HORIZON)
        except DataError as error:
            _check_sentence(error, "a fit with nothing to learn from")
            continue
        raise AssertionError(f"a fit to {len(series)} stretches with nothing to learn succeeds")
    wrong: dict[str, Callable[[], Any]] = {
        "a history that is too short": lambda: fitted.forecast(history[:, 2:], known[:, 2:], 4),
        "a history with a missing value": lambda: fitted.forecast(holed, known, 4),
        "another number of columns": lambda: fitted.forecast(history[:, :, :1], known, 4),
        "features of the history alone": lambda: fitted.forecast(history, known[:, :_HISTORY], 4),
    }
    for what, call in wrong.items():
        try:
            call()
        except DataError as error:
            _check_sentence(error, what)
            continue
        raise AssertionError(f"{what} is not refused")


def _check_sentence(error: DataError, what: str) -> None:
    assert "\n" not in str(error) and len(str(error)) > 20, f"{what}: refused without a sentence"


FORECASTER_LAWS: list[Callable[[Any], None]] = [
    paths_are_in_units_and_leave_the_data_alone,
    paths_depend_on_seed_and_history_alone,
    takes_any_number_of_columns_and_features,
    missing_training_values_are_left_out_or_refused,
    what_does_not_fit_is_refused,
]
