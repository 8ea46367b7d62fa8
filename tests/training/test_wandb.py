"""Weights & Biases without a network: offline, in the run folder alone; a missing package is told."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from undula import ExperimentRunner
from undula.core.errors import ConfigError
from undula.training.loggers import WandbLogger

from ..cli.command import TINY, process

TRACKED = ("--set", "wandb={enabled: true, mode: offline, tags: [short]}", "--set", "training.max_steps=6")


class _FakeRun:
    def __init__(self) -> None:
        self.logged: list[tuple[int, dict[str, float]]] = []
        self.summary: dict[str, float] = {}
        self.ended: int | None = None

    def log(self, values: dict[str, float], step: int) -> None:
        self.logged.append((step, values))

    def finish(self, exit_code: int) -> None:
        self.ended = exit_code


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A module `wandb` that keeps what it is told."""
    told: dict[str, Any] = {"runs": [], "inits": []}

    def init(**options: Any) -> _FakeRun:
        told["inits"].append(options)
        told["runs"].append(_FakeRun())
        return told["runs"][-1]

    module = SimpleNamespace(init=init, Error=RuntimeError, Settings=lambda **k: k, __spec__=object())
    monkeypatch.setitem(sys.modules, "wandb", module)
    return told


def runner(folder: Path, *changes: str) -> ExperimentRunner:
    (folder / "tiny.yaml").write_text(TINY)
    changes = ("training.max_steps=6", "evaluation.metrics=[std]", *changes)
    return ExperimentRunner.from_config(folder / "tiny.yaml", changes, out=folder, quiet=True)


def test_config_numbers_and_summary_are_logged_and_the_id_is_kept(
    fake: dict[str, Any], tmp_path: Path
) -> None:
    block = "wandb={enabled: true, mode: online, project: p, entity: e, tags: [a, b]}"
    outcome = runner(tmp_path, block).run()
    assert outcome is not None
    (options,), (run,) = fake["inits"], fake["runs"]
    assert (options["project"], options["entity"], options["tags"]) == ("p", "e", ["a", "b"])
    assert (options["mode"], options["resume"]) == ("online", "allow")
    assert options["config"]["training"]["max_steps"] == 6
    assert Path(options["dir"]) == outcome.folder
    curve = [json.loads(line) for line in (outcome.folder / "metrics.jsonl").open()]
    assert [{"step": step, **values} for step, values in run.logged] == curve
    assert run.summary["metrics/std"] == outcome.results["metrics"]["std"]["value"]
    assert run.summary["best_val_loss"] == outcome.results["training"]["best_val_loss"]
    assert run.ended == 0
    runner(tmp_path, block).run(resume=outcome.folder)
    assert fake["inits"][1]["id"] == options["id"]


def test_a_failed_run_ends_as_failed(fake: dict[str, Any], tmp_path: Path) -> None:
    changes = ("training.learning_rate=1e30", "training.clip_norm=null", "training.warmup_steps=0")
    with pytest.raises(Exception, match="not finite"):
        runner(tmp_path, "wandb={enabled: true}", *changes).run()
    assert fake["runs"][0].ended == 1


def test_nothing_is_logged_unless_asked(fake: dict[str, Any], tmp_path: Path) -> None:
    runner(tmp_path).run()
    assert fake["inits"] == []


def test_a_missing_package_is_told_before_training(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("undula.training.loggers.importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'undula\[wandb\]'"):
        runner(tmp_path, "wandb={enabled: true}").prepare()


def test_the_mode_is_the_environments_unless_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    assert WandbLogger(tmp_path, "a", {}).mode == "online"
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert WandbLogger(tmp_path, "a", {}).mode == "offline"
    assert WandbLogger(tmp_path, "a", {}, mode="online").mode == "online"


def test_unreachable_is_told(fake: dict[str, Any], tmp_path: Path) -> None:
    def refuse(**_: Any) -> None:
        raise RuntimeError("no API key")

    sys.modules["wandb"].init = refuse
    with pytest.raises(ConfigError, match=r"no API key.*wandb\.mode: offline"):
        runner(tmp_path, "wandb={enabled: true}").run()
    assert not list((tmp_path / "tiny").iterdir())


@pytest.mark.slow
def test_offline_writes_into_the_run_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real package, in a process of its own with an empty home."""
    pytest.importorskip("wandb")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path / "matplotlib"))
    for name in [n for n in os.environ if n.startswith(("WANDB_", "XDG_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "tiny.yaml").write_text(TINY)
    done = process(tmp_path, "run", "tiny.yaml", *TRACKED, "--json", "--out", "runs")
    assert done.code == 0, done.err
    folder = tmp_path / json.loads(done.out)["folder"]
    assert not [p for p in home.rglob("*") if "wandb" in str(p)]
    first = list(folder.glob("wandb/offline-run-*/run-*.wandb"))
    assert len(first) == 1 and b"max_steps" in first[0].read_bytes()
    assert process(tmp_path, "run", "--resume", folder, "--json").code == 0
    names = {p.name for p in folder.glob("wandb/offline-run-*/run-*.wandb")}
    assert names == {first[0].name}, "the id has changed"


def test_the_id_is_made_once(tmp_path: Path) -> None:
    pytest.importorskip("wandb")
    first = WandbLogger(tmp_path, "x", {}).id
    assert WandbLogger(tmp_path, "y", {}).id == first
    assert WandbLogger(tmp_path / "other", "x", {}).id != first
