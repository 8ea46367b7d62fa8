"""From a config to a run folder: data, training, samples, figures, page."""

from __future__ import annotations

__all__ = ["ExperimentRunner", "RunResult"]

import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..config.loading import as_config, load_config
from ..config.schema import Config
from ..config.yaml12 import dump_yaml
from ..core.errors import Interrupted, UndulaError
from ..core.processes import is_main_process
from ..data.prepare import PreparedData, prepare
from ..data.samples import write_samples
from ..evaluation.judge import Judgement, judge
from ..evaluation.names import METRICS
from ..model import DiffusionModel, FitHooks
from ..training.loggers import JSONLinesLogger, Logger, TensorBoardLogger
from ..training.progress import make_progress
from .debugging import RunDebug
from .environment import environment
from .evaluating import RunEvaluation, conditions, evaluate_model, padded, real_windows
from .folder import RunFolder, find_run

_PICTURED = 256
_WATCHED = ("wasserstein", "std", "kurtosis", "acf_abs")


@dataclass(frozen=True)
class RunResult:
    """What a run left behind.

    Args:
        folder: its folder.
        results: the contents of results.json.
        judgement: the figures; None if nothing was held out.
        baselines: the names of the baselines.
    """

    folder: Path
    results: dict[str, Any]
    judgement: Judgement | None
    baselines: list[str]


class ExperimentRunner:
    """Runs a config.

    Args:
        config: what to run.
        out: parent of the run folder; None: experiments/runs.
        quiet: whether to say nothing on the way.
        debug: whether to say shapes, log gradients by module and draw what the model does.
    """

    def __init__(
        self, config: Config, out: str | Path | None = None, quiet: bool = False, debug: bool = False
    ) -> None:
        self.debug = debug
        self.config = config
        self.out = None if out is None else Path(out)
        self.quiet = quiet or not is_main_process()

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

    def prepare(self) -> tuple[DiffusionModel, PreparedData]:
        """Check everything that can be checked without training.

        Raises:
            UndulaError: whatever is wrong with the components or the data.
        """
        model = DiffusionModel.from_config(self.config)
        model.compose()
        return model, prepare(self.config.data)

    def run(self, resume: str | Path | None = None) -> RunResult | None:
        """Train, sample, judge, write.

        Args:
            resume: a run folder to go on with.

        Returns:
            What was left behind; None in the helping processes of a distributed training.

        Raises:
            Interrupted: after SIGINT or SIGTERM; the message says how to resume.
        """
        model, prepared = self.prepare()
        if not is_main_process():
            checkpoints = None if resume is None else find_run(resume).checkpoints
            model.fit(prepared, FitHooks(folder=checkpoints, resume=resume is not None))
            return None
        folder = (
            RunFolder.create(self.config.experiment.name, self.out) if resume is None else find_run(resume)
        )
        with folder.locked():
            try:
                return self._run(folder, model, prepared, resume is not None)
            except Interrupted as stop:
                folder.write_json("results.json", self._summary("interrupted"))
                raise Interrupted(f"{stop}; go on with: undula run --resume {folder.path}") from None
            except UndulaError as error:
                if resume is None and error.exit_code == 2 and not folder.checkpoints.exists():
                    shutil.rmtree(folder.path)
                raise

    def _run(
        self, folder: RunFolder, model: DiffusionModel, prepared: PreparedData, resume: bool
    ) -> RunResult:
        if not resume:
            folder.write_text("config.yaml", dump_yaml(self.config.model_dump(mode="json")))
            folder.write_json("environment.json", environment())
        for note in prepared.notes:
            self._say(f"data: {note}")
        board = TensorBoardLogger(folder.path)
        loggers: list[Logger] = [JSONLinesLogger(folder.path / "metrics.jsonl"), board]
        progress = make_progress("training", self.quiet)
        watch = _Watch(self.config, prepared, folder, board, progress.message)
        hooks = FitHooks(folder.checkpoints, resume, loggers, progress, watch)
        debugging = RunDebug(loggers, progress.message)
        if self.debug:
            hooks.on_start, hooks.loggers = debugging.begin, [*loggers, debugging]
        model.fit(prepared, hooks)
        model.save(folder.model)
        with make_progress("sampling", self.quiet) as sampling:
            evaluation = evaluate_model(
                model, prepared, self.config, lambda share: sampling.update(share, "")
            )
        write_samples(folder.path / "samples.parquet", evaluation.samples, model.columns_)
        results = self._results(model, prepared, evaluation)
        self._report(folder, model, prepared, evaluation, results)
        if self.debug:
            results["debug"] = debugging.finish(model, prepared, folder.plots)
        folder.write_json("results.json", results)
        return RunResult(folder.path, results, evaluation.judgement, list(evaluation.baselines))

    def _summary(self, status: str) -> dict[str, Any]:
        experiment = self.config.experiment
        return {"name": experiment.name, "status": status, "seed": experiment.seed, "metrics": {}}

    def _results(
        self, model: DiffusionModel, prepared: PreparedData, evaluation: RunEvaluation
    ) -> dict[str, Any]:
        outcome = model.outcome_
        assert outcome is not None
        metrics = {} if evaluation.judgement is None else evaluation.judgement.as_json()
        if self.config.evaluation.bits_per_dim:
            metrics["bits_per_dim"] = {
                "value": model.bits_per_dim((prepared.parts.test or prepared.parts.train).some(400_000)),
                "better": "lower",
                "protocol": "variational bound on held-out windows, in the data's units",
            }
        per_thousand = 1000.0 * evaluation.sample_seconds / len(evaluation.samples)
        best = outcome.best_val_loss
        return {
            **self._summary("finished"),
            "metrics": metrics,
            "timing": {
                "train_s": round(outcome.seconds, 3),
                "sample_s_per_1000": round(per_thousand, 3),
                "steps": outcome.steps,
                "parameters": model.num_parameters_,
                "calls_per_sample": model.parts_.sampler.calls,
            },
            "training": {"best_val_loss": best if np.isfinite(best) else None},
            "data": {
                "columns": model.columns_,
                "notes": prepared.notes,
                "windows": {
                    name: len(part)
                    for name, part in vars(prepared.parts).items()
                    if name in ("train", "val", "test") and part is not None
                },
            },
        }

    def _report(
        self,
        folder: RunFolder,
        model: DiffusionModel,
        prepared: PreparedData,
        evaluation: RunEvaluation,
        results: dict[str, Any],
    ) -> None:
        if evaluation.held_out is None or evaluation.judgement is None:
            self._say("nothing is held out (data.split): no figures, and no page")
            return
        from ..report.page import PageContent, write_page
        from ..report.plots import save_dynamics, save_marginals, save_windows

        real, generated, columns = evaluation.held_out.windows, evaluation.generated, model.columns_
        title = self.config.experiment.name
        save_windows(folder.plots / "windows.png", _spread(real), list(generated), columns, title)
        save_marginals(folder.plots / "marginals.png", real, generated, columns)
        save_dynamics(folder.plots / "dynamics.png", real, generated, columns)
        components = self.config.components
        timing = results["timing"]
        facts = [
            ("model", f"{components.architecture.type}, {timing['parameters']:,} parameters"),
            ("trained", f"{timing['steps']:,} steps in {timing['train_s']:.0f} s, seed {results['seed']}"),
            (
                "diffusion",
                f"{components.objective.type} on {type(model.parts_.sde).__name__}, "
                f"sampler {components.sampler.type} with {timing['calls_per_sample']} network calls, "
                f"{timing['sample_s_per_1000']:.2f} s per 1,000 samples",
            ),
            ("figures", evaluation.judgement.protocol),
        ]
        content = PageContent(
            title=title,
            description=self.config.experiment.description,
            facts=facts,
            notes=prepared.notes,
            columns=columns,
            real=real,
            train=evaluation.train.windows,
            generated=generated,
            baselines=evaluation.baselines,
            judgement=evaluation.judgement,
            curve=folder.curve(),
            config=dump_yaml(self.config.model_dump(mode="json")),
        )
        write_page(folder.path / "report.html", content)

    def _say(self, text: str) -> None:
        if not self.quiet:
            print(text, file=sys.stderr)


class _Watch:
    """Samples on the way: a picture, and a few figures against the validation part."""

    def __init__(
        self, config: Config, prepared: PreparedData, folder: RunFolder, board: TensorBoardLogger, say: Any
    ) -> None:
        self.config, self.prepared, self.folder, self.board, self.say = config, prepared, folder, board, say
        part = prepared.parts.val or prepared.parts.train
        self.against = "validation part" if prepared.parts.val else "training part"
        self.part, self.real = part, real_windows(part, prepared)
        self.train = real_windows(prepared.parts.train, prepared)

    def __call__(self, model: DiffusionModel, epochs: int, steps: int) -> dict[str, float]:
        start = time.perf_counter()
        samples = padded(list(model.sample(_PICTURED, seed=0, given=conditions(model, self.part, _PICTURED))))
        names = [n for n in _WATCHED if n in (self.config.evaluation.metrics or METRICS)]
        figures = judge(samples, self.real, self.train, {}, names, draws=0).figures
        values = {
            f"samples/{name}": figure.statistic.get("generated", figure.value)
            for name, figure in figures.items()
        }
        path = self.folder.plots / f"epoch_{epochs:05d}.png"
        self._picture(path, samples, model.columns_, epochs, steps)
        numbers = "  ".join(
            f"{name} {figure.statistic.get('generated', figure.value):.3g}"
            + (f" ({figure.statistic['held_out']:.3g})" if figure.statistic else "")
            for name, figure in figures.items()
        )
        self.say(
            f"epoch {epochs}, step {steps:,}: {numbers}  ({self.against} in brackets; "
            f"{time.perf_counter() - start:.1f} s)"
        )
        return {name: value for name, value in values.items() if np.isfinite(value)}

    def _picture(self, path: Path, samples: np.ndarray, columns: list[str], epochs: int, steps: int) -> None:
        import matplotlib.image

        from ..report.plots import save_windows

        title = f"epoch {epochs}, step {steps:,}"
        save_windows(path, _spread(self.real.windows), list(samples), columns, title)
        pixels = (matplotlib.image.imread(path)[..., :3] * 255).astype(np.uint8)
        self.board.picture("samples", pixels, steps)


def _spread(windows: np.ndarray) -> list[np.ndarray]:
    """A few windows from all over a part."""
    chosen = np.linspace(0, len(windows) - 1, min(len(windows), 6)).astype(int)
    return list(windows[chosen])
