"""`undula finance scenarios`, and `undula sample --given NAME=VALUE`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from ..domains.finance.study import SMALL, table
from .command import Call


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A finished run on returns whose volatility the level says."""
    from undula import ExperimentRunner

    folder, here = tmp_path_factory.mktemp("levels"), Path.cwd()
    table().to_csv(folder / "levels.csv", index=False)
    (folder / "levels.yaml").write_text(SMALL.replace("levels.csv", str(folder / "levels.csv")))
    os.chdir(folder)
    result = ExperimentRunner.from_config(folder / "levels.yaml", out=folder / "runs", quiet=True).run()
    os.chdir(here)
    assert result is not None
    yield result.folder


def test_the_table_and_its_files(call: Call, run: Path) -> None:
    found = call("finance", "scenarios", run, "--targets", "12,20,30", "--guidance", "0,1", "--threshold", 25, "-n", 60, "--bootstrap", 10, "--quiet")  # fmt: skip
    assert found.code == 0, found.err
    lines = found.out.splitlines()
    assert lines[0].split() == ["level", "what", "windows", "volatility,", "%", "skewness", "kurtosis", "VaR", "1", "%,", "%", "ES", "1", "%,", "%", "drawdown,", "%", "in", "range", "median", "agrees"]  # fmt: skip
    assert lines[1].split()[:2] == ["12", "real"] and lines[2].split()[:2] == ["guidance", "0"]
    assert sum("guidance 1 " in line for line in lines[:14]) == 4
    assert "guidance 1: the samples' median volatility" in found.out
    assert "held-out part, 2004" in found.out
    names = {p.name for p in (run / "scenarios").iterdir()}
    assert names == {f"scenarios_held-out.{kind}" for kind in ("csv", "json", "png", "html")}
    flat = pd.read_csv(run / "scenarios" / "scenarios_held-out.csv")
    assert len(flat) == 4 + 8 and flat["what"].value_counts()["samples"] == 8
    page = (run / "scenarios" / "scenarios_held-out.html").read_text(encoding="utf-8")
    assert "Scenarios of levels" in page and "median volatility" in page


def test_json_is_one_object(call: Call, run: Path, tmp_path: Path) -> None:
    found = call("finance", "scenarios", run, "--targets", "20", "-n", 30, "--bootstrap", 5, "--part", "train", "--out", tmp_path / "x", "--json")  # fmt: skip
    assert found.code == 0, found.err
    told = json.loads(found.out)
    assert told["part"] == "train" and told["column"] == "level" and len(told["rows"]) == 2
    assert Path(told["files"]["png"]).is_file() and Path(told["files"]["png"]).parent == tmp_path / "x"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "no scenario: give levels (--targets 12,20,30) or a threshold"),
        (("--targets", "12;20"), "--targets 12;20: give numbers with commas between them"),
        (("--targets", "20", "--guidance", "a"), "--guidance a: give numbers"),
        (("--targets", "20", "--given", "rate=2"), "`given` names 'rate'"),
        (("--targets", "20", "--given", "file.csv"), "scenarios take values by name"),
        (("--threshold", "500"), "no real window of this part begins at or above 500"),
        (("--targets", "20", "--column", "levle"), "no column 'levle'"),
        (("--targets", "20", "--part", "future"), "'future' is not one of"),
    ],
)
def test_mistakes(call: Call, run: Path, arguments: tuple[str, ...], message: str) -> None:
    found = call("finance", "scenarios", run, "-n", 10, "--quiet", *arguments)
    assert found.code == 2 and message in found.err.replace("\n", " "), found.err
    assert not found.out


def test_a_model_that_is_told_nothing(call: Call, finished: Path) -> None:
    found = call("finance", "scenarios", finished, "--targets", "20")
    assert found.code == 2 and "the model is told no column at the start of a window" in found.err


# -- sample ----------------------------------------------------------------------------------------


def test_sample_takes_values_by_name(call: Call, run: Path) -> None:
    assert call("sample", run, "-n", 6, "--given", "level=12", "-o", "low.npy", "--quiet").code == 0
    found = call("sample", run, "-n", 6, "--given", "level=36", "--quiet")
    assert found.code == 0 and found.out.strip().endswith("samples_n6_seed0_given-level=36.parquet")
    high = pd.read_parquet(found.out.strip())
    assert len(high) == 36 and not found.err


def test_a_value_that_training_has_not_seen_is_noted(call: Call, run: Path) -> None:
    found = call("sample", run, "-n", 2, "--given", "level=400", "-o", "x.csv")
    assert found.code == 0
    assert (
        "undula: note: level = 400 at the start lies outside what training has seen, 10.0005 to" in found.err
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["level=high"], "--given level=high: 'high' is not a number: write level=30"),
        (["levle=12"], "`given` names 'levle'; did you mean 'level'?"),
        (["level=12", "level=13"], "--given names 'level' twice"),
        (["level=12", "file.csv"], "--given file.csv: several are values by name"),
        (["level=nan"], "give a number"),
        ([], "conditioned on at_start: pass `given`, {'level': …} (--given level=…)"),
    ],
)
def test_values_that_do_not_fit(call: Call, run: Path, given: list[str], message: str) -> None:
    words = [word for value in given for word in ("--given", value)]
    found = call("sample", run, "-n", 2, *words, "-o", "x.csv")
    assert found.code == 2 and message in found.err, found.err
