"""Columns that never cross: gaps, and back; whatever a model says, they do not cross."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from undula.components.preprocessing.order import OrderPreprocessor
from undula.core.registry import Registry


def bars(n: int = 40, length: int = 12, seed: int = 0) -> Tensor:
    """Open, high, low, close, volume, as windows (n, 5, length)."""
    generator = torch.Generator().manual_seed(seed)

    def normal() -> Tensor:
        return torch.randn(n, length, generator=generator, dtype=torch.float64)

    opens = 100 + 5 * normal()
    closes = opens + 0.3 * normal()
    high = torch.maximum(opens, closes) + 0.2 * normal().abs()
    low = torch.minimum(opens, closes) - 0.2 * normal().abs()
    return torch.stack([opens, high, low, closes, 1e4 * normal().exp()], 1)


def fitted(x: Tensor, columns: tuple[str, ...] = ()) -> OrderPreprocessor:
    order = OrderPreprocessor()
    order.columns = list(columns)
    return order.fit(x)


def test_what_never_crosses_is_found() -> None:
    order = fitted(bars(), ("open", "high", "low", "close", "volume"))
    assert order.notes() == [
        "open: never below low",
        "high: never below open, low, close",
        "close: never below low",
    ]
    assert order.sequence_.tolist()[-1] == 1  # the high is made last


def test_the_gaps_are_the_equation() -> None:
    x = bars()
    z = fitted(x).transform(x)
    opens, high, low, closes, volume = x.unbind(1)
    expected = [opens - low, high - torch.maximum(opens, closes), low, closes - low, volume]
    assert torch.allclose(z, torch.stack(expected, 1), atol=1e-12)
    assert (z[:, [0, 1, 3]] >= 0).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_it_inverts_exactly(seed: int) -> None:
    order, x = fitted(bars()), bars(seed=seed)
    assert torch.allclose(order.inverse_transform(order.transform(x)), x, rtol=0, atol=1e-10)


@pytest.mark.parametrize("scale", [0.1, 10.0, 1e6])
def test_they_never_cross_whatever_comes_in(scale: float) -> None:
    order = fitted(bars())
    z = scale * torch.randn(200, 5, 12, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    opens, high, low, closes, _ = order.inverse_transform(z).unbind(1)
    assert (high >= torch.maximum(opens, closes)).all()
    assert (low <= torch.minimum(opens, closes)).all()
    assert bool((high == opens).any())  # a gap below 0 counts as 0


def test_the_map_is_unit_triangular() -> None:
    order, x = fitted(bars()), bars(2, 3, seed=4)
    for member in x:
        jacobian = torch.autograd.functional.jacobian(
            lambda y: order.transform(y.reshape(1, 5, 3)).flatten(), member.flatten()
        )
        steps = order.sequence_
        at_one_step = jacobian.reshape(5, 3, 5, 3)[:, 1, :, 1][steps][:, steps]
        assert torch.equal(at_one_step.triu(1), torch.zeros(5, 5, dtype=torch.float64))
        assert torch.equal(at_one_step.diagonal(), torch.ones(5, dtype=torch.float64))
        assert torch.linalg.slogdet(jacobian).logabsdet == pytest.approx(0.0, abs=1e-12)
    assert torch.equal(order.log_det(x), torch.zeros(2, dtype=torch.float64))


def test_gradients_pass_a_gap_below_zero() -> None:
    order = fitted(bars())
    z = torch.full((1, 5, 2), -3.0, dtype=torch.float64, requires_grad=True)
    high = order.inverse_transform(z)[:, 1]
    (gradient,) = torch.autograd.grad(high.sum(), z)
    assert (gradient[:, 1] == 1.0).all()
    assert (gradient[:, 2] == 1.0).all()


def test_the_same_for_each_of_a_batch() -> None:
    order, x = fitted(bars()), bars(seed=5)
    assert torch.equal(order.transform(x)[3:4], order.transform(x[3:4]))


def shifted(share: float) -> Tensor:
    """Two columns that never cross; the gap's spread is a share of the columns'."""
    generator = torch.Generator().manual_seed(1)
    base = torch.randn(40, 12, generator=generator, dtype=torch.float64)
    gap = torch.randn(40, 12, generator=generator, dtype=torch.float64)
    return torch.stack([base, base + share * (gap - gap.min())], 1)


@pytest.mark.parametrize(
    ("x", "found"),
    [
        (shifted(0.3), True),
        (shifted(0.9), False),  # above each other, but not moving together
        (shifted(0.3)[:8], False),  # 96 rows
        (shifted(0.3)[:9], True),  # 108
        (torch.stack([shifted(0.3)[:, 0]] * 2, 1), False),  # equal: nothing to tell
        (bars()[:, [0, 3]], False),  # they cross
        (bars()[:, :1], False),  # one column
    ],
)
def test_a_claim_needs_evidence(x: Tensor, found: bool) -> None:
    order = fitted(x)
    assert bool(order.below_.any()) is found
    if not found:
        assert order.notes() == [] and torch.equal(order.transform(x), x)


def test_one_row_that_crosses_is_enough() -> None:
    x = shifted(0.3)
    x[7, 1, 5] = x[7, 0, 5] - 1e-9
    assert not fitted(x).below_.any()


def test_a_chain_is_told_link_by_link() -> None:
    """a ≤ b ≤ c: the gap of c is above the larger of both."""
    low, high = shifted(0.1).unbind(1)
    x = torch.stack([high + 0.05, low, high], 1)
    order = fitted(x)
    assert order.sequence_.tolist() == [1, 2, 0]
    assert torch.allclose(order.transform(x)[:, 0], torch.full_like(low, 0.05), atol=1e-12)


def test_in_a_pipeline_bars_stay_bars_and_grids_hold() -> None:
    """Before `raw`, which keeps two decimals of the gaps: sums of grids are on the grid."""
    x = (100 * bars(60)).round() / 100
    pipeline = Registry.resolve("preprocessing", ["order", "raw"]).fit(x)
    z = pipeline.transform(x)
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(2), dtype=z.dtype)
    opens, high, low, closes, _ = pipeline.inverse_transform(z + 0.5 * noise).unbind(1)
    assert (high >= torch.maximum(opens, closes)).all() and (low <= torch.minimum(opens, closes)).all()
    cents = 100 * torch.stack([opens, high, low, closes])
    assert float((cents - cents.round()).abs().max()) < 1e-6


def test_the_law_of_few_rows_is_the_constant_in_the_code() -> None:
    from undula.components.preprocessing import order

    assert math.isclose(order._MOST_SPREAD, 0.5) and order._FEWEST_ROWS == 100
