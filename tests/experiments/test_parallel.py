"""Processes within a budget: how many at once, with how many threads, and what becomes of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from undula.core.errors import ConfigError
from undula.experiments import budget as budgets
from undula.experiments.budget import Budget, available_memory, thread_budget
from undula.experiments.jobs_display import LineDisplay, RichDisplay, SilentDisplay, make_display
from undula.experiments.parallel import Job, run_jobs

GIB = 2**30

WORKER = """
import json, os, sys, time
name, peak, marks, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], float(sys.argv[4])
def mark(what): open(marks, "a").write(f"{what} {name}\\n")
mark("begin")
print("not JSON")
print(json.dumps({"share": 0.5, "text": "half", "peak": peak}), flush=True)
time.sleep(seconds)
mark("end")
print(os.environ["OMP_NUM_THREADS"], file=sys.stderr)
"""


def job(folder: Path, name: str, peak: int = GIB, seconds: float = 0.15) -> Job:
    command = [sys.executable, "-c", WORKER, name, str(peak), str(folder / "marks"), str(seconds)]
    return Job(name, command, folder / f"{name}.log")


def most_at_once(folder: Path) -> int:
    now = most = 0
    for line in (folder / "marks").read_text().splitlines():
        now += 1 if line.startswith("begin") else -1
        most = max(most, now)
    return most


def test_threads_are_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(budgets, "cores", lambda: 8)
    assert [thread_budget(n) for n in (1, 2, 3, 8, 20)] == [8, 4, 2, 1, 1]
    assert thread_budget(2, 6) == 3
    assert Budget.of(3, memory=1) == Budget(workers=3, threads=2, memory=1)
    assert Budget.of(20, memory=1).workers == 8
    assert Budget.of(20, workers=4, threads=4, memory=1) == Budget(workers=4, threads=1, memory=1)
    with pytest.raises(ConfigError, match="workers = 0: give a positive number"):
        Budget.of(3, workers=0)


def test_threads_of_a_process_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budgets, "cores", lambda: 8)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert Budget.of(3, memory=1) == Budget(workers=3, threads=1, memory=1)
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    assert Budget.of(3, memory=1).threads == 2


def test_memory_is_what_is_free() -> None:
    assert GIB / 64 < available_memory() < 2**50
    assert Budget.of(1).memory == pytest.approx(0.8 * available_memory(), rel=0.2)


def test_memory_admits_by_the_highest_peak() -> None:
    budget = Budget(workers=4, threads=1, memory=10 * GIB)
    assert budget.admits([], None)
    assert not budget.admits([None], None), "the first has to show its peak"
    assert budget.admits([3 * GIB], 3 * GIB)
    assert budget.admits([3 * GIB, None], 3 * GIB)
    assert not budget.admits([3 * GIB, None, 2 * GIB], 3 * GIB), "12 GiB of 10"
    assert not budget.admits([GIB] * 4, GIB), "four workers"
    assert Budget(1, 1, memory=1).admits([], 5 * GIB), "one always runs"


@pytest.mark.parametrize(("memory", "most"), [(100, 3), (2, 2), (1, 1)])
def test_jobs_run_within_the_budget(tmp_path: Path, memory: int, most: int) -> None:
    jobs = [job(tmp_path, f"j{i}") for i in range(6)]
    outcomes = run_jobs(jobs, Budget(workers=3, threads=2, memory=memory * GIB), SilentDisplay())
    assert most_at_once(tmp_path) <= most
    assert [o.job.name for o in outcomes] == [j.name for j in jobs]
    assert all((o.code, o.trouble, o.peak) == (0, None, GIB) for o in outcomes)
    assert (tmp_path / "j0.log").read_text() == "2\n"


def test_one_failure_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = Job(
        "broken", [sys.executable, "-c", "import sys; sys.exit('undula: no such thing')"], tmp_path / "b.log"
    )
    killed = Job("killed", [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], tmp_path / "k.log")
    jobs = [broken, killed, job(tmp_path, "fine")]
    outcomes = run_jobs(jobs, Budget(1, 1, GIB), LineDisplay("compare", 3))
    assert [(o.code, o.trouble) for o in outcomes] == [
        (1, "no such thing"),
        (-9, "killed by signal SIGKILL"),
        (0, None),
    ]
    said = capsys.readouterr().err
    assert "broken: no such thing" in said and "compare: 3 of 3 done, 100%" in said


def test_a_tight_memory_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = [job(tmp_path, f"j{i}") for i in range(3)]
    run_jobs(jobs, Budget(3, 1, GIB), LineDisplay("compare", 3))
    assert (
        "a run takes 1.0 GiB, and 1.0 GiB are free for all: 1 at once instead of 3" in capsys.readouterr().err
    )


def test_displays(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(make_display("compare", 2, quiet=True), SilentDisplay)
    assert isinstance(make_display("compare", 2), LineDisplay)
    monkeypatch.setattr("undula.experiments.jobs_display._SECONDS_BETWEEN_LINES", 0.0)
    for display in (LineDisplay("compare", 2), RichDisplay("compare", 2)):
        with display:
            display.update("first", 0.5, "step 3")
            display.finish("first", None)
            display.finish("second", "[went] wrong")
        said = capsys.readouterr().err
        assert "first: done" in said and "second: [went] wrong" in said
    with LineDisplay("compare", 2) as lines:
        lines.update("first", 0.5, "step 3")
    assert "compare: 0 of 2 done, 25%" in capsys.readouterr().err


PARENT = """
import sys
from pathlib import Path
from undula.core.errors import Interrupted
from undula.experiments.parallel import Budget, Job, run_jobs
from undula.experiments.jobs_display import SilentDisplay
child = '''
import json, signal, sys, time
from undula.experiments.child import stop_with_parent
def save(*_):
    open(sys.argv[1], "a").write("saved\\\\n"); sys.exit(130)
signal.signal(signal.SIGTERM, save)
stop_with_parent()
print(json.dumps({"share": 0.1, "peak": 1}), flush=True)
open(sys.argv[1], "a").write("begun\\\\n")
time.sleep(60)
'''
folder = Path(sys.argv[1])
jobs = [Job(f"j{i}", [sys.executable, "-c", child, str(folder / f"j{i}")], folder / "log") for i in range(2)]
try:
    run_jobs(jobs, Budget(2, 1, 2**40), SilentDisplay())
except Interrupted:
    sys.exit(130)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_children_save_and_end_with_their_parent(tmp_path: Path, number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)], env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    marks = [tmp_path / f"j{i}" for i in range(2)]
    end = time.monotonic() + 60
    while not all(m.exists() and "begun" in m.read_text() for m in marks) and time.monotonic() < end:
        time.sleep(0.02)
    parent.send_signal(number)
    code = parent.wait(30)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 130)
    end = time.monotonic() + 30
    while not all("saved" in m.read_text() for m in marks) and time.monotonic() < end:
        time.sleep(0.02)
    assert [m.read_text() for m in marks] == ["begun\nsaved\n"] * 2


def test_progress_of_a_run_is_json(tmp_path: Path) -> None:
    from undula.experiments.child import JSONProgress, peak_memory

    with (tmp_path / "out").open("w") as stream:
        JSONProgress(stream, "training").update(0.5, "step 3")
        JSONProgress(stream, "sampling").update(1.0, "")
        JSONProgress(stream, "training the vae").update(0.7, "step 9")  # before the training: no share
    first, second, stage = [json.loads(line) for line in (tmp_path / "out").read_text().splitlines()]
    assert (first["share"], first["text"]) == (0.45, "step 3")
    assert (second["share"], second["text"]) == (1.0, "sampling")
    assert (stage["share"], stage["text"]) == (0.0, "step 9")
    assert 2**24 < first["peak"] <= peak_memory() < 2**40
