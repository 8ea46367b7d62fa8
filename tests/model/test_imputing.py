"""Filling in with a model that has learned a process whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from undula import DiffusionModel, Observation
from undula.core.errors import ConfigError, DataError
from undula.evaluation.probabilistic import coverage, crps

LENGTH, PHI = 16, 0.9


def process(rows: int, seed: int) -> pd.DataFrame:
    """An AR(1) column of standard deviation 1, and its noisy double, in other units."""
    rng = np.random.default_rng(seed)
    a = lfilter([1], [1, -PHI], rng.normal(0, (1 - PHI**2) ** 0.5, rows + 100))[100:]
    b = 300 + 20 * (a + 0.3 * rng.normal(size=rows))
    time = pd.date_range("2024-01-01", periods=rows, freq="h")
    return pd.DataFrame({"when": time, "a": a, "b": b})


@pytest.fixture(scope="module")
def model() -> DiffusionModel:
    return DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 64, "num_layers": 2}},
        sampler={"type": "dpm", "params": {"num_steps": 12}},
        data={"predict_len": LENGTH, "columns": ["a", "b"]},
        training={"num_epochs": 30, "batch_size": 128, "learning_rate": 3e-3, "threads": 1},
        seed=1,
    ).fit(process(4000, 0))


@pytest.fixture(scope="module")
def holed() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with all kinds of holes, and the truth."""
    truth = process(300, 5)
    table = truth.copy()
    cells = np.random.default_rng(1).random((300, 2)) < 0.2
    cells[40:52] = True
    cells[100:140, 1] = True
    cells[-3:] = True
    table[["a", "b"]] = table[["a", "b"]].mask(cells)
    return table, truth


def test_what_is_known_comes_back_bit_for_bit(
    model: DiffusionModel, holed: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    table, truth = holed
    filled = model.impute(table, seed=2, draws=8)
    assert isinstance(filled, pd.DataFrame)
    assert list(filled.columns) == list(table.columns) and filled["when"].equals(table["when"])
    assert not filled.isna().any().any()
    for column in ("a", "b"):
        known = table[column].notna()
        assert (filled[column][known] == truth[column][known]).all()
    assert table.isna().any().any(), "the user's table is left as it is"
    again = model.impute(table.iloc[::-1], seed=2, draws=8)
    assert isinstance(again, pd.DataFrame)
    assert again.iloc[::-1].reset_index(drop=True).equals(filled), "rows that come newest first stay so"


def test_answers_are_those_of_the_process(
    model: DiffusionModel, holed: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    """Better than interpolation, sharper than the marginal, and covering; a column helps the other."""
    table, truth = holed
    values, real = table[["a", "b"]].to_numpy(), truth[["a", "b"]].to_numpy()
    samples = model.impute(values, 40, seed=3)
    assert isinstance(samples, np.ndarray) and samples.shape == (40, 300, 2)
    holes = np.isnan(values)
    assert (samples[:, ~holes] == values[~holes]).all()
    score = crps(samples, real)
    line = table[["a", "b"]].interpolate(limit_direction="both").to_numpy()
    other = (np.arange(300) >= 100) & (np.arange(300) < 140) & ~holes[:, 0]
    for c, unit in enumerate((1.0, 20.0)):
        mine = score[holes[:, c], c].mean() / unit
        assert mine < 0.8 * np.abs(line - real)[holes[:, c], c].mean() / unit
    assert score[other, 1].mean() / 20 < 0.25, "b is a, and a little noise"
    assert 0.82 < coverage(samples[:, holes], real[holes]) < 0.97


def test_samples_of_a_table_are_in_long_form(
    model: DiffusionModel, holed: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    table, _ = holed
    found = model.impute(table[:60], 3, seed=0)
    assert isinstance(found, pd.DataFrame)
    assert list(found.columns) == ["sample", "when", "a", "b"] and len(found) == 180
    assert not found.isna().any().any()
    spread = found.groupby("when")["a"].std()
    known = table["a"][:60].notna().to_numpy()
    assert (spread[known] == 0).all() and (spread[~known] > 0).all()


def test_files_and_windows_go_the_same_way(model: DiffusionModel, tmp_path: Path) -> None:
    table = process(64, 7)
    table.loc[10:12, "a"] = np.nan
    table.to_csv(tmp_path / "x.csv", index=False)
    of_file = model.impute(tmp_path / "x.csv", draws=2)
    of_table = model.impute(table, draws=2)
    assert isinstance(of_file, pd.DataFrame) and isinstance(of_table, pd.DataFrame)
    assert np.allclose(of_file[["a", "b"]], of_table[["a", "b"]])
    windows = table[["a", "b"]].to_numpy().reshape(4, LENGTH, 2)
    filled = model.impute(windows, draws=2)
    assert isinstance(filled, np.ndarray) and filled.shape == windows.shape and np.isfinite(filled).all()


def test_what_is_whole_is_returned(model: DiffusionModel) -> None:
    table = process(40, 3)
    found = model.impute(table, draws=2)
    assert isinstance(found, pd.DataFrame) and found.equals(table)


def test_samples_follow_any_operator(model: DiffusionModel) -> None:
    """Means of four steps that were measured are those of the samples; the rest is free."""
    means = process(LENGTH, 9)[["a", "b"]].to_numpy().reshape(4, 4, 2).mean(1)
    operator = {"type": "decimation", "params": {"factor": 4, "method": "mean"}}
    for guidance in ("posterior", "projection"):
        samples = model.sample(20, observation=Observation(means, operator=operator), guidance=guidance)
        found = np.asarray(samples).reshape(20, 4, 4, 2).mean(2)
        assert np.abs((found - means) / [1, 20]).max() < 1e-3
        assert (np.asarray(samples).std(0) > 0.05).all()
    noisy = model.sample(60, observation=Observation(means, operator=operator, sigma=[2.0, 40.0]))
    assert (np.asarray(noisy).std(0) > np.asarray(samples).std(0)).mean() > 0.9, "noise leaves more open"


def test_mistakes_are_one_sentence(model: DiffusionModel, holed: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    table, _ = holed
    with pytest.raises(DataError, match="column 'b'"):
        model.impute(table[["when", "a"]])
    with pytest.raises(DataError, match=r"the array has shape \(300, 1\): expected \(L, 2\)"):
        model.impute(table[["a"]].to_numpy())
    with pytest.raises(ConfigError, match="draws = 0: give a positive number"):
        model.impute(table, draws=0)
    with pytest.raises(
        DataError, match="the observation has 5 steps and 2 columns; operator identity makes 16"
    ):
        model.sample(2, observation=Observation(np.zeros((5, 2))))
    with pytest.raises(
        ConfigError, match="guidance posterior steers towards an observation, and there is none"
    ):
        model.sample(2, guidance="posterior")


def test_a_model_that_is_told_a_history_says_what_to_do() -> None:
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}},
        data={"predict_len": 8, "history_len": 8, "columns": ["a", "b"]},
        training={"num_epochs": 1},
    ).fit(process(400, 0))
    with pytest.raises(ConfigError, match=r"the model is told a history.*train with data.history_len: 0"):
        model.impute(process(50, 1))
