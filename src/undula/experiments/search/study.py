"""Which trial is next: optuna's study in a journal that several processes share.

The k-th trial's parameters depend on the seed, k and the trials before it alone, so a search of
one worker that was killed and resumed tries what the uninterrupted one does. A trial whose process
died is closed and put in line again with its parameters and its run folder; the closed one no
longer counts.
"""

from __future__ import annotations

__all__ = ["FileLock", "Study", "TrialRecord"]

import contextlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal

import optuna
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState

from ...config.search import SearchConfig
from ...core.randomness import derive_seed
from .space import Space

_NAME, _FOLDER, _REASON, _CONTINUED, _PID = "search", "folder", "reason", "continued", "pid"


class FileLock:
    """A lock that the system releases when its holder dies.

    Args:
        path: of a file that holds nothing else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file: IO[str] | None = None

    def acquire(self, wait: bool = True) -> bool:
        """Take the lock; without `wait`, False if another process holds it."""
        self.file = self.path.open("w")
        with contextlib.suppress(ImportError):  # no such lock on this system
            import fcntl

            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except OSError:
                self.release()
                return False
        return True

    def release(self) -> None:
        """Give it back; also what closing the file does."""
        if self.file is not None:
            self.file.close()
            self.file = None

    def __enter__(self) -> FileLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


@dataclass(frozen=True)
class TrialRecord:
    """What is known of a trial.

    Args:
        number: from 0, in the order in which they were first started.
        state: finished, pruned, failed or running.
        value: of the metric, if finished.
        params: values of the varied keys, as optuna stores them.
        folder: name of its run folder.
        reason: why it failed or was pruned.
        seconds: from its last start to its end.
        val_losses: reported on the way, by step.
    """

    number: int
    state: Literal["finished", "pruned", "failed", "running"]
    value: float | None
    params: dict[str, Any]
    folder: str
    reason: str
    seconds: float | None
    val_losses: dict[int, float]


class Study:
    """The trials of a search folder.

    Args:
        folder: of the search.
        search: what is sought.
        space: where.
    """

    def __init__(self, folder: Path, search: SearchConfig, space: Space) -> None:
        self.folder, self.search, self.space = folder, search, space
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.journal = folder / "study.journal"
        self._mend()
        lock: Any = FileLock(folder / ".journal.lock")
        backend = JournalFileBackend(str(self.journal), lock)
        self._study = optuna.create_study(
            study_name=_NAME,
            storage=JournalStorage(backend),
            direction=search.direction,
            pruner=_pruner(search, space.base.training.validate_every),
            load_if_exists=True,
        )

    def _mend(self) -> None:
        """Cut a line that a killed process left unfinished."""
        with FileLock(self.folder / ".journal.lock"):
            if self.journal.is_file():
                text = self.journal.read_bytes()
                whole = text[: text.rfind(b"\n") + 1]
                if len(whole) < len(text):
                    with self.journal.open("rb+") as file:
                        file.truncate(len(whole))

    # -- which is next ---------------------------------------------------------------------------

    def next(self, most: int) -> Trial | None:
        """Start the next trial for this process, unless so many were started."""
        with FileLock(self.folder / ".ask.lock"):
            trials = self._study.get_trials(deepcopy=False)
            waiting = sum(t.state is TrialState.WAITING for t in trials)
            if len(self._counted()) - waiting >= most:
                return None
            number = len({t.user_attrs[_FOLDER] for t in trials if _FOLDER in t.user_attrs})
            if self.search.sampler == "grid" and not waiting:
                self._study.enqueue_trial(next(itertools.islice(self.space.grid(), number, None)))
            self._study.sampler = _sampler(self.search, number)
            trial = self._study.ask(self.space.distributions)
            if _FOLDER not in trial.user_attrs:
                trial.set_user_attr(_FOLDER, f"{number:04d}")
            trial.set_user_attr(_PID, os.getpid())
            return trial

    def continue_running(self) -> int:
        """Put trials in line again whose processes died; return how many."""
        dead = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for trial in dead:
            fixed = trial.system_attrs.get("fixed_params", {})
            params = {**fixed, **trial.params}
            self._study._storage.set_trial_user_attr(trial._trial_id, _CONTINUED, True)
            self._study.tell(trial.number, state=TrialState.FAIL)
            if set(params) >= set(self.space.distributions):  # else it died before it knew what to try
                kept = {k: v for k, v in trial.user_attrs.items() if k == _FOLDER}
                self._study.enqueue_trial(params, user_attrs=kept)
        return len(dead)

    # -- what came out ---------------------------------------------------------------------------

    def tell(self, trial: Trial, value: float) -> None:
        """Store a trial's value."""
        self._study.tell(trial, value)

    def tell_pruned(self, trial: Trial, reason: str) -> None:
        """Store that a trial ended early."""
        trial.set_user_attr(_REASON, reason)
        self._study.tell(trial, state=TrialState.PRUNED)

    def tell_failed(self, trial: Trial, reason: str) -> None:
        """Store that a trial failed."""
        trial.set_user_attr(_REASON, reason)
        self._study.tell(trial, state=TrialState.FAIL)

    def fail_running(self, pid: int, reason: str) -> bool:
        """Store that the trial of a process failed; whether it had one."""
        running = self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        mine = [t for t in running if t.user_attrs.get(_PID) == pid]
        for trial in mine:
            self._study._storage.set_trial_user_attr(trial._trial_id, _REASON, reason)
            self._study.tell(trial.number, state=TrialState.FAIL)
        return bool(mine)

    @property
    def records(self) -> list[TrialRecord]:
        """All trials that were started, in order."""
        started = [
            t for t in self._counted() if t.state is not TrialState.WAITING and _FOLDER in t.user_attrs
        ]
        return sorted((_record(t, self.sign) for t in started), key=lambda r: r.number)

    @property
    def sign(self) -> float:
        """What makes a validation loss better in the search's direction, for the pruner."""
        return 1.0 if self.search.direction == "minimize" else -1.0

    def best(self) -> TrialRecord | None:
        """The best finished trial, the first of equals."""
        finished = [r for r in self.records if r.value is not None and r.state == "finished"]
        if not finished:
            return None
        return min(finished, key=lambda r: self.sign * (r.value or 0.0))

    def importances(self) -> dict[str, float]:
        """Share of each parameter in the good trials' difference from the others (PED-ANOVA)."""
        varied = [p for p in self.space.distributions if len({str(r.params[p]) for r in self.records}) > 1]
        if not varied or sum(r.state == "finished" for r in self.records) < _LEAST_FOR_IMPORTANCE:
            return {}
        with contextlib.suppress(ValueError, RuntimeError):
            return dict(optuna.importance.get_param_importances(self._study, params=varied))
        return {}

    def _counted(self) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=False)
        return [t for t in trials if not t.user_attrs.get(_CONTINUED)]


_LEAST_FOR_IMPORTANCE = 4
_STATES: dict[TrialState, Literal["finished", "pruned", "failed", "running"]] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
}


def _record(trial: FrozenTrial, sign: float) -> TrialRecord:
    return TrialRecord(
        number=int(trial.user_attrs[_FOLDER]),
        state=_STATES[trial.state],
        value=trial.value if trial.state is TrialState.COMPLETE else None,
        params=dict(trial.params),
        folder=trial.user_attrs[_FOLDER],
        reason=trial.user_attrs.get(_REASON, ""),
        seconds=None if trial.duration is None else trial.duration.total_seconds(),
        val_losses={step: sign * value for step, value in trial.intermediate_values.items()},
    )


def _sampler(search: SearchConfig, position: int) -> BaseSampler:
    seed = derive_seed(search.seed, "search", position) % 2**32
    return TPESampler(seed=seed) if search.sampler == "tpe" else RandomSampler(seed=seed)


def _pruner(search: SearchConfig, validate_every: int) -> BasePruner:
    if search.pruner == "median":  # the first validation loss says little yet
        return MedianPruner(n_startup_trials=4, n_min_trials=2, n_warmup_steps=2 * validate_every)
    return SuccessiveHalvingPruner(reduction_factor=3) if search.pruner == "halving" else NopPruner()
