"""Point forecasts that diffusion starts from."""

from __future__ import annotations

import pytest
import torch

from undula.core.condition import Condition
from undula.core.errors import DataError
from undula.core.registry import Registry


def windows(n: int, h: int, length: int, seed: int = 0) -> tuple[torch.Tensor, Condition]:
    """An AR(1) per channel, of different levels, cut into history and window."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, 2, h + length + 20, generator=generator, dtype=torch.float64)
    x = torch.zeros_like(noise)
    for t in range(1, noise.shape[-1]):
        x[..., t] = 0.8 * x[..., t - 1] + noise[..., t]
    x = x[..., 20:] * torch.tensor([[1.0], [30.0]]) + torch.tensor([[5.0], [-200.0]])
    past, future = x.split((h, length), dim=-1)
    return future, Condition(past=past)


def test_last_and_seasonal_have_their_formulas() -> None:
    _, condition = windows(3, 7, 5)
    assert condition.past is not None
    past = condition.past
    last = Registry.get("trend", "last")(condition, 2, 5)
    assert torch.equal(last, past[..., -1:].expand(-1, -1, 5))
    seasonal = Registry.get("trend", "seasonal_naive", period=3)(condition, 2, 5)
    assert torch.equal(seasonal, past[..., [4, 5, 6, 4, 5]])


def test_missing_values_are_stepped_over() -> None:
    past = torch.tensor([[[1.0, 2.0, torch.nan]], [[torch.nan, torch.nan, torch.nan]]])
    assert Registry.get("trend", "last")(Condition(past=past), 1, 2).tolist() == [[[2.0, 2.0]], [[0.0, 0.0]]]
    seasonal = Registry.get("trend", "seasonal_naive", period=2)(Condition(past=past), 1, 2)
    assert seasonal[0].tolist() == [[2.0, 2.0]]


def test_linear_finds_the_autoregression() -> None:
    """Of an AR(1) the best forecast is μ + φ^h (x_0 − μ): its errors, and no more, are left."""
    x, condition = windows(20_000, 4, 3)
    trend = Registry.get("trend", "linear").fit(x, condition)
    _, told = windows(5_000, 4, 3, seed=1)
    assert told.past is not None
    mean = torch.tensor([[5.0], [-200.0]], dtype=torch.float64)
    best = mean + 0.8 ** torch.arange(1, 4, dtype=torch.float64) * (told.past[..., -1:] - mean)
    found = trend(told, 2, 3)
    scale = torch.tensor([[1.0], [30.0]])
    assert float(((found - best) / scale).square().mean()) < 0.01
    with pytest.raises(DataError, match="fitted to windows of 3 steps, this has 5"):
        trend(told, 2, 5)


def test_linear_uses_covariates_of_the_window() -> None:
    generator = torch.Generator().manual_seed(0)
    driver = torch.randn(3000, 1, 4, generator=generator, dtype=torch.float64)
    past = torch.randn(3000, 1, 2, generator=generator, dtype=torch.float64)
    condition = Condition(past=past, aligned={"covariates": driver.float()})
    x = 7.0 + 3.0 * driver
    found = Registry.get("trend", "linear").fit(x, condition)(condition, 1, 4)
    assert float((found - x).abs().max()) < 0.02


def test_a_short_history_is_refused() -> None:
    _, condition = windows(2, 3, 2)
    with pytest.raises(DataError, match="seasonal_naive needs a history of 24 rows, this has 3"):
        Registry.get("trend", "seasonal_naive")(condition, 2, 2)


def test_residuals_are_what_the_trend_leaves() -> None:
    x, condition = windows(50, 6, 4)
    residual = Registry.get("preprocessing", "residual", trend="last").fit(x, None, condition)
    assert condition.past is not None
    z = residual.transform(x, condition)
    assert torch.allclose(z, x - condition.past[..., -1:])
    assert torch.allclose(residual.inverse_transform(z, condition), x, rtol=1e-14)
    nothing = residual.transform(x, Condition())
    assert torch.allclose(nothing.mean((0, 2)), torch.zeros(2, dtype=torch.float64), atol=1e-9)
