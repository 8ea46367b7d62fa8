"""Forecasts of processes whose conditional distribution is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from undula import DiffusionModel
from undula.core.errors import ConfigError, DataError

PHI, H = 0.8, 8
NETWORK = {"type": "mlp", "params": {"model_dim": 64, "num_layers": 2}}
TRAINING = {"num_epochs": 25, "batch_size": 128, "learning_rate": 3e-3, "threads": 1}


def process(rows: int, seed: int) -> pd.DataFrame:
    """An hourly AR(1) of mean 50 and standard deviation 10."""
    noise = np.random.default_rng(seed).normal(0, (1 - PHI**2) ** 0.5, rows + 100)
    level = 50 + 10 * lfilter([1], [1, -PHI], noise)[100:]
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=rows, freq="h"), "level": level})


def model_of(**data: object) -> DiffusionModel:
    return DiffusionModel(
        architecture=NETWORK,
        sampler={"type": "dpm", "params": {"num_steps": 12}},
        data={"predict_len": H, **data},
        training=TRAINING,
        seed=1,
    ).fit(process(4000, 0))


@pytest.fixture(scope="module")
def told() -> DiffusionModel:
    return model_of(history_len=H)


@pytest.fixture(scope="module")
def guided() -> DiffusionModel:
    return model_of(predict_len=2 * H)


def errors(model: DiffusionModel, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the mean in conditional standard deviations and ratio of the spread, at each step, over 12 origins."""
    steps = np.arange(1, horizon + 1)
    spread = 10 * np.sqrt(1 - PHI ** (2 * steps))
    table = process(400, 3)
    off, ratio = [], []
    for origin in range(100, 340, 20):
        paths = model.forecast(table[:origin], horizon, 100, seed=origin).paths[0][..., 0]
        mean = 50 + PHI**steps * (table["level"][origin - 1] - 50)
        off.append((paths.mean(0) - mean) / spread)
        ratio.append(paths.std(0) / spread)
    return np.sqrt(np.square(off).mean(0)), np.mean(ratio, axis=0)


@pytest.mark.parametrize("which", ["told", "guided"])
def test_the_conditional_distribution_is_met(which: str, request: pytest.FixtureRequest) -> None:
    """By a network that is told the history, and by guidance of one that is told nothing."""
    off, ratio = errors(request.getfixturevalue(which), H)
    assert off.max() < 0.6 and off.mean() < 0.35, off
    assert (abs(ratio[2:] - 1) < 0.3).all() and (abs(ratio[:2] - 1) < 1.0).all(), ratio


def test_a_longer_horizon_goes_on_from_each_path(told: DiffusionModel, guided: DiffusionModel) -> None:
    for model in (told, guided):
        found = model.forecast(process(100, 4), 20, 300, seed=2)
        paths = found.paths[0][..., 0]
        assert paths.shape == (300, 20)
        for k in (7, 8, 14):
            rho = np.corrcoef(paths[:, k], paths[:, k + 1])[0, 1]
            assert rho > 0.5, f"steps {k} and {k + 1} are joined"
        assert found.times[0][0] == np.datetime64("2024-01-05T04:00") and len(found.times[0]) == 20


def test_samples_depend_on_the_seed_alone(told: DiffusionModel) -> None:
    table = process(50, 5)
    a, b = told.forecast(table, 5, 4, seed=3), told.forecast(table.iloc[::-1], 5, 4, seed=3)
    assert np.array_equal(a.paths[0], b.paths[0]), "rows that come newest first are sorted"
    assert not np.array_equal(a.paths[0], told.forecast(table, 5, 4, seed=4).paths[0])
    of_array = told.forecast(table[["level"]].to_numpy(), 5, 4, seed=3)
    assert np.array_equal(a.paths[0], of_array.paths[0]) and of_array.times[0].tolist() == [1, 2, 3, 4, 5]


def test_tables_have_times_and_units(told: DiffusionModel) -> None:
    found = told.forecast(process(50, 5), 3, 4)
    table = found.table()
    assert list(table.columns) == ["sample", "time", "level"] and len(table) == 12
    assert table["time"].nunique() == 3 and table["level"].between(0, 100).all()
    quantiles = found.quantiles([0.1, 0.9])
    assert list(quantiles.columns) == ["time", "feature", "quantile", "value"] and len(quantiles) == 6
    wide = quantiles.pivot(index="time", columns="quantile", values="value")
    assert (wide[0.1] <= wide[0.9]).all()
    assert wide[0.9].iloc[1] == np.quantile(found.paths[0][:, 1, 0], 0.9)


def test_returns_come_back_as_prices() -> None:
    """Anchored at the last price; of a random walk the spread grows as √h."""
    rng = np.random.default_rng(0)
    price = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal((2500, 2)), axis=0))
    table = pd.DataFrame(price, columns=["a", "b"])
    table.insert(0, "date", pd.bdate_range("2015-01-01", periods=2500))
    for transform, anchored in (("log_return", True), ({"a": "log_return", "b": "log"}, True)):
        model = DiffusionModel(
            architecture=NETWORK,
            data={"predict_len": 5, "history_len": 5, "transform": transform, "columns": ["a", "b"]},
            training={**TRAINING, "num_epochs": 6},
        ).fit(table[:2000])
        found = model.forecast(table, 5, 400)
        assert found.columns == ["a", "b"] and anchored
        change = np.log(found.paths[0][..., 0] / price[-1, 0])
        assert change.std(0) == pytest.approx(0.01 * np.sqrt(np.arange(1, 6)), rel=0.3)
        assert np.allclose(found.histories[0], price[-len(found.histories[0]) :])
        assert pd.DatetimeIndex(found.times[0]).day_of_week.max() < 5, "no weekends where there were none"


def test_panels_and_known_covariates() -> None:
    """Each series is forecast; what is known of the future is used, and has to be there."""
    rng = np.random.default_rng(1)
    tables = []
    for name in ("north", "south"):
        driver = rng.normal(size=600)
        table = pd.DataFrame(
            {"day": pd.date_range("2023-01-01", periods=600), "zone": name, "driver": driver}
        )
        tables.append(table.assign(load=100 + 10 * driver + rng.normal(size=600)))
    panel = pd.concat(tables, ignore_index=True)
    model = DiffusionModel(
        architecture=NETWORK,
        data={"predict_len": 4, "history_len": 2,
              "roles": {"series": "zone", "target": ["load"], "known_covariates": ["driver"]}},
        training=TRAINING,
    ).fit(panel[panel["day"] < "2024-05-01"])  # fmt: skip
    history = panel[panel["day"] < "2024-06-05"].copy()
    ahead = history["day"] >= "2024-06-01"
    truth = history.loc[ahead, "load"].to_numpy().reshape(2, 4)
    history.loc[ahead, "load"] = np.nan
    found = model.forecast(history, 4, 50)
    assert found.names == ["north", "south"] and list(found.table().columns)[:2] == ["sample", "zone"]
    for k in (0, 1):
        assert np.abs(found.paths[k][..., 0].mean(0) - truth[k]).mean() < 3, "the driver says it"
        assert found.times[k][0] == np.datetime64("2024-06-01")
    with pytest.raises(DataError, match="needs driver of these rows, and there are 0 of them"):
        model.forecast(history[~ahead], 4)


def test_mistakes_are_one_sentence(told: DiffusionModel) -> None:
    table = process(60, 5)
    holed = table.copy()
    holed.loc[57, "level"] = np.nan
    cases = [
        (table[:3], "the history has 3 rows after its last gap in time, the model needs 8"),
        (holed, "has missing values in its last 8 rows: fill them first, for example with `undula impute`"),
        (table.rename(columns={"level": "other"}), "the history has the columns"),
        (
            process(600, 1)[::24],
            "has a row every 1 day, the model was trained on one every 1 hour: resample it",
        ),
        (table.assign(level=np.nan), "has no values of level"),
        (np.zeros((20, 2)), r"a history of shape \(20, 2\): expected \(T, 1\)"),
        (np.zeros((5, 1)), "the history has 5 rows, the model needs 8"),
        (5.0, "a history of type float: give a table"),
    ]
    for history, message in cases:
        with pytest.raises(DataError, match=message):
            told.forecast(history, 4)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="horizon = 0: give a positive number"):
        told.forecast(table, 0)
    with pytest.raises(DataError, match="no data: give data"):
        told.forecast()
