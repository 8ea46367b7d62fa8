"""A search's folder, and the processes that fill it.

experiments/searches/<name>/<UTC stamp>-<4 hex>/
    base.yaml  search.yaml      what was asked, complete
    study.journal               optuna's journal of all trials
    trials/0000 …               a run folder each
    trials.csv  best.yaml  search.html      what came out
"""

from __future__ import annotations

__all__ = ["Search", "SearchResult"]

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...config.loading import load_config
from ...config.schema import Config
from ...config.search import SearchConfig, load_search
from ...config.yaml12 import dump_yaml
from ...core.errors import Interrupted, RunError
from ...core.files import write_text
from ..folder import RunFolder
from .space import Space
from .study import FileLock, Study, TrialRecord
from .summary import write_summary
from .trial import run_trial

SEARCHES = Path("experiments") / "searches"
_SECONDS_FOR_OLD_WORKERS, _SECONDS_TO_STOP, _POLL = 60.0, 120.0, 0.1


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Args:
        folder: of the search.
        search: what was sought.
        best: the best trial.
        values: its values of the varied keys.
        trials: all of them.
    """

    folder: Path
    search: SearchConfig
    best: TrialRecord
    values: dict[str, Any]
    trials: list[TrialRecord]

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        best: dict[str, Any] = {"number": self.best.number, "value": self.best.value, "params": self.values}
        best["config"] = str(self.folder / "best.yaml")
        states = [t.state for t in self.trials]
        return {
            "folder": str(self.folder),
            "metric": self.search.metric,
            "direction": self.search.direction,
            "best": best,
            "trials": {state: states.count(state) for state in ("finished", "pruned", "failed")},
        }


class Search:
    """A search in its folder.

    Args:
        folder: of the search.
        base: what every trial begins with.
        search: what is sought.
        quiet: whether to say nothing on the way.
    """

    def __init__(self, folder: Path, base: Config, search: SearchConfig, quiet: bool = False) -> None:
        self.folder, self.base, self.search, self.quiet = folder, base, search, quiet
        self.space = Space(base, search)
        self.study = Study(folder, search, self.space)

    @classmethod
    def create(
        cls, base: Config, search: SearchConfig, out: Path | None = None, quiet: bool = False
    ) -> Search:
        """Check a search and make its folder.

        Args:
            base: what every trial begins with.
            search: what is sought.
            out: parent of the search's folder; None: experiments/searches.
            quiet: whether to say nothing on the way.

        Raises:
            ConfigError: if a corner of the space is no valid config.
        """
        notes = Space(base, search).check()
        folder = RunFolder.create(base.experiment.name, SEARCHES if out is None else out)
        folder.write_text("base.yaml", dump_yaml(base.model_dump(mode="json")))
        made = cls(folder.path, base, search, quiet)
        made._write_search()
        for note in notes:
            made.say(f"note: {note}")
        return made

    @classmethod
    def open(cls, search: str | Path, quiet: bool = False) -> Search:
        """A search that was begun: its folder, or a name for the newest of that name.

        Raises:
            RunError: if there is none.
        """
        folder = Path(search)
        if not (folder / "search.yaml").is_file():
            if folder.exists():
                raise RunError(f"{folder} is not a search's folder (it has no search.yaml)")
            found = [p.parent for p in (SEARCHES / str(search)).glob("*/search.yaml")]
            if not found:
                raise RunError(
                    f"{str(search)!r} is neither a search's folder nor a name with searches in {SEARCHES}/"
                )
            folder = max(found, key=lambda p: p.name)
        return cls(folder, load_config(folder / "base.yaml"), load_search(folder / "search.yaml"), quiet)

    # -- running ---------------------------------------------------------------------------------

    def run(self, workers: int = 1, trials: int | None = None) -> SearchResult:
        """Run trials until there are enough; finished ones are not repeated.

        Args:
            workers: processes, which share the machine's cores.
            trials: how many in all; None: as the search file says.

        Raises:
            Interrupted: after SIGINT or SIGTERM; the message says how to go on.
            RunError: if another process is at it, or no trial was finished.
        """
        if trials is not None and trials != self.search.trials:
            self.search.trials = trials
            self._write_search()
        most = self.search.num_trials
        with self._locked() as lock:
            continued = self.study.continue_running()
            if continued:
                self.say(f"{continued} interrupted {'trial goes' if continued == 1 else 'trials go'} on")
            try:
                with _sigterm_as_interrupt():
                    if workers == 1:
                        self.take_trials(most)
                    else:
                        self._run_workers(workers, most, lock)
            except (KeyboardInterrupt, Interrupted):
                done = sum(t.state != "running" for t in self.study.records)
                raise Interrupted(
                    f"interrupted with {done} of {most} trials done; go on with: "
                    f"undula search --resume {self.folder}"
                ) from None
            return self._result()

    def take_trials(self, most: int, threads: int | None = None) -> None:
        """Run one trial after the other until so many were started, by whatever process."""
        while (trial := self.study.next(most)) is not None:
            run_trial(self.study, trial, self.folder / "trials", threads)
            self._say_trial(trial.user_attrs["folder"])

    def _run_workers(self, workers: int, most: int, lock: FileLock) -> None:
        threads = max(1, _cores() // workers)
        command = [sys.executable, "-m", "undula.experiments.search.worker", str(self.folder)]
        command += [str(most), str(threads), "quiet" if self.quiet else "loud"]
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        # the lock is theirs too: as long as one of them lives, no other process goes on with the search
        shared = (lock.file.fileno(),) if lock.file is not None and os.name == "posix" else ()

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.PIPE, env=environment, pass_fds=shared, start_new_session=True
            )

        running = [start() for _ in range(min(workers, most))]
        try:
            while running:
                for worker in [w for w in running if w.poll() is not None]:
                    running.remove(worker)
                    if worker.returncode and self._give_up_trial_of(worker):
                        running.append(start())
                time.sleep(_POLL)
        finally:
            _stop(running)

    def _give_up_trial_of(self, worker: subprocess.Popen[bytes]) -> bool:
        """Close the trial that a worker died in; whether there was one."""
        code = worker.returncode
        how = f"signal {-code}: out of memory?" if code < 0 else f"exit code {code}"
        return self.study.fail_running(worker.pid, f"its process died ({how})")

    @contextmanager
    def _locked(self) -> Iterator[FileLock]:
        lock = FileLock(self.folder / ".lock")
        end = time.monotonic() + (_SECONDS_FOR_OLD_WORKERS if self.study.records else 0.0)
        if not lock.acquire(wait=False):
            self.say("waiting for the processes of this search to end")
        while lock.file is None and not lock.acquire(wait=False):
            if time.monotonic() > end:
                raise RunError(f"search {self.folder} is in use by another process: wait for it")
            time.sleep(_POLL)
        try:
            yield lock
        finally:
            lock.release()

    def _result(self) -> SearchResult:
        records, best = self.study.records, self.study.best()
        if best is None:
            reasons = sorted({r.reason for r in records if r.reason}) or ["no process could start one"]
            raise RunError(f"no trial was finished: {'; '.join(reasons[:3])}")
        write_summary(self.folder, self.space, records, best, self.study.importances())
        return SearchResult(self.folder, self.search, best, self.space.values(best.params), records)

    # -- saying ----------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """A line on stderr, unless quiet."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def _say_trial(self, folder: str) -> None:
        (record,) = (r for r in self.study.records if r.folder == folder)
        params = "  ".join(
            f"{path.rpartition('.')[2]} {value:.4g}" if isinstance(value, float) else
            f"{path.rpartition('.')[2]} {value}" for path, value in record.params.items()
        )  # fmt: skip
        what = f"{self.search.metric} {record.value:.5g}" if record.value is not None else record.state
        best = self.study.best()
        leader = f"  (best {best.value:.5g}, trial {best.number})" if best and best.value is not None else ""
        self.say(
            f"trial {record.number}: {what}{leader}  {params}{'  ' + record.reason if record.reason else ''}"
        )

    def _write_search(self) -> None:
        write_text(self.folder / "search.yaml", dump_yaml(self.search.model_dump(mode="json")))


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """SIGTERM is Ctrl-C; outside the main thread nothing can be changed."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before: Callable[..., Any] | int | None = None
    try:
        before = signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(workers: list[subprocess.Popen[bytes]]) -> None:
    """Let workers save their state and end; a second Ctrl-C kills them."""
    try:
        for worker in workers:
            assert worker.stdin is not None
            worker.stdin.close()
        end = time.monotonic() + _SECONDS_TO_STOP
        for worker in workers:
            worker.wait(max(0.0, end - time.monotonic()))
    except (KeyboardInterrupt, subprocess.TimeoutExpired):
        for worker in workers:
            worker.kill()
            worker.wait()


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
