"""What only real processes show: kills, signals, two devices, two runs at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from undula.core.files import read_tensors

from ..cli.command import TINY, process

LONGER = (
    "--set",
    "training.num_epochs=20",
    "--set",
    "training.checkpoint_every=0.02",
    "--set",
    "training.sample_every=null",
    "--set",
    "evaluation.metrics=[std, acf]",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "undula", *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def only_run(folder: Path, out: str) -> Path:
    (run,) = (folder / out / "tiny").iterdir()
    return run


def wait_for_steps(folder: Path, out: str, steps: int, child: subprocess.Popen[str]) -> None:
    """Until the log of the one run under `out` has reached a step, or the process has ended."""
    end = time.monotonic() + 90
    while time.monotonic() < end and child.poll() is None:
        for log in (folder / out).glob("tiny/*/metrics.jsonl"):
            lines = [line for line in log.read_text().splitlines() if line.endswith("}")]
            if lines and json.loads(lines[-1])["step"] >= steps:
                return
        time.sleep(0.02)
    assert child.poll() is not None, "the run does not get anywhere"


def trace(run: Path) -> tuple[Any, ...]:
    """Everything that must be the same after a kill: log, weights, EMA, optimiser, figures."""
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    log = [{k: v for k, v in line.items() if not k.endswith("seconds")} for line in lines]
    tensors, counters = read_tensors(run / "checkpoints" / "last.safetensors")
    counters.pop("seconds")
    best, _ = read_tensors(run / "checkpoints" / "best.safetensors")
    metrics = json.loads((run / "results.json").read_text())["metrics"]
    return log, tensors, counters, best, metrics


def assert_same(first: Path, second: Path) -> None:
    a, b = trace(first), trace(second)
    assert a[0] == b[0], "the logs differ"
    for x, y in ((a[1], b[1]), (a[3], b[3])):
        assert x.keys() == y.keys()
        for name in x:
            assert torch.equal(x[name], y[name]), f"{name} differs"
    assert a[2] == b[2]
    assert a[4] == b[4]
    tables = [pd.read_parquet(run / "samples.parquet") for run in (first, second)]
    assert tables[0].equals(tables[1])


@pytest.mark.parametrize(
    ("kills", "sample_every"), [(1, "null"), pytest.param(10, 4, marks=pytest.mark.slow)]
)
def test_kill_and_resume_is_bit_for_bit(folder: Path, kills: int, sample_every: object) -> None:
    """kill -9 at random moments, --resume each time: the end is that of the uninterrupted run."""
    longer = (*LONGER, "--set", f"training.sample_every={sample_every}", "--quiet")
    assert process(folder, "run", "tiny.yaml", *longer, "--out", "whole").code == 0
    generator = random.Random(kills)
    child = start(folder, "run", "tiny.yaml", *longer, "--out", "broken")
    for kill in range(kills):
        wait_for_steps(folder, "broken", round(160 * (kill + generator.random()) / kills), child)
        time.sleep(generator.random() * 0.05)
        child.kill()
        child.communicate()
        child = start(folder, "run", "--resume", only_run(folder, "broken"), "--quiet")
    _, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    assert_same(only_run(folder, "whole"), only_run(folder, "broken"))


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_an_interrupted_run_says_how_to_go_on(folder: Path, number: signal.Signals) -> None:
    child = start(folder, "run", "tiny.yaml", *LONGER, "--out", "a", "--quiet")
    wait_for_steps(folder, "a", 9, child)
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    run = only_run(folder, "a")
    assert child.returncode == 130, err
    assert f"go on with: undula run --resume a/tiny/{run.name}" in err
    assert len(err.strip().splitlines()) == 1
    assert json.loads((run / "results.json").read_text())["status"] == "interrupted"
    early = process(folder, "sample", run, "-n", 1)
    assert early.code == 2 and "has no model yet: finish it with" in early.err


@pytest.mark.slow
def test_two_runs_at_once_and_one_run_by_two(folder: Path) -> None:
    """Two starts get two folders; a second process on a running folder is refused."""
    children = [start(folder, "run", "tiny.yaml", *LONGER, "--out", "a", "--quiet") for _ in range(2)]
    end = time.monotonic() + 60
    while len(runs := list((folder / "a").glob("tiny/*/metrics.jsonl"))) < 2 and time.monotonic() < end:
        time.sleep(0.05)
    assert len(runs) == 2
    second = process(folder, "run", "--resume", runs[0].parent)
    still_running = all(child.poll() is None for child in children)
    for child in children:
        assert child.communicate(timeout=120) and child.returncode == 0
    if still_running:
        assert second.code == 2
        assert "is in use by another process" in second.err
    assert len(list((folder / "a" / "tiny").iterdir())) == 2


@pytest.mark.slow
def test_two_devices_train_the_same_model(folder: Path) -> None:
    """Two processes on a CPU agree with one to rounding: weights, losses, samples."""
    short = (*LONGER, "--set", "training.num_epochs=3", "--quiet")
    assert process(folder, "run", "tiny.yaml", *short, "--out", "one").code == 0
    two = process(
        folder, "run", "tiny.yaml", *short, "--out", "two", "--set", "training.devices=2", timeout=240
    )
    assert two.code == 0, two.err
    first, second = trace(only_run(folder, "one")), trace(only_run(folder, "two"))
    for name, tensor in first[1].items():
        if name.startswith(("weights.", "ema.")):
            assert torch.allclose(tensor, second[1][name], atol=2e-5), name
    for a, b in zip(first[0], second[0], strict=True):
        assert a.keys() == b.keys()
        if "loss" in a:
            assert a["loss"] == pytest.approx(b["loss"], rel=1e-5)
    samples = [pd.read_parquet(only_run(folder, out) / "samples.parquet") for out in ("one", "two")]
    assert np.allclose(samples[0]["value"], samples[1]["value"], atol=1e-3)


@pytest.mark.slow
def test_a_run_needs_no_data_to_be_sampled(folder: Path) -> None:
    rng = np.random.default_rng(0)
    pd.DataFrame({"v": rng.normal(size=2000)}).to_csv(folder / "v.csv", index=False)
    changes = ("--set", "data={path: v.csv, predict_len: 16}", "--set", "data.dataset=null")
    assert process(folder, "run", "tiny.yaml", *changes, "--quiet", "--out", "a").code == 0
    (folder / "v.csv").unlink()
    assert process(folder, "sample", only_run(folder, "a"), "-n", 3, "-o", "s.csv").code == 0
    assert list(pd.read_csv(folder / "s.csv").columns) == ["sample", "step", "v"]
