"""Runs in parallel: local child processes within a budget of threads and memory.

Each job is a process that prints a JSON object a line, with any of `share` (in [0, 1]), `text` and `peak`
(bytes used at most); `of_run` makes the job that trains in a run folder. What a child says otherwise goes to
its log. Children stand in process groups of their own: Ctrl-C reaches this process alone, which asks each
child to save its state; if this process is killed, the children see the end of their input and save theirs
(`child`).
"""

from __future__ import annotations

__all__ = ["Budget", "Job", "JobOutcome", "of_run", "run_jobs", "thread_budget"]

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import Interrupted
from ..core.processes import Signals
from .budget import Budget, thread_budget
from .jobs_display import JobsDisplay

_SECONDS_TO_SAVE = 60.0
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Job:
    """A process to run.

    Args:
        name: shown to the user, unlike any other's.
        command: the words of its command line.
        log: where its stderr is appended.
    """

    name: str
    command: Sequence[str]
    log: Path


@dataclass(frozen=True)
class JobOutcome:
    """How a job ended.

    Args:
        job: the job.
        code: its exit code.
        trouble: the last line that it said, if the code is not 0.
        peak: bytes that it used at most; None: it did not say.
    """

    job: Job
    code: int
    trouble: str | None
    peak: int | None


def of_run(name: str, folder: Path) -> Job:
    """The job that begins or goes on with the run of a folder that has a config.yaml.

    Args:
        name: shown to the user.
        folder: of the run.
    """
    return Job(name, [sys.executable, "-m", "undula.experiments.child", str(folder)], folder / "log.txt")


def run_jobs(jobs: Sequence[Job], budget: Budget, display: JobsDisplay) -> list[JobOutcome]:
    """Run jobs, some at a time, until each has ended; the trouble of one does not stop the others.

    Args:
        jobs: in the order in which they start.
        budget: what they may use together.
        display: shows how far they are.

    Returns:
        How they ended, in the order of the jobs.

    Raises:
        Interrupted: after SIGINT or SIGTERM, when the children have saved their states and ended.
    """
    waiting, running = list(jobs), list[_Child]()
    outcomes: dict[str, JobOutcome] = {}
    events: queue.SimpleQueue[tuple[_Child, dict[str, Any] | None]] = queue.SimpleQueue()
    highest: int | None = None
    told = False
    with Signals() as signals, display:
        try:
            while waiting or running:
                while waiting and budget.admits([child.peak for child in running], highest):
                    running.append(_Child(waiting.pop(0), budget.threads, events))
                if signals.received is not None:
                    raise Interrupted("interrupted")
                if waiting and highest and not told and len(running) < budget.workers:
                    told = _say_if_memory_limits(display, running, budget, highest)
                with contextlib.suppress(queue.Empty):
                    child, event = events.get(timeout=0.2)
                    if event is None:
                        running.remove(child)
                        outcomes[child.job.name] = outcome = child.outcome()
                        display.finish(child.job.name, outcome.trouble)
                    else:
                        child.take(event)
                        display.update(child.job.name, child.share, child.text)
                    if child.peak is not None:
                        highest = max(highest or 0, child.peak)
        finally:
            _stop(running)
    return [outcomes[job.name] for job in jobs]


@dataclass(eq=False)
class _Child:
    """A running job, and a thread that listens to it."""

    job: Job
    threads: int
    events: queue.SimpleQueue[tuple[_Child, dict[str, Any] | None]]
    share: float = 0.0
    text: str = ""
    peak: int | None = None
    process: subprocess.Popen[str] = field(init=False)

    def __post_init__(self) -> None:
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(self.threads))}
        self.job.log.parent.mkdir(parents=True, exist_ok=True)
        with self.job.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603
                list(self.job.command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
                env=environment, start_new_session=True,
            )  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with contextlib.suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict):
                    self.events.put((self, event))
        self.process.wait()
        self.events.put((self, None))

    def take(self, event: dict[str, Any]) -> None:
        self.share = event.get("share", self.share)
        self.text = event.get("text", self.text)
        self.peak = event.get("peak", self.peak)

    def outcome(self) -> JobOutcome:
        code = self.process.returncode
        trouble = None if code == 0 else _last_line(self.job.log) or f"ended with exit code {code}"
        if code < 0:
            trouble = f"killed by signal {signal.Signals(-code).name}"
        return JobOutcome(self.job, code, trouble, self.peak)

    def signal(self, number: int) -> None:
        """To the child and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


def _stop(children: Sequence[_Child]) -> None:
    """Ask children to save and end; after a minute, or a second Ctrl-C, do not ask."""
    alive = [child for child in children if child.process.poll() is None]
    end = time.monotonic() + _SECONDS_TO_SAVE
    try:
        for child in alive:
            child.signal(signal.SIGTERM)
        for child in alive:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.process.wait(max(0.0, end - time.monotonic()))
    finally:
        for child in alive:
            if child.process.poll() is None:
                child.signal(signal.SIGKILL)


def _say_if_memory_limits(
    display: JobsDisplay, running: Sequence[_Child], budget: Budget, highest: int
) -> bool:
    """Say that memory, not the number of workers, is what jobs wait for, if it is."""
    if any(child.peak is None for child in running):
        return False
    display.message(
        f"a run takes {highest / 2**30:.1f} GiB, and {budget.memory / 2**30:.1f} GiB are free for all: "
        f"{len(running)} at once instead of {budget.workers}"
    )
    return True


def _last_line(log: Path) -> str | None:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1].removeprefix("undula: ") if lines else None
