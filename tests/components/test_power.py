"""Powers that make increments as large at every level."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from undula.components.preprocessing.power import PowerPreprocessor
from undula.core.errors import DataError


def walk(power: float, seed: int = 0) -> torch.Tensor:
    """Windows of a series whose steps are proportional to level^power, over a wide range of levels."""
    rng = np.random.default_rng(seed)
    level = np.exp(rng.uniform(0.0, 4.0, 400))
    x = level[:, None].repeat(20, 1)
    for t in range(1, 20):
        x[:, t] = x[:, t - 1] + 0.02 * x[:, t - 1] ** power * rng.normal(size=400)
    return torch.from_numpy(np.abs(x))[:, None]


@pytest.mark.parametrize(("power", "exponent"), [(1.0, 0.0), (0.5, 0.5), (0.0, 1.0)])
def test_steps_that_grow_with_the_level_find_their_exponent(power: float, exponent: float) -> None:
    x = walk(power)
    fitted = PowerPreprocessor().fit(x)
    assert fitted.exponent_.tolist() == [exponent]
    z = fitted.transform(x)
    assert torch.allclose(fitted.inverse_transform(z), x, rtol=1e-12)
    steps = z.diff(dim=-1).abs().mean((1, 2))
    high = x.mean((1, 2)) > x.mean()
    assert float(steps[high].mean() / steps[~high].mean()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("exponent", [0.0, 0.3, 0.5, 1.0])
def test_the_log_determinant_is_autograds(exponent: float) -> None:
    x = walk(0.5)[:2, :, :4].clone().requires_grad_()
    fitted = PowerPreprocessor(exponent).fit(walk(0.5))
    slope = torch.autograd.grad(fitted.transform(x).sum(), x)[0]
    assert torch.allclose(fitted.log_det(x), slope.log().sum((1, 2)))


def test_columns_that_are_not_positive_stay() -> None:
    x = torch.cat((walk(1.0), walk(1.0) - 5.0), 1)
    fitted = PowerPreprocessor().fit(x)
    assert fitted.exponent_.tolist() == [0.0, 1.0]
    fitted.columns = ["price", "spread"]
    assert fitted.notes() == ["price: modelled on its logarithm"]
    with pytest.raises(DataError, match=r"column number 2 has -.*: use exponent: auto"):
        PowerPreprocessor(0.0).fit(x)


def test_nothing_falls_below_half_the_least_value() -> None:
    x = walk(0.5)
    fitted = PowerPreprocessor().fit(x)
    low = fitted.inverse_transform(torch.full((1, 1, 3), -1e6, dtype=x.dtype))
    assert torch.allclose(low, 0.5 * x.min())
    assert not torch.isnan(fitted.inverse_transform(torch.full((1, 1, 3), -1e6, dtype=x.dtype))).any()
