"""A trial is a run: its folder can be looked at, sampled from, and gone on with."""

from __future__ import annotations

__all__ = ["run_trial"]

import json
import math
import traceback
from pathlib import Path
from typing import Any, Literal

from optuna.trial import Trial

from ...config.schema import Config
from ...config.search import VAL_LOSS
from ...config.yaml12 import dump_yaml
from ...core.errors import Interrupted, UndulaError
from ...core.files import write_text
from ..environment import environment
from ..folder import RunFolder
from ..runner import ExperimentRunner
from .study import Study


class _Pruned(Exception):  # noqa: N818
    """The trial is hopeless."""


class _Reporter:
    """Tells the study each validation loss, and ends a trial that is hopeless.

    Args:
        trial: of the study.
        folder: of the run; what it logged before it was interrupted is told again.
        sign: see `Study.sign`.
    """

    def __init__(self, trial: Trial, folder: RunFolder, sign: float) -> None:
        self.trial, self.folder, self.sign = trial, folder, sign

    def start(self, step: int) -> None:
        """Tell what was logged up to this step."""
        for line in self.folder.curve():
            if line["step"] <= step and VAL_LOSS in line:
                self._report(int(line["step"]), line[VAL_LOSS])

    def log(self, step: int, values: dict[str, float]) -> None:
        """Tell a validation loss."""
        if VAL_LOSS in values:
            self._report(step, values[VAL_LOSS])
            if self.trial.should_prune():
                raise _Pruned(f"hopeless at step {step:,}: val_loss {values[VAL_LOSS]:.4g}")

    def close(self) -> None:
        """Nothing is held."""

    def _report(self, step: int, val_loss: float) -> None:
        if math.isfinite(val_loss):
            self.trial.report(self.sign * val_loss, step)


def run_trial(study: Study, trial: Trial, trials: Path, threads: int | None) -> None:
    """Train a trial's config, or go on with it, and tell the study what came out.

    Args:
        study: of the search.
        trial: to run.
        trials: parent of the trials' run folders.
        threads: at most so many a process; None: as the config says.

    Raises:
        Interrupted: after SIGINT or SIGTERM; the trial can be gone on with.
    """
    metric = study.search.metric
    folder = RunFolder(trials / trial.user_attrs["folder"])
    try:
        config = _with_metric(study.space.config(trial.params), metric, threads)
        results = _finished(folder) or _run(study, trial, folder, config)
        value = (
            results["training"]["best_val_loss"]
            if metric == VAL_LOSS
            else results["metrics"][metric]["value"]
        )
        if value is None or not math.isfinite(value):
            study.tell_failed(trial, f"{metric} is not a finite number")
        else:
            study.tell(trial, value)
    except _Pruned as stop:
        _close(folder, "pruned", str(stop))
        study.tell_pruned(trial, str(stop))
    except Interrupted:
        raise
    except UndulaError as error:
        _close(folder, "failed", str(error))
        study.tell_failed(trial, str(error))
    except Exception as error:  # memory that ran out, a defect: the other trials go on
        write_text(folder.path / "error.txt", traceback.format_exc())
        reason = f"{type(error).__name__}: {error} (see trials/{folder.path.name}/error.txt)"
        _close(folder, "failed", reason)
        study.tell_failed(trial, reason)


def _run(study: Study, trial: Trial, folder: RunFolder, config: Config) -> dict[str, Any]:
    if not (folder.path / "config.yaml").is_file():
        folder.path.mkdir(parents=True, exist_ok=True)
        folder.write_json("environment.json", environment())
        folder.write_text("config.yaml", dump_yaml(config.model_dump(mode="json")))
    reporter = _Reporter(trial, folder, study.sign)
    judge_on: Literal["nothing", "val"] = "nothing" if study.search.metric == VAL_LOSS else "val"
    runner = ExperimentRunner(config, quiet=True, judge_on=judge_on, loggers=[reporter])
    outcome = runner.run(resume=folder.path)
    assert outcome is not None
    return outcome.results


def _finished(folder: RunFolder) -> dict[str, Any] | None:
    """The results of a run that was done when its process died."""
    path = folder.path / "results.json"
    if not path.is_file():
        return None
    results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return results if results["status"] in ("trained", "finished") else None


def _close(folder: RunFolder, status: str, reason: str) -> None:
    if folder.path.is_dir():
        folder.write_json("results.json", {"status": status, "reason": reason, "metrics": {}})


def _with_metric(config: Config, metric: str, threads: int | None) -> Config:
    """The trial's config: nothing is judged that is not sought, and threads are shared out."""
    config = config.model_copy(deep=True)
    config.training.sample_every = None
    if metric != VAL_LOSS:
        config.evaluation.metrics = [] if metric == "bits_per_dim" else [metric]
    if threads is not None:
        config.training.threads = min(threads, config.training.threads or threads)
    return config
