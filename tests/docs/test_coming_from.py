"""Every line of the guide for those who come from scripts is run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula.config.loading import validated
from undula.config.yaml12 import parse_yaml
from undula.core.errors import ConfigError
from undula.core.registry import Registry

from ..cli.command import TINY, Result, undula

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "coming-from.md").read_text(encoding="utf-8")
SEARCH = "parameters: {training.batch_size: {choice: [256]}}\ntrials: 1\n"


def lines(section: str) -> list[tuple[str, str]]:
    """(there, here) of a section's table."""
    text = re.search(rf"^## {section}\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert text is not None
    rows = [row.strip("| ").split(" | ") for row in text.group(1).splitlines() if row.startswith("| ")]
    return [(there, here.strip("`")) for there, here in rows[1:]]


COMMANDS, FILES, KEYS = lines("Commands"), lines("Files"), lines("Keys")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("undula.cli.options._state", {"debug": False})
    short = TINY.replace("num_epochs: 4", "num_epochs: 1").replace("bootstrap: 20", "bootstrap: 2")
    for name in ("X", "A", "B", "base"):
        (tmp_path / f"{name}.yaml").write_text(short.replace("name: tiny", f"name: {name}"))
    (tmp_path / "B.yaml").write_text(short.replace("num_epochs: 1", "num_epochs: 2"))
    (tmp_path / "search.yaml").write_text(SEARCH)
    return lambda *arguments: undula(capsys, monkeypatch, *arguments)


Call = Callable[..., Result]


def run(call: Call, line: str) -> Result:
    program, *arguments = shlex.split(line)
    assert program == "undula"
    return call(*arguments)


@pytest.mark.parametrize(
    ("there", "here"),
    [
        pytest.param(there, here, id=there, marks=[pytest.mark.slow] if "compare" in here else [])
        for there, here in COMMANDS
    ],
)  # a comparison starts six processes
def test_commands(call: Call, tmp_path: Path, there: str, here: str) -> None:
    before = {p.name for p in tmp_path.iterdir()}
    result = run(call, here)
    assert result.code == 0, result.err
    assert {p.name for p in tmp_path.iterdir()} > before, "nothing was written"


@pytest.mark.parametrize(("there", "here"), FILES, ids=[there for there, _ in FILES])
def test_files(call: Call, tmp_path: Path, there: str, here: str) -> None:
    rng = np.random.default_rng(0)
    np.save("windows.npy", rng.normal(size=(40, 16, 2)))
    days = pd.date_range("2010-07-29", periods=3200).strftime("%Y-%m-%d")
    names = ["Open", "High", "Low", "Close", "Volume", "Market Cap"]
    table = pd.DataFrame(np.exp(rng.normal(size=(3200, 6)) / 9), columns=names)
    table.insert(0, "Start", days)
    table[::-1].to_csv("bitcoin.csv", index=False)
    table.rename(columns={"Start": "Date"})[["Date", "Open", "High", "Low", "Close"]].to_csv("^GSPC.csv")
    if "sample" in here:
        assert call("run", "X.yaml", "--set", "experiment.name=shown", "--quiet").code == 0
    result = run(call, here)
    assert result.code == 0, result.err


@pytest.mark.parametrize(("there", "here"), KEYS, ids=[there for there, _ in KEYS])
def test_keys(there: str, here: str) -> None:
    config = validated(parse_yaml(here, "here"), "here")
    for kind, specs in config.component_specs().items():
        for spec in specs if isinstance(specs, list) else [specs]:
            if spec is not None:
                Registry.resolve(kind, spec)
    old = there.split("`")[1]
    if "as it stands" in there:
        assert validated(parse_yaml(old, "there"), "there") == config
    else:
        with pytest.raises(ConfigError, match="unknown key"):
            validated(parse_yaml(old, "there"), "there")
