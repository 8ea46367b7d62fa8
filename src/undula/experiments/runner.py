"""From a config to a run folder: data, training, samples, figures, page."""

from __future__ import annotations

__all__ = ["ExperimentRunner", "RunResult"]

import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ..config.loading import as_config, load_config
from ..config.schema import Config
from ..config.yaml12 import dump_yaml
from ..core.errors import Interrupted, UndulaError
from ..core.processes import is_main_process
from ..core.registry import Registry
from ..data.prepare import PreparedData
from ..data.samples import write_samples
from ..evaluation.judge import Judgement
from ..model import DiffusionModel, FitHooks
from ..training.loggers import JSONLinesLogger, Logger, TensorBoardLogger, WandbLogger
from ..training.progress import Progress, make_progress
from .base import BaseExperiment, Generator
from .debugging import RunDebug
from .environment import environment
from .evaluating import RunEvaluation, field_figures
from .folder import RunFolder, find_run
from .reporting import Watch, write_report
from .stages import LatentStage, StageName, check_stage


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Args:
        folder: its folder.
        results: the contents of results.json.
        judgement: the figures; None if nothing was held out.
        baselines: the names of the baselines.
        probe: lines of what an autoencoder lets through, where the run ended with it.
    """

    folder: Path
    results: dict[str, Any]
    judgement: Judgement | None
    baselines: list[str]
    probe: list[str] = field(default_factory=list)


class ExperimentRunner:
    """Runs a config's experiment: the folder, checkpoints, logs and the page around it.

    Args:
        config: what to run.
        out: parent of the run folder; None: experiments/runs.
        quiet: whether to say nothing on the way.
        progress: makes the progress of a phase from its name; None: what suits stderr.
        judge_on: the part against which samples are judged; "nothing": none are drawn, and the
            results say "trained", not "finished".
        debug: whether to say shapes, log gradients by module and draw what the model does.
        loggers: that get the numbers of the training besides the run folder's own.

    Raises:
        UnknownNameError: if the experiment's type is unknown.
    """

    def __init__(
        self,
        config: Config,
        out: str | Path | None = None,
        quiet: bool = False,
        progress: Callable[[str], Progress] | None = None,
        judge_on: Literal["test", "val", "nothing"] = "test",
        loggers: Sequence[Logger] = (),
        debug: bool = False,
    ) -> None:
        self.debug = debug
        self.config = config
        self.out = None if out is None else Path(out)
        self.quiet = quiet or not is_main_process()
        self.experiment: BaseExperiment = Registry.resolve("experiment", config.experiment_spec())
        self.judge_on, self.loggers = judge_on, list(loggers)
        self._progress = progress or (lambda what: make_progress(what, self.quiet))

    @classmethod
    def from_config(
        cls, config: Config | Mapping[str, Any] | str | Path, overrides: Iterable[str] = (), **options: Any
    ) -> ExperimentRunner:
        """A runner of a config, a mapping, a YAML file or a preset.

        Args:
            config: what to run.
            overrides: such as "training.learning_rate=3e-4"; for files and presets.
            options: see the class.
        """
        if isinstance(config, str | Path):
            return cls(load_config(config, overrides), **options)
        return cls(as_config(config), **options)

    def prepare(self) -> tuple[Generator, PreparedData]:
        """Check everything that can be checked without training.

        Raises:
            UndulaError: whatever is wrong with the components or the data.
        """
        if self.config.wandb.enabled:
            WandbLogger.check()
        model, prepared = self.experiment.setup(self.config)
        self.config.baselines()
        field_figures(prepared, self.config)
        if self.config.evaluation.bits_per_dim and isinstance(model, DiffusionModel):
            model.compose().check_likelihood()
        if self.judge_on == "val":
            prepared = replace(prepared, parts=replace(prepared.parts, test=None))
        return model, prepared

    def run(self, resume: str | Path | None = None, stage: StageName = "all") -> RunResult | None:
        """Train, sample, judge, write.

        Args:
            resume: a run folder to go on with.
            stage: "vae" stops when the autoencoder is trained and probed; "diffusion" goes on with a
                run where it is; "all" does both.

        Returns:
            What was left behind; None in the helping processes of a distributed training.

        Raises:
            Interrupted: after SIGINT or SIGTERM; the message says how to resume.
        """
        model, prepared = self.prepare()
        check_stage(stage, model, resume)
        if not is_main_process():
            checkpoints = None if resume is None else find_run(resume).checkpoints
            hooks = FitHooks(
                folder=checkpoints,
                resume=resume is not None,
                train_step=self.experiment.train_step,
                on_stage=lambda _: stage != "vae",
            )
            model.fit(prepared, hooks)
            return None
        folder = (
            RunFolder.create(self.config.experiment.name, self.out) if resume is None else find_run(resume)
        )
        with folder.locked():
            try:
                with self._wandb(folder) as tracker:
                    return self._run(folder, model, prepared, resume is not None, tracker, stage)
            except Interrupted as stop:
                folder.write_json("results.json", self._summary("interrupted"))
                raise Interrupted(f"{stop}; go on with: undula run --resume {folder.path}") from None
            except UndulaError as error:
                if resume is None and error.exit_code == 2 and not folder.checkpoints.exists():
                    shutil.rmtree(folder.path)
                raise

    def _run(
        self,
        folder: RunFolder,
        model: Generator,
        prepared: PreparedData,
        resume: bool,
        tracker: WandbLogger | None,
        stage: StageName,
    ) -> RunResult:
        if not resume:
            folder.write_text("config.yaml", dump_yaml(self.config.model_dump(mode="json")))
        if not (folder.path / "environment.json").exists():
            folder.write_json("environment.json", environment())
        for note in prepared.notes:
            self._say(f"data: {note}")
        board = TensorBoardLogger(folder.path)
        loggers: list[Logger] = [JSONLinesLogger(folder.path / "metrics.jsonl"), board, *self.loggers]
        if tracker is not None:
            loggers.append(tracker)
        progress = self._progress("training" if self.experiment.trains else "fitting")
        watch = Watch(self.config, prepared, folder, board, progress.message)
        hooks = FitHooks(folder.checkpoints, resume, loggers, progress, watch, self.experiment.train_step)
        latent = LatentStage(folder, prepared, self._say, go_on=stage != "vae")
        hooks.on_stage = latent
        hooks.progress_of = lambda name: self._progress(f"training the {name}")
        debugging = RunDebug(loggers, progress.message)
        if self.debug:
            hooks.on_start, hooks.loggers = debugging.begin, [*loggers, debugging]
        model.fit(prepared, hooks)
        if stage == "vae":
            results = {**self._summary("vae_trained"), **latent.results(model)}
            folder.write_json("results.json", results)
            return RunResult(folder.path, results, None, [], latent.lines)
        model.save(folder.model)
        evaluation = None
        if self.judge_on != "nothing":
            with self._progress("sampling") as sampling:
                evaluation = self.experiment.evaluate(
                    model, prepared, self.config, lambda share: sampling.update(share, "")
                )
        results = {**self._results(model, prepared, evaluation), **latent.results(model)}
        if evaluation is not None:
            write_samples(folder.path / "samples.parquet", evaluation.samples, model.columns_)
            if not write_report(folder, self.config, model, prepared, evaluation, results, latent.probe):
                self._say("nothing is held out (data.split): no figures, and no page")
        if self.debug and isinstance(model, DiffusionModel):
            results["debug"] = debugging.finish(model, prepared, folder.plots)
        folder.write_json("results.json", results)
        if tracker is not None:
            tracker.summarise(_figures(results))
        judged = None if evaluation is None else evaluation.judgement
        return RunResult(
            folder.path, results, judged, [] if evaluation is None else list(evaluation.baselines)
        )

    def _wandb(self, folder: RunFolder) -> AbstractContextManager[WandbLogger | None]:
        options = self.config.wandb.model_dump()
        if not options.pop("enabled"):
            return nullcontext()
        name = f"{self.config.experiment.name}/{folder.path.name}"
        return WandbLogger(folder.path, name, self.config.model_dump(mode="json"), **options)

    def _summary(self, status: str) -> dict[str, Any]:
        experiment = self.config.experiment
        return {"name": experiment.name, "status": status, "seed": experiment.seed, "metrics": {}}

    def _results(
        self, model: Generator, prepared: PreparedData, evaluation: RunEvaluation | None
    ) -> dict[str, Any]:
        outcome = model.outcome_
        assert outcome is not None
        metrics: dict[str, Any] = {}
        sampled: dict[str, float] = {}
        if evaluation is not None:
            judged = {} if evaluation.judgement is None else evaluation.judgement.as_json()
            metrics = {**judged, **evaluation.extra}
            per_thousand = 1000.0 * evaluation.sample_seconds / len(evaluation.samples)
            sampled = {"sample_s_per_1000": round(per_thousand, 3)}
            if isinstance(model, DiffusionModel):
                sampled["calls_per_sample"] = round(model.calls_, 2)
        best = outcome.best_val_loss
        return {
            **self._summary("trained" if evaluation is None else "finished"),
            "metrics": metrics,
            "timing": {
                "train_s": round(outcome.seconds, 3),
                **sampled,
                "steps": outcome.steps,
                "parameters": model.num_parameters_,
            },
            "training": {"best_val_loss": best if np.isfinite(best) else None},
            "data": {
                "columns": model.columns_,
                "notes": [*prepared.notes, *model.notes(), *_of_figures(evaluation)],
                "windows": {
                    name: len(part)
                    for name, part in vars(prepared.parts).items()
                    if name in ("train", "val", "test") and part is not None
                },
            },
        }

    def _say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)


def _of_figures(evaluation: RunEvaluation | None) -> list[str]:
    """What the figures of the data's field are of."""
    return [] if evaluation is None or evaluation.judgement is None else evaluation.judgement.notes


def _figures(results: dict[str, Any]) -> dict[str, float]:
    """The numbers of results.json, by name."""
    numbers = {f"metrics/{name}": figure["value"] for name, figure in results["metrics"].items()}
    numbers |= {f"timing/{name}": value for name, value in results["timing"].items()}
    numbers["best_val_loss"] = results["training"]["best_val_loss"]
    return {name: value for name, value in numbers.items() if value is not None}
