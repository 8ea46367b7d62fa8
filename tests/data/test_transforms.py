"""Transforms of the target columns, one for all or one a column: values, rows, names, messages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from undula import DiffusionModel
from undula.config.loading import load_config, with_values
from undula.core.errors import ConfigError, DataError
from undula.data.options import DataOptions
from undula.data.prepare import prepare
from undula.data.transforms import ColumnTransforms

RNG = np.random.default_rng(0)
PRICES = np.exp(np.cumsum(RNG.normal(0, 0.01, (160, 2)), axis=0))
RETURNS = np.diff(np.log(PRICES), axis=0)
VOLATILITY = {"type": "rolling_volatility", "params": {"window": 5}}


def table() -> pd.DataFrame:
    return pd.DataFrame(PRICES, columns=["a", "b"]).assign(date=pd.date_range("2020-01-01", periods=160))


def rolling(x: np.ndarray, window: int) -> np.ndarray:
    return pd.Series(x).rolling(window).std().dropna().to_numpy()


def test_each_transform_is_its_formula() -> None:
    expected = {
        "none": PRICES,
        "log": np.log(PRICES),
        "difference": np.diff(PRICES, axis=0),
        "log_return": RETURNS,
    }
    for name, values in expected.items():
        made = ColumnTransforms.of(name, ["a", "b"])
        assert np.allclose(made(PRICES), values) and made.lost == len(PRICES) - len(values)


@pytest.mark.parametrize(("periods", "factor"), [(None, 1.0), (252, np.sqrt(252))])
def test_rolling_volatility_is_that_of_pandas(periods: float | None, factor: float) -> None:
    spec = {"type": "rolling_volatility", "params": {"window": 7, "periods_per_year": periods}}
    options = DataOptions(
        columns=["a"], transform=spec, predict_len=4, split={"train": 1, "val": 0, "test": 0}
    )
    panel = prepare(options, table()).panel
    assert panel.columns == ["a_rolling_volatility_7"]
    assert np.allclose(panel.series[0].values[:, 0], factor * rolling(RETURNS[:, 0], 7))
    assert panel.series[0].time is not None and panel.series[0].time[0] == pd.Timestamp("2020-01-08")
    unit = "per step" if periods is None else "per year of 252 steps"
    assert f"a_rolling_volatility_7: standard deviation of the last 7 log returns, {unit}" in panel.notes


def test_the_volatility_of_a_walk_with_constant_steps_is_that_of_its_steps() -> None:
    """Returns ±s in turn, n even: the standard deviation is s √(n/(n − 1))."""
    prices = np.exp(0.01 * np.cumsum((-1.0) ** np.arange(40)))[:, None]
    made = ColumnTransforms.of({"type": "rolling_volatility", "params": {"window": 6}}["type"], ["a"])
    assert np.allclose(made(prices), 0.01 * np.sqrt(21 / 21), atol=3e-4)
    exact = ColumnTransforms.of(
        DataOptions(transform=VOLATILITY | {"params": {"window": 6}}).transform, ["a"]
    )
    assert np.allclose(exact(prices), 0.01 * np.sqrt(6 / 5))


def test_a_transform_a_column_keeps_the_rows_together() -> None:
    transform = {"a": VOLATILITY, "b": "log"}
    options = DataOptions(transform=transform, columns=["a", "b"], predict_len=4)
    panel = prepare(options, table()).panel
    assert panel.columns == ["a_rolling_volatility_5", "b_log"]
    values = panel.series[0].values
    assert np.allclose(values[:, 0], rolling(RETURNS[:, 0], 5))
    assert np.allclose(values[:, 1], np.log(PRICES[5:, 1]))
    one = DataOptions(transform={"a": "log_return"}, columns=["a", "b"], predict_len=4)
    assert np.allclose(prepare(one, table()).panel.series[0].values, np.c_[RETURNS[:, 0], PRICES[1:, 1]])


def test_a_transform_begins_anew_after_a_gap() -> None:
    frame = table().drop(index=range(30, 40))
    panel = prepare(
        DataOptions(transform=VOLATILITY, columns=["a"], predict_len=4, split={"by": "time"}), frame
    ).panel
    assert [len(series.values) for series in panel.series] == [25, 115]
    assert np.allclose(panel.series[1].values[:, 0], rolling(RETURNS[40:, 0], 5))


def test_a_missing_price_costs_the_returns_around_it_alone() -> None:
    frame = table()
    frame.loc[20, "a"] = np.nan
    values = prepare(DataOptions(transform=VOLATILITY, columns=["a"], predict_len=4, missing="mask"), frame)
    missing = np.flatnonzero(np.isnan(values.panel.series[0].values[:, 0]))
    assert missing.tolist() == list(range(15, 21))


def test_a_series_shorter_than_the_window_leaves_nothing() -> None:
    with pytest.raises(DataError, match="no rows are left"):
        prepare(DataOptions(columns=["a"], transform="rolling_volatility"), table()[:20])


@pytest.mark.parametrize(
    ("transform", "message"),
    [
        ("log_retrun", "none of none, log, .*did you mean 'log_return'"),
        ({"a": "logs"}, "of column 'a' is none of .*did you mean 'log'"),
        ({"type": "log", "params": {"window": 3}}, "log has no parameters"),
        (
            {"type": "rolling_volatility", "params": {"window": 1}},
            "params.window: .*greater than or equal to 2",
        ),
        ({"type": "rolling_volatility", "params": {"widow": 3}}, "params.widow: Extra inputs"),
        ({}, "names no column"),
        (3, "none of none, log"),
    ],
)
def test_mistakes(transform: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        DataOptions(transform=transform)


def test_a_mistake_on_the_command_line_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^sp500: data.transform = 'logs': .*did you mean 'log'") as error:
        load_config("sp500", ["data.transform=logs"])
    assert "\n" not in str(error.value)


def test_a_column_that_is_not_generated_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"names 'c', which is not among .*\(a, b\).*data.transform=log_return"
    ):
        prepare(DataOptions(transform={"c": "log"}, columns=["a", "b"]), table())
    with pytest.raises(DataError, match=r"log needs positive values, column 'a' has -1.*\{a: none, …\}"):
        prepare(DataOptions(transform="log", columns=["a"]), table().assign(a=-1.0))


def test_options_survive_json() -> None:
    options = DataOptions(transform={"a": VOLATILITY, "b": "log"})
    assert DataOptions.model_validate(options.model_dump(mode="json")) == options
    config = with_values(load_config("sp500"), {"data.transform": VOLATILITY}, "test")
    assert config.data.transform.params.window == 5
    assert load_config("vix_sp500", ["data.transform=log"]).data.transform == "log"


def test_a_history_is_transformed_as_the_training_data_were(tmp_path: object) -> None:
    """In prices, with the rows that the furthest-looking column needs; a model keeps its transforms."""
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}},
        sampler={"type": "ddim", "params": {"num_steps": 2}},
        data={"transform": {"a": VOLATILITY, "b": "log_return"}, "columns": ["a", "b"], "history_len": 4,
              "predict_len": 4},
        training={"max_steps": 1, "threads": 1},
    ).fit(table())  # fmt: skip
    model.save(tmp_path / "m")
    again = DiffusionModel.load(tmp_path / "m")
    histories = PRICES[None, :9]
    from_array = again.sample(1, seed=1, given=histories)
    assert np.array_equal(from_array, again.sample(1, seed=1, given=table()[:9]))
    with pytest.raises(DataError, match=r"expected \(N, 9, 2\), history first \(5 rows more"):
        again.sample(1, given=PRICES[None, :6])
