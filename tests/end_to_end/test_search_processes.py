"""Searches as processes: workers, kill -9, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from undula.config.loading import load_config

from ..cli.command import TINY, process

SEARCH = """
parameters:
  components.architecture.params.model_dim: {choice: [8, 16]}
  training.learning_rate: {log_uniform: [1e-4, 1e-2]}
metric: val_loss
"""
LONGER = ("--set", "training.num_epochs=10", "--set", "training.checkpoint_every=0.05")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(TINY)
    (tmp_path / "search.yaml").write_text(SEARCH)
    return tmp_path


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "undula", "search", *map(str, arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(pattern: str, count: int, folder: Path, child: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 120
    while len(list(folder.glob(pattern))) < count:
        assert time.monotonic() < end and child.poll() is None, "the search does not get anywhere"
        time.sleep(0.05)


def values(folder: Path) -> set[tuple[float, ...]]:
    table = pd.read_csv(folder / "trials.csv")
    assert (table["state"] == "finished").all()
    return set(table[["value", "training.learning_rate"]].itertuples(index=False, name=None))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_an_interrupted_search_says_how_to_go_on(folder: Path, workers: int) -> None:
    arguments = ("base.yaml", "search.yaml", "--trials", 3, "--workers", workers, "--quiet", *LONGER)
    child = start(folder, *arguments)
    wait_for("experiments/searches/tiny/*/trials/*/metrics.jsonl", workers, folder, child)
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    (search,) = (folder / "experiments/searches/tiny").iterdir()
    assert child.returncode == 130, err
    assert f"go on with: undula search --resume {search.relative_to(folder)}" in err
    assert len(err.strip().splitlines()) == 1, err
    again = process(folder, "search", "--resume", "tiny", "--trials", 2, "--json")
    assert again.code == 0, again.err
    found = json.loads(again.out)
    assert found["folder"] == str(search.relative_to(folder)) and found["trials"]["finished"] == 2
    assert load_config(search / "best.yaml").experiment.name == "tiny"


@pytest.mark.slow
def test_a_killed_search_goes_on_and_repeats_nothing(folder: Path) -> None:
    """kill -9 of the search while two workers train: they end too, and every value is the same at the end."""
    plain = (*LONGER, "--quiet", "--workers", 2, "--trials", 6)
    random = SEARCH + "sampler: random\n"  # what TPE tries next depends on which worker is first
    (folder / "search.yaml").write_text(random)
    whole = start(folder, "base.yaml", "search.yaml", *plain, "--out", "whole")
    _, err = whole.communicate(timeout=300)
    assert whole.returncode == 0, err
    child = start(folder, "base.yaml", "search.yaml", *plain, "--out", "broken")
    for done in (2, 4):
        wait_for("broken/tiny/*/trials/*/results.json", done, folder, child)
        time.sleep(0.3)
        child.kill()
        child.communicate()
        (search,) = (folder / "broken/tiny").iterdir()
        before = {p: p.stat().st_mtime_ns for p in search.glob("trials/*/model/model.json")}
        child = start(folder, "--resume", search, "--workers", 2, "--quiet")
    _, err = child.communicate(timeout=300)
    assert child.returncode == 0, err
    assert {p: p.stat().st_mtime_ns for p in before} == before
    (other,) = (folder / "whole/tiny").iterdir()
    assert values(search) == values(other)
    assert len(list((search / "trials").iterdir())) == 6


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_trial_only(folder: Path) -> None:
    child = start(folder, "base.yaml", "search.yaml", "--trials", 4, "--workers", 2, "--quiet", *LONGER)
    wait_for("experiments/searches/tiny/*/trials/*/metrics.jsonl", 2, folder, child)
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(child.pid)], capture_output=True, text=True, check=True
    )
    subprocess.run(["kill", "-9", listed.stdout.split()[0]], check=True)
    _, err = child.communicate(timeout=300)
    assert child.returncode == 0, err
    (search,) = (folder / "experiments/searches/tiny").iterdir()
    table = pd.read_csv(search / "trials.csv")
    assert sorted(table["state"]) == ["failed", "finished", "finished", "finished"]
    assert "its process died (signal 9" in str(table.loc[table["state"] == "failed", "reason"].item())
