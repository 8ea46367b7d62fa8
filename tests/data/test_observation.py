"""What a user may say about a measurement."""

from __future__ import annotations

import numpy as np
import pytest

from undula.core.errors import DataError
from undula.data.observation import Observation


def test_sigma_and_ivar_say_the_same() -> None:
    y = np.arange(12.0).reshape(1, 6, 2)
    sigma = 0.5 + y
    by_sigma, by_ivar = Observation(y, sigma=sigma), Observation(y, ivar=1 / sigma**2)
    assert np.allclose(by_sigma.variance, by_ivar.variance) and np.allclose(by_sigma.variance, sigma**2)


def test_nan_and_no_precision_are_nothing_measured() -> None:
    y = np.array([[1.0, np.nan], [3.0, 4.0]])
    ivar = np.array([[4.0, 4.0], [0.0, np.inf]])
    found = Observation(y, ivar=ivar)
    assert found.values.shape == (1, 2, 2)
    assert found.variance[0].tolist() == [[0.25, np.inf], [np.inf, 0.0]]
    assert Observation(y).variance[0].tolist() == [[0.0, np.inf], [0.0, 0.0]], "exact, unless said otherwise"


def test_samples_take_observations_in_turn() -> None:
    y = np.arange(6.0).reshape(3, 1, 2)
    values, variance = Observation(y, sigma=1.0).take(np.array([4, 2]))
    assert values[:, 0].tolist() == [[2.0, 3.0], [4.0, 5.0]] and (variance == 1.0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": np.ones(3)}, r"an observation of shape \(3,\): expected \(N, L, C\)"),
        ({"values": np.full((2, 1), np.inf)}, "has infinite values: leave them out as NaN"),
        ({"values": np.ones((2, 1)), "sigma": 1.0, "ivar": 1.0}, "two words for the same"),
        ({"values": np.ones((2, 1)), "ivar": -1.0}, "ivar has negative numbers, the least is -1: give 0"),
        ({"values": np.ones((2, 1)), "sigma": -2.0}, "sigma has negative numbers: give standard deviations"),
        (
            {"values": np.ones((2, 1)), "sigma": np.ones(3)},
            r"sigma has shape \(3,\), the observation \(1, 2, 1\)",
        ),
        ({"values": np.ones((2, 1)), "operator": "blurr"}, "unknown operator 'blurr'; did you mean 'blur'"),
    ],
)
def test_mistakes_are_one_sentence(arguments: dict[str, object], message: str) -> None:
    with pytest.raises((DataError, LookupError), match=message):
        Observation(**arguments)  # type: ignore[arg-type]


def test_shapes_are_those_that_the_operator_makes() -> None:
    found = Observation(np.ones((4, 2)), operator={"type": "decimation", "params": {"factor": 3}})
    found.check(2, 12)
    with pytest.raises(
        DataError, match="has 4 steps and 2 columns; operator decimation makes 8 steps and 2 col"
    ):
        found.check(2, 24)
