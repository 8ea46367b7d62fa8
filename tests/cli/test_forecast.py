"""`undula forecast` and `undula impute`: files, tables, pictures, and one sentence for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from undula import DiffusionModel

from .command import Call


def series(rows: int, step: str = "h") -> pd.DataFrame:
    noise = np.random.default_rng(0).normal(size=rows + 100)
    level = 50 + 10 * lfilter([1], [1, -0.8], noise)[100:]
    return pd.DataFrame({"when": pd.date_range("2024-01-01", periods=rows, freq=step), "level": level})


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`told`, which is told 8 rows of the file x.csv, and `free`, which is told nothing."""
    folder = tmp_path_factory.mktemp("models")
    series(600).to_csv(folder / "x.csv", index=False)
    for name, history in (("told", 8), ("free", 0)):
        data = {"path": str(folder / "x.csv"), "history_len": history, "predict_len": 8, "stride": 2}
        DiffusionModel(
            architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}},
            sampler={"type": "dpm", "params": {"num_steps": 5}},
            data=data,
            training={"num_epochs": 2, "threads": 1},
        ).fit().save(folder / name)  # fmt: skip
    return folder


def test_paths_quantiles_and_a_picture(call: Call, models: Path, tmp_path: Path) -> None:
    result = call("forecast", models / "told", "--horizon", 12, "--samples", 5, "-o", "f.csv")
    assert result.code == 0, result.err
    assert result.out.split() == ["f.csv", "f.png"] and (tmp_path / "f.png").stat().st_size > 1000
    table = pd.read_csv(tmp_path / "f.csv")
    assert list(table.columns) == ["sample", "time", "level"] and len(table) == 60
    assert table["time"].iloc[0] == "2024-01-26 00:00:00", "the hour after the file's end"
    fan = call(
        "forecast", models / "free", models / "x.csv", "--quantiles", ".1,.9", "--samples", 9, "-o", "-"
    )
    assert fan.code == 0, fan.err
    assert fan.out.splitlines()[0] == "time,feature,quantile,value" and len(fan.out.splitlines()) == 9


def test_a_backtest_beside_forecasters(call: Call, models: Path) -> None:
    result = call(
        "forecast", models / "told", "--backtest", 4, "--samples", 20, "--forecasters", "naive", "--calibrate"
    )
    assert result.code == 0, result.err
    lines = result.out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["undula, calibrated", "undula", "naive"]
    found = json.loads(
        call(
            "forecast", models / "told", "--backtest", 3, "--samples", 9, "--forecasters", "naive", "--json"
        ).out
    )
    assert found["scores"]["naive"]["origins"] == 3 and found["columns"] == ["level"]


def test_gaps_are_filled_and_drawn(call: Call, models: Path, tmp_path: Path) -> None:
    table = series(60)
    table.loc[20:25, "level"] = np.nan
    table.to_csv(tmp_path / "gaps.csv", index=False)
    result = call("impute", models / "free", "gaps.csv", "--draws", 4)
    assert result.code == 0, result.err
    assert (
        result.out.split() == ["gaps_filled.csv", "gaps_filled.png"]
        and "6 missing values filled" in result.err
    )
    filled = pd.read_csv(tmp_path / "gaps_filled.csv")
    assert (
        not filled.isna().any().any()
        and (filled["level"][:20] == pd.read_csv("gaps.csv")["level"][:20]).all()
    )
    several = call("impute", models / "free", "gaps.csv", "--samples", 2, "-o", "-", "--quiet")
    assert several.out.splitlines()[0] == "sample,when,level" and len(several.out.splitlines()) == 121


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("impute told short.csv", "the model is told a history, which may itself be missing"),
        ("impute free short.csv -o short.csv", "output 'short.csv' is the data themselves"),
        ("impute free short.csv -o short.npz", "short.csv holds a table: use .csv or .parquet"),
        (
            "impute free daily.csv",
            "the table has a row every 1 day, the model was trained on one every 1 hour",
        ),
        ("forecast told short.csv", "the history has 5 rows after its last gap in time, the model needs 8"),
        (
            "forecast told daily.csv",
            "has a row every 1 day, the model was trained on one every 1 hour: resample it",
        ),
        ("forecast told other.csv", "the history has the columns"),
        ("forecast told holed.csv", "has missing values in its last 8 rows: fill them first"),
        ("forecast told --quantiles .5,2", "--quantiles '.5,2': give numbers between 0 and 1"),
        ("forecast told -o f.npy", "output 'f.npy': use .csv or .parquet"),
        ("forecast free --guidance projectio", "unknown guidance 'projectio'; did you mean 'projection'"),
        ("forecast told --backtest 3 --forecasters nave", "unknown forecaster 'nave'; did you mean 'naive'"),
    ],
)
def test_mistakes_are_one_sentence(
    call: Call, models: Path, tmp_path: Path, command: str, message: str
) -> None:
    series(5).to_csv(tmp_path / "short.csv", index=False)
    series(40, "D").to_csv(tmp_path / "daily.csv", index=False)
    series(40).rename(columns={"level": "other"}).to_csv(tmp_path / "other.csv", index=False)
    holed = series(40)
    holed.loc[37, "level"] = np.nan
    holed.to_csv(tmp_path / "holed.csv", index=False)
    name, model, *rest = command.split()
    result = call(name, models / model, *rest)
    assert result.code == 2 and message in result.err and "Traceback" not in result.err, result.err
