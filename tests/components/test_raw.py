"""Grids, levels and bounds: what is found, what is not, and what the inverse makes of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from undula.components.preprocessing.raw import RawPreprocessor
from undula.core.errors import DataError

RNG = np.random.default_rng
N, L = 2000, 24


def windows(column: np.ndarray, stride: int = 1, length: int = L) -> torch.Tensor:
    """Overlapping windows (B, 1, L) of one column."""
    return torch.from_numpy(column[:, None]).unfold(0, length, stride).contiguous()


def words(column: np.ndarray, stride: int = 1, length: int = L) -> str:
    """What is found about a column."""
    fitted = RawPreprocessor().fit(windows(column, stride, length))
    return "; ".join(fitted.notes()).removeprefix("column 1: ")


def price(seed: int = 0) -> np.ndarray:
    return 100 * np.exp(np.cumsum(RNG(seed).normal(size=N)) / 100)


def switch() -> np.ndarray:
    return (np.cumsum(RNG(1).random(N) < 0.1) % 2).astype(float)


FOUND = {
    "2 decimals": price().round(2),
    "2 decimals ": price().round(2).astype(np.float32),
    "2 decimals  ": price().round(2).astype(np.float32).astype(float),
    "2 decimals   ": price().round(2) + 0.1 * RNG(2).integers(0, 9, N),
    "steps of 0.05": 0.05 * np.round(price() / 0.05),
    "steps of 0.5556 (1 decimal)": ((np.round(59 + 11 * RNG(2).normal(size=N)) - 32) / 1.8).round(1),
    "steps of 0.0669 from 0.021 (3 decimals)": (0.021 + 0.0669 * RNG(2).integers(-99, 99, N)).round(3),
    "steps of 0.125 (2 decimals)": (np.round(8 * price()) / 8).round(2).astype(np.float32),
    "steps of 0.254 (1 decimal), not below 0": (0.254 * RNG(2).geometric(0.05, N) - 0.254).round(1),
    "steps of 3.3 (whole numbers), above 0": (3.3 * RNG(2).integers(1, 201, N)).round(0),
    "steps of 5, not below 0": 5.0 * RNG(2).geometric(0.05, N) - 5,
    "steps of 1 from 0.5, not below 0.5, not above 9.5": RNG(2).integers(0, 10, N) + 0.5,
    "1 decimal": (15 + 6 * RNG(3).normal(size=N)).round(1),
    "1 decimal, not below 0": (0.1 * RNG(3).integers(0, 400, N)).astype(np.float32),
    "whole numbers, not below 0": RNG(4).poisson(0.3, N).astype(float),
    "whole numbers, above 0": np.round(np.exp(RNG(5).normal(size=N) + 10)),
    "whole numbers, above 0, not above 6": RNG(6).integers(1, 7, N).astype(float),
    "0 or 1": switch(),
    "-1, 0.5, 2 or 10": RNG(7).choice([-1, 0.5, 2, 10], N),
    "0 or 0.33": 0.33 * switch(),
    "not below 0": np.maximum(0, RNG(8).normal(size=N)),
    "not above 2": np.minimum(2, 1.5 * RNG(8).normal(size=N)),
}


@pytest.mark.parametrize("expected", FOUND)
@pytest.mark.parametrize("stride", [1, 7, L])
def test_what_a_column_can_take_is_found(expected: str, stride: int) -> None:
    found = words(FOUND[expected], stride)
    if stride == 1:
        assert found == expected.strip()
    else:  # fewer rows are left, and the bounds and levels have less evidence: never another claim
        assert not found or expected.startswith(found)


@pytest.mark.parametrize("expected", FOUND)
def test_what_a_column_held_comes_back(expected: str) -> None:
    x = windows(FOUND[expected])
    fitted = RawPreprocessor().fit(x)
    again = fitted.inverse_transform(fitted.transform(x))
    assert torch.allclose(again, x, rtol=1e-7, atol=1e-12)


NOTHING: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "normal": lambda r: r.normal(size=N),
    "normal in float32": lambda r: r.normal(size=N).astype(np.float32),
    "log returns of prices": lambda r: np.diff(np.log(price(int(r.integers(99))).round(2))),
    "three-day means of prices": lambda r: np.convolve(price(int(r.integers(99))).round(2), np.ones(3) / 3)[
        3:-3
    ],
    "exponential": lambda r: r.exponential(size=N),
    "five numbers": lambda r: r.normal(size=6),
    "few numbers in float32": lambda r: r.normal(size=22).astype(np.float32),
    "few large numbers": lambda r: (1e7 * r.normal(size=24)).astype(np.float32),
}


@pytest.mark.parametrize("name", NOTHING)
def test_data_on_no_grid_are_left_alone_exactly(name: str) -> None:
    for seed in range(5):
        column = NOTHING[name](RNG(seed))
        x = windows(column, length=min(L, len(column) - 1))
        fitted = RawPreprocessor().fit(x)
        assert fitted.notes() == []
        z = fitted.transform(x)
        plain = z * fitted.scale_.to(z) + fitted.location_.to(z)
        assert torch.equal(fitted.inverse_transform(z), plain)


UNBOUNDED: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "rounded normal": lambda r, n: np.round(r.normal(size=n) * 10 ** r.uniform(-0.3, 1)),
    "one decimal, three sd above 0": lambda r, n: np.round(3 + r.normal(size=n), 1),
    "heavy tails": lambda r, n: np.round(2 * r.standard_t(3, size=n)),
    "price": lambda r, n: np.round(50 + 0.05 * np.cumsum(r.normal(size=n)), 2),
}


@pytest.mark.parametrize("name", UNBOUNDED)
def test_a_samples_extreme_is_no_bound(name: str) -> None:
    for seed in range(12):
        r = RNG(seed)
        grid = RawPreprocessor().fit(windows(UNBOUNDED[name](r, int(10 ** r.uniform(2, 3.7))), length=8)).grid
        assert grid.low_.item() == -math.inf and grid.high_.item() == math.inf
        assert grid.levels_.shape[1] == 0


def test_counts_end_at_nothing_below_and_nowhere_above() -> None:
    for seed in range(12):
        r = RNG(seed)
        column = r.poisson(10 ** r.uniform(-0.5, 0.5), 1500).astype(float)
        grid = RawPreprocessor().fit(windows(column)).grid
        assert (grid.low_.item(), grid.high_.item()) == (0.0, math.inf)


def test_a_tail_that_thins_out_ever_faster_needs_no_wall() -> None:
    """Visits of about 650, 640, 144 and then none: a geometric tail would have gone on, this one not."""
    column = np.repeat([-2.0, -1, 0, 1, 2], [150, 800, 2000, 800, 150])
    RNG(0).shuffle(column)
    assert words(column) == "whole numbers"


def test_a_rest_at_an_extreme_is_one_visit() -> None:
    """A series that rests 300 steps on its highest value has been there once: no wall."""
    column = price().round(2)
    column[1000:1300] = column.max() + 1
    assert words(column) == "2 decimals"


def test_overlapping_windows_count_rows_once() -> None:
    """60 rows hold a saturation 4 times; their windows show it 90 times, which is no evidence."""
    column = RNG(0).normal(size=60).round(1)
    column[[5, 20, 35, 50]] = 4.0
    assert words(column) == "1 decimal"  # not: not above 4


def test_samples_print_as_the_data_do() -> None:
    """0.1-steps give 0.3, not 0.30000000000000004; the nearest possible value is taken."""
    column = 0.1 * RNG(3).integers(-400, 400, N)
    fitted = RawPreprocessor(method="none").fit(windows(column))
    x = torch.tensor([[[0.1 * 3, 0.349, -0.351, 7.0, 123.456]]], dtype=torch.float64)
    assert fitted.inverse_transform(x).flatten().tolist() == [0.3, 0.3, -0.4, 7.0, 123.5]
    low = fitted.inverse_transform(x.float())
    assert torch.equal(low, torch.tensor([[[0.3, 0.3, -0.4, 7.0, 123.5]]]))


def test_values_that_went_through_single_precision_come_back_as_they_stand_in_the_file() -> None:
    """A file with 50.189998626708984 gets no 50.19, which any tree would tell from it."""
    column = price().round(2).astype(np.float32).astype(float)
    assert not np.array_equal(column, column.round(2))
    fitted = RawPreprocessor().fit(windows(column))
    assert fitted.notes() == ["column 1: 2 decimals"]
    noisy = windows(column) + 0.004 * torch.rand(1, 1, L, dtype=torch.float64)
    assert torch.equal(fitted.inverse_transform(fitted.transform(noisy)), windows(column))
    in_single = RawPreprocessor().fit(windows(column).float())  # nothing is known of the file
    assert torch.equal(in_single.inverse_transform(in_single.transform(noisy)), windows(column.round(2)))


def test_bounds_and_levels_hold_for_any_z() -> None:
    columns = np.stack(
        [FOUND["steps of 5, not below 0"], FOUND["-1, 0.5, 2 or 10"], switch(), price()], axis=1
    )
    x = torch.from_numpy(columns).unfold(0, L, 1).contiguous()
    fitted = RawPreprocessor().fit(x)
    z = 4 * torch.randn(50, 4, 30, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    steps, levels, onoff, free = fitted.inverse_transform(z).unbind(1)
    assert bool((steps % 5 == 0).all()) and float(steps.min()) == 0 and float(steps.max()) > 195
    assert set(levels.flatten().tolist()) == {-1, 0.5, 2, 10}
    assert set(onoff.flatten().tolist()) == {0, 1}
    expected = z[:, 3] * fitted.scale_[3] + fitted.location_[3]
    assert torch.equal(free, expected)
    nearest = torch.tensor([-1, 0.5, 2, 10], dtype=torch.float64)
    plain = z[:, 1] * fitted.scale_[1] + fitted.location_[1]
    assert torch.equal(levels, nearest[(plain[..., None] - nearest).abs().argmin(-1)])


def test_gradients_pass_the_snap_as_if_it_were_not_there() -> None:
    fitted = RawPreprocessor().fit(windows(5.0 * RNG(2).geometric(0.05, N) - 5))
    z = torch.linspace(-5, 5, 40, dtype=torch.float64).reshape(1, 1, -1).requires_grad_()
    (gradient,) = torch.autograd.grad(fitted.inverse_transform(z).sum(), z)
    assert torch.allclose(gradient, fitted.scale_.expand_as(z))


def test_missing_values_speak_for_nothing() -> None:
    """What stands where a value is missing (a mean on no grid) neither hides a grid nor bounds it."""
    x = windows(price().round(2), stride=L)
    valid = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.7
    filled = torch.where(valid, x, torch.pi)
    fitted = RawPreprocessor().fit(filled, valid)
    assert fitted.notes() == ["column 1: 2 decimals"]
    assert torch.equal(fitted.inverse_transform(fitted.transform(x))[valid], x[valid])


def test_snap_can_be_switched_off_or_demanded() -> None:
    x = windows(price().round(2))
    z = RawPreprocessor().fit(x).transform(x) + 1e-3
    off = RawPreprocessor(snap=False).fit(x)
    assert off.notes() == [] and not off.snaps
    assert torch.allclose(off.transform(off.inverse_transform(z)), z, atol=1e-12)
    assert RawPreprocessor(snap=True).fit(x).notes() == ["column 1: 2 decimals"]
    demanding = RawPreprocessor(snap=True)
    demanding.columns = ["close", "volume"]
    with pytest.raises(DataError, match="'volume' the training data show neither a grid nor bounds"):
        demanding.fit(torch.cat((x, windows(price())), dim=1))


def test_names_of_columns_are_told() -> None:
    raw = RawPreprocessor()
    raw.columns = ["close", "state"]
    raw.fit(torch.cat((windows(price().round(2)), windows(switch())), dim=1))
    assert raw.notes() == ["close: 2 decimals", "state: 0 or 1"]


# -- twins -----------------------------------------------------------------------------------------


def pair(second: np.ndarray, first: np.ndarray | None = None) -> torch.Tensor:
    """Overlapping windows (B, 2, L) of two columns."""
    both = np.stack([price().round(2) if first is None else first, second], 1)
    return torch.from_numpy(both).unfold(0, L, 1).contiguous()


def test_twins_are_equal_again() -> None:
    fitted = RawPreprocessor().fit(pair(price().round(2)))
    assert any("always equal to column 1" in note for note in fitted.notes())
    z = fitted.transform(pair(price().round(2)))
    x = fitted.inverse_transform(z + 0.1 * torch.randn(z.shape, dtype=z.dtype))
    assert torch.equal(x[:, 0], x[:, 1])


def test_twins_need_every_row_and_changes() -> None:
    other = price().round(2)
    other[700] += 0.01
    assert RawPreprocessor().fit(pair(other)).notes() == ["column 1: 2 decimals", "column 2: 2 decimals"]
    still = np.full(N, 3.0)
    for few in (still, np.where(np.arange(N) < 900, 1.0, 2.0)):
        assert not any("equal" in n for n in RawPreprocessor().fit(pair(few.copy(), few)).notes())


def test_three_twins_follow_the_first_and_no_twin_without_snap() -> None:
    column = price().round(2)
    x = torch.from_numpy(np.stack([column] * 3, 1)).unfold(0, L, 1).contiguous()
    notes = RawPreprocessor().fit(x).notes()
    assert [n.endswith("always equal to column 1") for n in notes] == [False, True, True]
    assert not any("equal" in note for note in RawPreprocessor(snap=False).fit(x).notes())
