"""Values at the start of a window: which row is told, how it is scaled, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from undula.core.errors import DataError, MissingValuesError, OutsideTrainingWarning
from undula.data.collation import Collator
from undula.data.given import given_windows
from undula.data.options import DataOptions, Roles
from undula.data.prepare import PreparedData, prepare
from undula.data.start import StartValues


def frame(rows: int = 300, **columns: Any) -> pd.DataFrame:
    """Prices, and a level that names its row: 100 + row."""
    rng = np.random.default_rng(0)
    prices = 50 * np.exp(np.cumsum(0.01 * rng.normal(size=rows)))
    table = {"time": pd.date_range("2020-01-01", periods=rows), "price": prices}
    return pd.DataFrame({**table, "level": 100.0 + np.arange(rows), **columns})


def cut(table: pd.DataFrame, **options: Any) -> PreparedData:
    roles = {"target": ["price"], "at_start": ["level"], **options.pop("roles", {})}
    return prepare(DataOptions(**{"predict_len": 7, "roles": Roles(**roles), **options}), table)


@pytest.mark.parametrize("transform", ["none", "log_return", "difference"])
@pytest.mark.parametrize("history", [0, 4])
def test_the_row_before_what_is_generated_is_told(transform: str, history: int) -> None:
    """Of returns, the row whose price the first of them starts from."""
    table = frame()
    changes = {
        "none": table["price"].to_numpy(),
        "log_return": np.log(table["price"]).diff().to_numpy(),
        "difference": table["price"].diff().to_numpy(),
    }[transform]
    parts = cut(table, transform=transform, history_len=history).parts
    for part in (parts.train, parts.val, parts.test):
        assert part is not None
        batch = part.batch(np.arange(len(part)))
        assert batch.start is not None
        row = (batch.start[:, 0] - 100).astype(int)
        for step in range(7):
            assert np.allclose(batch.future[:, step, 0], changes[row + 1 + step], rtol=1e-12)


def test_no_later_row_is_told() -> None:
    """Other levels from the window on change neither its start nor what the network is told."""
    table = frame()
    prepared = cut(table, transform="log_return")
    collator = Collator.fit(prepared.panel, prepared.parts.train)
    one = prepared.parts.train.batch(np.array([20]))
    assert one.start is not None
    row = int(one.start[0, 0]) - 100
    table.loc[row + 1 :, "level"] = -1e6
    other = cut(table, transform="log_return").parts.train.batch(np.array([20]))
    assert np.array_equal(one.start, other.start)
    first, second = collator.condition(one), collator.condition(other)
    assert first is not None and second is not None
    assert first.parts.keys() == {"at_start"}
    assert np.array_equal(first.static["at_start"], second.static["at_start"])


def test_a_window_without_a_row_before_it_is_left_out() -> None:
    """At the beginning, and after a gap; with returns there is always one."""
    table = frame().drop(index=range(60, 80)).reset_index(drop=True)
    for transform, left_out in (("none", 2), ("log_return", 0)):
        prepared = cut(table, transform=transform)
        train = prepared.parts.train
        every = cut(table, transform=transform, roles={"at_start": []}).parts.train
        assert len(every) - len(train) == left_out
        assert any("2 without a value at their start left out" in n for n in prepared.notes) == bool(left_out)
        told = train.told()
        assert told is not None and np.isfinite(told).all()


def test_series_of_a_panel_do_not_see_one_another() -> None:
    table = pd.concat([frame(200).assign(id="a"), frame(200).assign(id="b", level=9000.0 + np.arange(200))])
    train = cut(table, roles={"series": "id"}).parts.train
    batch = train.batch(np.arange(len(train)))
    assert batch.start is not None
    second = train.starts >= 200
    assert second.any() and (batch.start[second] >= 9000).all() and (batch.start[~second] < 9000).all()


def test_missing_levels_are_refused_or_their_windows_left_out_and_never_filled_from_later_rows() -> None:
    table = frame()
    table.loc[30, "level"] = np.nan
    with pytest.raises(MissingValuesError, match=r"at the start, the first in column 'level', row 31 \(2020"):
        cut(table, transform="log_return")
    for missing in ("drop", "interpolate", "mask"):
        train = cut(table, transform="log_return", missing=missing).parts.train
        whole = cut(frame(), transform="log_return").parts.train
        assert len(whole) - len(train) == 1, missing
        told = train.told()
        assert told is not None and 130.0 not in told


def test_a_column_may_be_told_and_generated() -> None:
    prepared = cut(frame(), roles={"target": ["price", "level"]})
    batch = prepared.parts.train.batch(np.array([3]))
    assert batch.start is not None
    assert batch.future[0, 0, 1] == batch.start[0, 0] + 1
    alone = prepare(DataOptions(predict_len=7, roles=Roles(at_start=["level"])), frame())
    assert alone.panel.columns == ["price"], "found targets leave it out"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": {"at_start": ["a", "a"]}}, "'a' of roles.at_start is named twice"),
        ({"roles": {"at_start": ["a"], "static": ["a"]}}, "or in static too"),
        ({"roles": {"at_start": ["a"]}, "predict_len": None}, "no row before it"),
        ({"at_start_scale": "log"}, "name one there"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataOptions.model_validate(options)


def test_what_is_no_column_or_cut_already_is_refused() -> None:
    with pytest.raises(DataError, match="no column 'levle'"):
        cut(frame(), roles={"at_start": ["levle"]})
    with pytest.raises(DataError, match=r"roles\.at_start needs series"):
        prepare(DataOptions(roles=Roles(at_start=["level"])), np.zeros((20, 5, 2)))


def test_scales() -> None:
    values = np.exp(np.random.default_rng(0).normal(3.0, 0.5, (500, 1)))
    for scale, seen in (("linear", values), ("log", np.log(values))):
        fitted = StartValues.fit(["vix"], scale, values)  # type: ignore[arg-type]
        assert np.allclose(fitted.scaled(values), (seen - seen.mean()) / seen.std(), rtol=1e-12)
        assert np.allclose(fitted.scaled(fitted.middle(3)), 0, atol=1e-9)
        assert (fitted.lowest, fitted.highest) == ([values.min()], [values.max()])
    with pytest.raises(DataError, match=r"needs positive values.*has 'vix' = -1: use at_start_scale: linear"):
        StartValues.fit(["vix"], "log", np.array([[1.0], [-1.0]]))
    with pytest.raises(DataError, match="is 4 before every training window"):
        StartValues.fit(["vix"], "linear", np.full((9, 1), 4.0))


def test_collators_are_kept_and_older_ones_are_read() -> None:
    prepared = cut(frame(), at_start_scale="log")
    collator = Collator.fit(prepared.panel, prepared.parts.train)
    assert Collator.from_json(collator.as_json()) == collator
    older = {k: v for k, v in collator.as_json().items() if k != "start"}
    assert Collator.from_json(older).layout.static == {}
    assert collator.layout.static == {"at_start": 1}


# -- what is given ---------------------------------------------------------------------------------


def told(given: Any, **options: Any) -> np.ndarray:
    prepared = cut(frame(**options.pop("columns", {})), **options)
    collator = Collator.fit(prepared.panel, prepared.parts.train)
    start = given_windows(given, collator, prepared.options).start
    assert start is not None
    return start


def test_values_by_name() -> None:
    assert told({"level": 150}).tolist() == [[150.0]]
    assert told({"level": [150, 160.5]}).tolist() == [[150.0], [160.5]]
    both = {"roles": {"at_start": ["level", "rate"]}, "columns": {"rate": np.sin(np.arange(300.0))}}
    assert told({"rate": 0.5, "level": [150, 160]}, **both).tolist() == [[150.0, 0.5], [160.0, 0.5]]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"levle": 150}, r"names 'levle'.*'level'.*the model is told level"),
        ({}, "has no value of 'level'"),
        ({"level": "high"}, "'level' = 'high': give a number, or a list of numbers"),
        ({"level": float("nan")}, "'level' = nan: give a number"),
        ({"level": []}, "give a number, or a list"),
        (np.zeros((3, 1)), "pass `given` as {'level': …}, or as a table"),
    ],
)
def test_values_that_do_not_fit(given: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        told(given)


def test_lists_of_different_lengths_and_models_with_histories_are_refused() -> None:
    both = {"roles": {"at_start": ["level", "rate"]}, "columns": {"rate": np.sin(np.arange(300.0))}}
    with pytest.raises(DataError, match="have 2 and 3 values"):
        told({"rate": [0.1, 0.2, 0.3], "level": [150, 160]}, **both)
    with pytest.raises(DataError, match="told a history or covariates"):
        told({"level": 150}, history_len=4)


def test_values_that_training_has_not_seen_are_noted() -> None:
    with pytest.warns(OutsideTrainingWarning, match="level = 900 at the start lies outside.*100 to "):
        told({"level": [120, 900]})
    with pytest.raises(DataError, match="needs positive values, `given` has 'level' = -2"):
        told({"level": -2.0}, at_start_scale="log")


@pytest.mark.parametrize("history", [0, 4])
@pytest.mark.parametrize("transform", ["none", "log_return"])
def test_a_table_is_told_by_its_last_row(history: int, transform: str) -> None:
    """The window begins after it."""
    assert told(frame(40), history_len=history, transform=transform).tolist() == [[139.0]]


def test_a_table_with_covariates_of_the_future_is_told_by_the_row_before_them() -> None:
    columns = {"known": np.arange(300.0)}
    table = frame(40, known=np.arange(40.0))
    table.loc[33:, ["price", "level"]] = np.nan  # 7 rows to come
    start = told(table, roles={"known_covariates": ["known"]}, columns=columns)
    assert start.tolist() == [[132.0]]
    table.loc[32, "level"] = np.nan
    with pytest.raises(DataError, match="`given` has no finite value of 'level' at the start"):
        told(table, roles={"known_covariates": ["known"]}, columns=columns)
