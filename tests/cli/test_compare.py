"""`undula compare` as a user calls it, with its child processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .command import Call

SHORT = (
    "--set",
    "training.num_epochs=1",
    "--set",
    "training.sample_every=null",
    "--set",
    "evaluation.metrics=[std, acf]",
)


@pytest.fixture
def call(call: Call, tmp_path: Path) -> Call:
    """`undula …` in a folder that holds tiny.yaml and narrow.yaml."""
    (tmp_path / "narrow.yaml").write_text(
        "extends: tiny.yaml\ncomponents: {architecture: {params: {model_dim: 8}}}\n"
    )
    return call


@pytest.mark.slow
def test_two_files_one_seed_then_nothing_left(call: Call, tmp_path: Path) -> None:
    first = call("compare", "--configs", "tiny.yaml", "narrow.yaml", "--seeds", 1, "--workers", 2, *SHORT)
    assert first.code == 0, first.err
    assert "tiny, seed 3: done" in first.err and "compare: 2 of 2 done" in first.err
    (folder,) = (tmp_path / "experiments" / "comparisons" / "tiny").iterdir()
    header = first.out.splitlines()[0].split()
    assert header[:4] == ["figure", "tiny", "narrow", "floor"]
    assert (
        "There is one seed" in first.out
        and f"page: experiments/comparisons/tiny/{folder.name}/report.html" in first.out
    )
    seeds = [
        json.loads((folder / "runs" / n / "results.json").read_text())["seed"]
        for n in ("tiny-seed3", "narrow-seed3")
    ]
    assert seeds == [3, 3]

    again = call("compare", "--resume", "tiny", "--json")
    assert again.code == 0 and again.err == ""
    found = json.loads(again.out)
    assert found["labels"] == ["tiny", "narrow"] and set(found["figures"]) == {"std", "acf"}
    assert [run["status"] for run in found["runs"]] == ["finished"] * 2

    mixed = call("compare", folder / "runs" / "tiny-seed3", folder / "runs" / "narrow-seed3", "--json")
    assert json.loads(mixed.out)["figures"] == found["figures"], "labels are those of the folders"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "give configs, presets or run folders to compare"),
        (("tiny.yaml",), "one config cannot be compared"),
        (("tiny.yaml", "narrow.yaml", "--resume", "x"), "--resume goes on with a comparison's own configs"),
        (("--resume", "x"), "x is not the folder of a comparison"),
        (("tiny.yaml", "narrow.yaml", "--memory", "-1"), "--memory -1: give a positive number of GiB"),
        (("tiny.yaml", "no_preset"), "'no_preset' is neither a file nor a preset"),
        (("tiny.yaml", "experiments"), "experiments is not a run folder"),
    ],
)
def test_mistakes_are_one_message(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "experiments").mkdir()
    result = call("compare", *arguments)
    assert result.code == 2 and message in result.err
    assert "Traceback" not in result.err and not list((tmp_path / "experiments").iterdir())
