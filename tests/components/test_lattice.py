"""Steps that are no multiple of a power of ten: which are found, which are not, and what becomes of samples."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from undula.components.preprocessing._lattice import Lattice, lattice
from undula.components.preprocessing.raw import RawPreprocessor

RNG = np.random.default_rng
N, L = 1500, 24


def fitted(column: np.ndarray) -> RawPreprocessor:
    """Fitted on overlapping windows of one column; scales nothing."""
    return RawPreprocessor(method="none").fit(torch.from_numpy(column[:, None]).unfold(0, L, 1).contiguous())


def snapped(to: RawPreprocessor, x: np.ndarray) -> np.ndarray:
    return to.inverse_transform(torch.from_numpy(x)[None, None]).numpy().ravel()


def found_in(column: np.ndarray, decimals: int) -> Lattice | None:
    return lattice(np.unique((column * 10**decimals).round()), 0.0)


SENSORS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "°F in °C, 1 decimal": (lambda k: ((k - 32) / 1.8).round(1), 15),
    "°F in °C, 2 decimals": (lambda k: ((k - 32) / 1.8).round(2), 15),
    "0.0669 in 3 decimals": (lambda k: (0.0117 + 0.0669 * k).round(3), 80),
    "thirds in 2 decimals": (lambda k: (k / 3).round(2), 30),
    "eighths in 2 decimals": (lambda k: (k / 8).round(2), 50),
}
"""Values of whole k, and the standard deviation of k."""


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", SENSORS)
def test_samples_become_the_nearest_value_that_the_sensor_can_produce(name: str, dtype: type) -> None:
    """Also where none was seen: every fifth value within the range and all beyond are new."""
    sensor, spread = SENSORS[name]
    k = np.round(50 + spread * RNG(0).normal(size=N))
    k[k % 5 == 0] += 1
    reach = 2 * (k.max() - k.min())
    possible = sensor(np.arange(k.min() - reach, k.max() + reach + 1))
    preprocessor = fitted(sensor(k).astype(dtype))
    noise = 0.45 * np.diff(possible).min() * RNG(1).uniform(-1, 1, len(possible))
    assert np.array_equal(snapped(preprocessor, possible + noise), possible)
    assert np.array_equal(snapped(preprocessor, sensor(k).astype(dtype)), sensor(k).astype(dtype))


SMOOTH: dict[str, Callable[[np.random.Generator, int], np.ndarray]] = {
    "normal": lambda r, n: r.normal(size=n),
    "walk": lambda r, n: np.cumsum(r.normal(size=n)) / 10,
    "uniform": lambda r, n: r.uniform(-1, 1, n),
    "heavy tails": lambda r, n: r.standard_t(3, size=n),
    "two scales": lambda r, n: r.normal(size=n) * r.choice([0.1, 10], n),
    "waves": lambda r, n: np.sin(np.arange(n) * r.uniform(0.01, 0.5)) + 0.05 * r.normal(size=n),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_rounded_smooth_data_have_no_other_step(name: str) -> None:
    for seed in range(40):
        r = RNG(seed)
        column = 10 ** r.uniform(-1, 2) * SMOOTH[name](r, int(10 ** r.uniform(1.5, 3)))
        assert found_in(column.round(3), 3) is None
    assert fitted(column.round(3)).notes()[0].startswith("column 1: 3 decimals")


def test_few_values_are_no_evidence() -> None:
    """13 values fall on one of the lattices with a step of 5.3 too easily, 60 do not."""
    k = RNG(0).permutation(400)
    few, many = (np.sort(np.round(5.3 * k[:n])) for n in (13, 60))
    assert lattice(few, 0.0) is None
    found = lattice(many, 0.0)
    assert found is not None and abs(found.step - 5.3) < 0.01


def test_a_step_of_two_units_is_decimals_and_no_more() -> None:
    assert found_in(np.round(1.8 * RNG(0).integers(0, 400, N), 1), 1) is not None
    assert found_in(np.round(0.18 * RNG(0).integers(0, 400, N), 1), 1) is None


@pytest.mark.parametrize("seed", range(6))
def test_absent_values_leave_the_step_as_it_is(seed: int) -> None:
    """From any step and offset, few of the values seen: own values stay, and those between come out right."""
    r = RNG(seed)
    step, offset = r.uniform(3, 300), r.uniform(0, 300)
    k = np.unique(np.round(r.normal(size=400) * 2000))
    found = lattice(np.round(offset + step * k), 0.0)
    assert found is not None and abs(found.step - step) < 1e-3 and -0.5 <= found.offset < found.step - 0.5

    def nearest(units: np.ndarray) -> np.ndarray:
        return np.round(np.round((units - found.offset) / found.step) * found.step + found.offset)

    seen = np.round(offset + step * k)
    assert np.array_equal(nearest(seen), seen)
    between = np.round(offset + step * np.arange(k[0], k[-1] + 1))
    assert (nearest(between) == between).mean() > 0.95 and np.abs(nearest(between) - between).max() <= 1


@pytest.mark.parametrize("step", [50 / 9, 500 / 9, 25 / 2, 100 / 3])
def test_simple_fractions_are_exact_also_where_nothing_was_seen(step: float) -> None:
    for seed in range(30):
        r = RNG(seed)
        found = lattice(np.round(step * np.sort(r.permutation(80)[:24] + r.integers(-50, 100))), 0.0)
        assert found is not None and abs(found.step - step) < 1e-12 and found.offset == 0


def test_every_second_value_seen_makes_the_step_twice_as_long() -> None:
    found = lattice(np.round(20.7 * 2 * np.arange(200.0)), 0.0)
    assert found is not None and abs(found.step - 41.4) < 1e-6


def test_a_wide_range_is_looked_through_in_coarser_bins() -> None:
    units = np.unique(np.round(33.3 * RNG(0).integers(0, 60_000, 3000)))
    assert units[-1] > 2**20
    found = lattice(units, 0.0)
    assert found is not None and abs(found.step - 33.3) < 1e-6


# -- what was filled into a gap --------------------------------------------------------------------


def with_odd(places: list[int]) -> np.ndarray:
    """A sensor's values, in a few rows one that is half a step off."""
    k = np.round(60 * RNG(0).normal(size=N))
    column = (0.0669 * k).round(3)
    column[places] = round(0.0669 * 10.5, 3)
    return column


def test_one_value_that_was_there_once_hides_no_lattice() -> None:
    preprocessor = fitted(with_odd([700]))
    assert preprocessor.notes() == ["column 1: steps of 0.0669 (3 decimals)"]
    got = snapped(preprocessor, with_odd([700]))
    assert (got != with_odd([700])).sum() == 1 and np.abs(got - with_odd([700])).max() < 0.0669


def test_a_value_that_is_come_back_to_belongs_to_the_column() -> None:
    assert fitted(with_odd([700, 900])).notes() == ["column 1: 3 decimals"]


def test_many_values_that_were_there_once_hide_it() -> None:
    column = with_odd([])
    column[100:110] = np.round(0.0669 * (np.arange(10) + 0.37), 3)
    assert fitted(column).notes() == ["column 1: 3 decimals"]


def test_an_odd_value_close_to_others_does_not_shorten_the_step() -> None:
    column = with_odd([])
    column[700] = round(column[700] + 0.002, 3)
    assert fitted(column).notes() == ["column 1: steps of 0.0669 (3 decimals)"]


# -- signs, files, real data -----------------------------------------------------------------------


def test_signs_are_told_on_lattices_through_0_only() -> None:
    counts = RNG(0).integers(1, 300, N)
    assert fitted((0.254 * counts).round(1)).grid.low_.item() == 0.3
    below = fitted((-0.254 * counts).round(1))
    assert below.grid.high_.item() == -0.3 and "below 0" in below.notes()[0]
    aside = fitted((0.1 + 0.254 * counts).round(1))
    assert (
        aside.notes() == ["column 1: steps of 0.254 from 0.1 (1 decimal)"]
        and aside.grid.low_.item() == -math.inf
    )


def test_what_was_found_is_stored() -> None:
    first = fitted((-5 + np.pi / 10 * np.round(30 * RNG(0).normal(size=N))).round(2))
    assert first.notes() == ["column 1: steps of 0.3142 from 0.03 (2 decimals)"]
    second = RawPreprocessor(method="none")
    second.load_state(first.state)
    x = RNG(1).normal(size=500) * 20
    assert second.notes() == first.notes() and np.array_equal(snapped(second, x), snapped(first, x))


def test_whole_steps_of_older_files_are_understood() -> None:
    first = fitted(5.0 * RNG(0).geometric(0.05, N))
    second = RawPreprocessor(method="none")
    whole = {
        name: v.long() if name in ("grid.step_", "grid.offset_") else v for name, v in first.state.items()
    }
    second.load_state(whole)
    x = RNG(1).normal(size=500) * 50
    assert second.notes() == first.notes() and np.array_equal(snapped(second, x), snapped(first, x))


@pytest.mark.data
def test_loads_of_a_transformer_are_on_lattices(shared_data: Path) -> None:
    """Noise of 2 % of a standard deviation on top of them, rounded, makes values of the file again."""
    rows = pd.read_parquet(shared_data / "ett" / "etth1.parquet").select_dtypes("number")
    preprocessor = RawPreprocessor(method="none")
    preprocessor.columns = list(rows)
    table = rows.to_numpy(np.float32)
    preprocessor.fit(torch.tensor(table).unfold(0, L, 1).contiguous())
    steps = [66.98, 66.98, 35.535, 35.535, 30.459, 30.459, 70.347]
    assert np.allclose(preprocessor.grid.step_, steps, atol=1e-3)
    assert all(note.endswith("(3 decimals)") for note in preprocessor.notes())

    again = preprocessor.inverse_transform(torch.tensor(table.T[None])).numpy()[0].T
    off = np.abs(again - table).max(0)
    assert (
        off <= [0, 0, 1.001e-3, 0, 0, 0, 0]
    ).all()  # of MUFL, the halves: 100 · 0.035535 = 3.5535 was 3.553
    assert (again != table).mean() < 0.001

    noisy = table.T + 0.02 * table.std(0)[:, None] * RNG(0).normal(size=table.T.shape)
    got = preprocessor.inverse_transform(torch.from_numpy(noisy[None]).float()).numpy()[0]
    for column, values in zip(got, table.T, strict=True):
        assert np.isin(column, values).mean() > 0.98
