"""A comparison that is killed goes on without repeating what is finished, and ends where a whole one does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from ..cli.command import TINY, process

ARGUMENTS = (
    "compare", "tiny.yaml", "--vary", "components.architecture.params.model_dim=[8, 16]", "--seeds", "2",
    "--workers", "2", "--threads", "2", "--set", "training.num_epochs=20", "--set", "training.checkpoint_every=0.05",
    "--set", "training.sample_every=null", "--set", "evaluation.metrics=[wasserstein, std]", "--quiet",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "tiny.yaml").write_text(TINY)
    done = process(folder, *ARGUMENTS, "--out", "out", timeout=400)
    assert done.code == 0, done.err
    (found,) = (folder / "out" / "tiny").iterdir()
    return found


def finished(folder: Path) -> dict[str, int]:
    """When the results of each finished run were written."""
    found = {}
    for results in folder.glob("runs/*/results.json"):
        if json.loads(results.read_text())["status"] == "finished":
            found[results.parent.name] = results.stat().st_mtime_ns
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_comparison_goes_on(whole: Path, tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    child = subprocess.Popen(
        [sys.executable, "-m", "undula", *ARGUMENTS, "--out", "broken"],
        cwd=tmp_path, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    end = time.monotonic() + 200
    folders: list[Path] = []
    while time.monotonic() < end and child.poll() is None:
        folders = list((tmp_path / "broken" / "tiny").glob("*"))
        logs = list((tmp_path / "broken" / "tiny").glob("*/runs/*/metrics.jsonl"))
        if folders and len(finished(folders[0])) >= 1 and len(logs) > 2:
            break
        time.sleep(0.02)
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    (folder,) = folders
    if number == signal.SIGTERM:
        assert child.returncode == 130 and f"undula compare --resume broken/tiny/{folder.name}" in err
    before = finished(folder)
    assert 1 <= len(before) < 4

    again = process(tmp_path, "compare", "--resume", folder, "--quiet", timeout=400)
    assert again.code == 0, again.err
    after = finished(folder)
    assert len(after) == 4 and {name: after[name] for name in before} == before, "finished work was repeated"
    tables = [pd.read_csv(f / "comparison.csv") for f in (whole, folder)]
    pd.testing.assert_frame_equal(*tables)
