"""`undula data check`: what it says is true, and the picture is there."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread
from scipy import stats

from undula.data.options import DataOptions
from undula.data.prepare import prepare

from .command import Call


def checked(call: Call, *arguments: object) -> dict[str, object]:
    result = call("data", "check", *arguments, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_the_figures_of_returns(call: Call, tmp_path: Path) -> None:
    found = checked(call, "--dataset", "sp500_logret", "--seq-len", 50, "--split", "train")
    parts = prepare(DataOptions(dataset="sp500_logret", predict_len=50)).parts
    assert list(found["parts"]) == ["train", "val", "test"]
    for name, part in found["parts"].items():
        dataset = getattr(parts, name)
        rows = np.concatenate(dataset.stretches())[:, 0]
        moments = part["moments"]["close_log_return"]
        assert part["shape"] == [len(dataset), 50, 1]
        assert moments["count"] == len(rows) and np.isclose(moments["mean"], rows.mean())
        assert np.isclose(moments["sd"], rows.std()) and np.isclose(moments["kurtosis"], stats.kurtosis(rows))
        assert np.isclose(moments["skewness"], stats.skew(rows))
        assert (moments["min"], moments["max"], moments["missing"]) == (rows.min(), rows.max(), 0)
    assert found["parts"]["train"]["first"] == "1999-01-05" and found["parts"]["test"]["last"] == "2018-12-31"
    assert found["gaps"] == [["2001-09-10", "2001-09-17"]] and found["missing"] == found["duplicates"] == 0
    assert found["parts"]["train"]["disjoint"] == 13 + 66
    picture = imread(tmp_path / "data_check.png")
    assert picture.shape[1] > 1000 and picture.std() > 0.05


def test_the_text_names_what_was_asked_and_what_was_written(call: Call) -> None:
    result = call(
        "data", "check", "--dataset", "sp500_logret", "--seq_len", 50, "--split", "train", "-o", "p.png"
    )
    assert result.code == 0 and result.out.endswith("picture: p.png\n")
    assert "sp500_logret: 5,030 rows of close_log_return" in result.out
    assert "train   (3,926, 50, 1)" in result.out and "excess kurtosis" in result.out
    assert "gaps in time 1 (2001-09-10 to 2001-09-17)" in result.out
    moments = result.out.partition("excess kurtosis")[2]
    assert "train" in moments and "val" not in moments
    both = call("data", "check", "--dataset", "sp500_logret", "--seq-len", 50, "-o", "p.png").out
    assert "val" in both.partition("excess kurtosis")[2]


def test_missing_values_repeats_and_gaps_are_counted_not_refused(call: Call) -> None:
    days = pd.date_range("2020-01-01", periods=300)
    table = pd.DataFrame({"day": days, "a": np.sin(np.arange(300.0)), "b": np.cos(np.arange(300.0))})
    table.loc[[3, 9], "a"] = np.nan
    table = pd.concat([table.drop(index=range(100, 110)), table.iloc[[5]]])[::-1]
    table.to_csv("my.csv", index=False)
    found = checked(call, "--path", "my.csv", "--seq-len", 5)
    assert (found["missing"], found["duplicates"], found["rows"]) == (2, 1, 290)
    assert found["gaps"] == [["2020-04-09", "2020-04-20"]] and found["columns"] == ["a", "b"]
    assert found["parts"]["train"]["moments"]["a"]["missing"] == 2
    text = call("data", "check", "--path", "my.csv", "--seq-len", 5).out
    assert "a run refuses missing values until data.missing says" in text and "masked" not in text
    assert (
        "masked"
        in call(
            "data",
            "check",
            "tiny.yaml",
            "--set",
            "data={dataset: null, path: my.csv, missing: mask, predict_len: 5}",
        ).out
    )
    assert "rows were" in text and "sorted by 'day'" in text


def test_transforms_and_several_columns(call: Call) -> None:
    transform = "{open: log_return, close: {type: rolling_volatility, params: {window: 10}}}"
    found = checked(call, "--dataset", "sp500", "--columns", "open,close,volume", "--transform", transform)
    assert found["columns"] == ["open_log_return", "close_rolling_volatility_10", "volume"]


def test_windows_that_are_cut_series_and_configs(call: Call) -> None:
    np.save("w.npy", np.random.default_rng(0).normal(size=(60, 8, 2)))
    found = checked(call, "--path", "w.npy")
    assert found["parts"]["train"]["shape"] == [48, 8, 2] and found["parts"]["train"]["disjoint"] == 48
    panel = checked(call, "--dataset", "sines", "--seq-len", 24)
    assert panel["parts"]["train"]["shape"] == [8000, 24, 5]
    config = checked(
        call, "tiny.yaml", "--set", "data.split={train: 0.9, val: 0.1, test: 0.0}", "-o", "c.png"
    )
    assert list(config["parts"]) == ["train", "val"] and config["picture"] == "c.png"


def test_windows_take_split_for_part(call: Call) -> None:
    assert (
        call(
            "data", "windows", "--dataset", "sp500_logret", "--seq-len", 50, "--split", "train", "-o", "w.npz"
        ).code
        == 0
    )
    with np.load("w.npz") as file:
        assert file["samples"].shape == (3926, 50, 1) and file["columns"].tolist() == ["close_log_return"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "sp500", "-o", "p.jpg"), "the picture is a .png"),
        ((), "no data: give data.path"),
        (
            ("tiny.yaml", "--set", "data.split={train: 0.9, val: 0.1, test: 0}", "--split", "test"),
            "have no test part",
        ),
        (("--dataset", "sp500", "--split", "tests"), "tests"),
        (("--dataset", "gefcom2014"), "data.path=GEFCom2014-E.csv"),
    ],
)
def test_mistakes_are_one_message(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = call("data", "check", *arguments)
    assert result.code == 2 and message in result.err
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.yaml"]
