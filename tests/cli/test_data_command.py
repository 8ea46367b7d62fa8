"""`undula data`, and that every long option of every command may be written with underscores."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer

from undula.cli import app
from undula.data.options import DataOptions
from undula.data.prepare import prepare

from .command import Call

# -- windows ---------------------------------------------------------------------------------------


def test_windows_of_returns(call: Call) -> None:
    """Each window is a stretch of the returns, at the times of the file."""
    rows = pd.DataFrame(
        {"date": pd.date_range("2020-01-01", periods=60), "p": np.exp(np.linspace(0, 1, 60) ** 2)}
    )
    rows.to_csv("my.csv", index=False)
    result = call("data", "windows", "--path", "my.csv", "--seq_len", 50, "--transform", "log_return",
                  "-o", "w.npz")  # fmt: skip
    assert result.code == 0, result.err
    assert result.out == "w.npz: 10 windows of p_log_return\n"
    returns = np.diff(np.log(rows["p"]))
    with np.load("w.npz") as file:
        assert file["samples"].shape == (10, 50, 1)
        assert file["columns"].tolist() == ["p_log_return"]
        for i in range(10):
            assert np.allclose(file["samples"][i, :, 0], returns[i : i + 50])
            assert (file["time"][i] == rows["date"].to_numpy()[i + 1 : i + 51]).all()
    again = prepare(DataOptions(path="w.npz")).parts
    assert again.train.length == 50 and again.train.channels == 1


def test_windows_of_a_config_and_of_a_part(call: Call) -> None:
    assert call("data", "windows", "tiny.yaml", "--part", "test", "-o", "w.npy", "--stride", 4).code == 0
    from undula.config.loading import load_config

    test = prepare(load_config("tiny.yaml", ["data.stride=4"]).data).parts.test
    assert test is not None and np.array_equal(np.load("w.npy"), test.futures())
    call(
        "data",
        "windows",
        "tiny.yaml",
        "-o",
        "w.csv",
        "--set",
        "data.dataset={type: ar1, params: {num_steps: 60}}",
    )
    table = pd.read_csv("w.csv")
    assert list(table.columns) == ["sample", "step", "value"] and len(table) == 6 * 16


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "w.npz"), "no data: give data.path"),
        (("--dataset", "sp50", "-o", "w.npz"), r"unknown dataset 'sp50'; did you mean 'sp500'\?"),
        (("--dataset", "ar1", "-o", "w.xlsx"), "use one of .csv, .parquet, .npz, .npy"),
        (("--dataset", "ar1", "--transform", "logs", "-o", "w.npz"), "data.transform = 'logs'.*did you mean 'log'"),
        (("--dataset", "ar1", "--seq-len", "90000", "-o", "w.npz"), "a window needs 90,000"),
        (("--dataset", "ar1", "--set", "data.stride=2"), "--set changes a config: give one"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(call: Call, tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    import re

    result = call("data", "windows", *arguments)
    assert result.code == 2 and re.search(message, result.err), result.err
    assert len(result.err.splitlines()) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.yaml"]


# -- download --------------------------------------------------------------------------------------


def test_download_replaces_what_was_kept(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDULA_CACHE", str(tmp_path / "cache"))
    close = [1.0, 2.0]
    fake = types.SimpleNamespace(download=lambda *_, **__: pd.DataFrame(
        {"Close": close}, index=pd.date_range("2020-01-01", periods=len(close), name="Date")))  # fmt: skip
    monkeypatch.setitem(sys.modules, "yfinance", fake)
    assert (
        f"{tmp_path}/cache/bitcoin.parquet: 2 rows of date, close" in call("data", "download", "bitcoin").out
    )
    close.append(3.0)
    assert call("data", "download", "bitcoin", "-o", "b.csv").code == 0
    assert pd.read_csv("b.csv")["close"].tolist() == [1.0, 2.0, 3.0]
    assert len(pd.read_parquet(tmp_path / "cache" / "bitcoin.parquet")) == 3


def test_what_needs_no_download_says_so(call: Call) -> None:
    result = call("data", "download", "sp500")
    assert result.code == 2 and "'sp500' needs no download" in result.err
    assert call("data", "download", "bitcoin", "-o", "b.xlsx").code == 2


# -- spellings -------------------------------------------------------------------------------------


def commands(
    group: typer.core.TyperGroup, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    for name, command in group.commands.items():
        if isinstance(command, typer.core.TyperGroup):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


LONG = [
    (path, option, parameter)
    for path, command in commands(typer.main.get_command(app))
    for parameter in command.params
    for option in parameter.opts
    if option.startswith("--") and "-" in option[2:]
]


@pytest.mark.parametrize(("path", "option", "parameter"), LONG, ids=[" ".join((*p, o)) for p, o, _ in LONG])
def test_long_options_take_underscores(path: tuple[str, ...], option: str, parameter: object) -> None:
    spelled = "--" + option[2:].replace("-", "_")
    command = typer.main.get_command(app)
    context = command.make_context("undula", [], resilient_parsing=True)
    for name in path:
        command = command.get_command(context, name)
        context = command.make_context(name, [], parent=context, resilient_parsing=True)
    strict = type(context)(command, info_name=path[-1], parent=context.parent)
    found, _, _ = command.make_parser(strict).parse_args([spelled, *([] if parameter.is_flag else ["1"])])
    assert parameter.name in found


def test_every_command_is_covered() -> None:
    assert {path[:2] for path, _, _ in LONG} >= {("search",), ("sample",), ("data", "windows")}
