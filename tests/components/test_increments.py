"""Differences and log-returns against NumPy's, and where the sums of increments start."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from undula.components.preprocessing.difference import DifferencePreprocessor
from undula.components.preprocessing.log_return import LogReturnPreprocessor
from undula.core.condition import Condition
from undula.core.errors import DataError, IncompatibleError


def prices(n: int = 50, length: int = 30) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    steps = 0.02 * torch.randn(n, 2, length, generator=generator, dtype=torch.float64) + 0.001
    return 100.0 * torch.exp(steps.cumsum(-1)) * torch.tensor([[1.0], [1e3]], dtype=torch.float64)


def split(x: torch.Tensor, history: int) -> tuple[torch.Tensor, Condition]:
    return x[..., history:], Condition(past=x[..., :history])


def test_log_returns_are_numpys_and_start_from_the_history() -> None:
    whole = prices()
    x, condition = split(whole, 10)
    fitted = LogReturnPreprocessor().fit(x, None, condition)
    expected = np.diff(np.log(whole.numpy()), axis=-1)[..., 9:]
    expected = (expected - expected.mean((0, 2), keepdims=True)) / expected.std((0, 2), keepdims=True)
    np.testing.assert_allclose(fitted.transform(x, condition), expected, atol=1e-10)


def test_without_a_history_the_first_value_has_its_own_scale() -> None:
    x = prices()
    z = LogReturnPreprocessor().fit(x).transform(x)
    first = np.log(x[..., 0].numpy())
    np.testing.assert_allclose(z[..., 0], (first - first.mean(0)) / first.std(0), atol=1e-9)
    later = np.diff(np.log(x.numpy()), axis=-1)
    np.testing.assert_allclose(
        z[..., 1:], (later - later.mean((0, 2), keepdims=True)) / later.std((0, 2), keepdims=True), atol=1e-9
    )


def test_windows_that_all_start_at_one_value() -> None:
    x = torch.randn(20, 1, 9, dtype=torch.float64).cumsum(-1)
    x = x - x[..., :1]
    fitted = DifferencePreprocessor().fit(x)
    assert bool((fitted.transform(x)[..., 0] == 0).all())
    assert torch.equal(fitted.first_scale_, fitted.scale_)


@pytest.mark.parametrize("lag", [1, 3, 7])
@pytest.mark.parametrize("history", [0, 7, 10])
def test_seasonal_differences_are_numpys(lag: int, history: int) -> None:
    whole = prices()
    x, condition = split(whole, history)
    told = condition if history else None
    fitted = DifferencePreprocessor(lag).fit(x, None, told)
    z = fitted.transform(x, told) * fitted.scale_ + fitted.location_
    expected = (whole[..., lag:] - whole[..., :-lag]).numpy()
    if history:
        np.testing.assert_allclose(z, expected[..., history - lag :], atol=1e-7)
    else:
        np.testing.assert_allclose(z[..., lag:], expected, atol=1e-7)
    assert torch.allclose(fitted.inverse_transform(fitted.transform(x, told), told), x, rtol=1e-12)


def test_a_sample_goes_on_from_its_own_history() -> None:
    x, condition = split(prices(), 10)
    fitted = LogReturnPreprocessor().fit(x, None, condition)
    flat = (-fitted.location_ / fitted.scale_).expand(50, 2, 20)  # no change at any step
    expected = condition.past[..., -1:].expand(50, 2, 20)
    assert torch.allclose(fitted.inverse_transform(flat, condition), expected)


def test_missing_values_at_the_end_of_a_history_are_passed_over() -> None:
    x, condition = split(prices(), 10)
    fitted = DifferencePreprocessor(2).fit(x, None, condition)
    past = condition.past.clone()
    past[0, 0, 9] = past[0, 1, 8] = past[0, 1, 6] = torch.nan
    flat = (-fitted.location_ / fitted.scale_).expand(50, 2, 20)
    start = fitted.inverse_transform(flat, Condition(past=past))[0, :, :2]
    expected = [[past[0, 0, 8], past[0, 0, 7]], [past[0, 1, 4], past[0, 1, 9]]]
    assert torch.allclose(start, torch.tensor(expected, dtype=torch.float64))
    past[0] = torch.nan
    with pytest.raises(DataError, match="no value to start from"):
        fitted.inverse_transform(flat, Condition(past=past))


def test_without_its_history_it_starts_at_the_end_of_the_last_window() -> None:
    x, condition = split(prices(), 10)
    fitted = LogReturnPreprocessor().fit(x, None, condition)
    flat = (-fitted.location_ / fitted.scale_).expand(3, 2, 20)
    assert torch.allclose(fitted.inverse_transform(flat), x[-1, :, -1:].expand(3, 2, 20))


def test_what_has_no_increments_is_refused() -> None:
    x = prices()
    with pytest.raises(DataError, match="positive values, and the least is"):
        LogReturnPreprocessor().fit(x - 100.0)
    with pytest.raises(DataError, match="positive values"):
        LogReturnPreprocessor().fit(x).transform(0.0 * x)
    with pytest.raises(DataError, match="column number 2 has increments of one value"):
        DifferencePreprocessor().fit(torch.stack((x[:, 0], torch.arange(30.0).expand(50, 30)), 1))
    with pytest.raises(IncompatibleError, match="longer windows"):
        DifferencePreprocessor(30).fit(x)
    with pytest.raises(IncompatibleError, match="history_len: 7"):
        DifferencePreprocessor(7).fit(*split(x, 5)[:1], None, split(x, 5)[1])
