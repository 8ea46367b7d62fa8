"""Runs in stages: an autoencoder first, what it lets through, then diffusion in its latents."""

from __future__ import annotations

__all__ = ["LatentStage", "StageName", "check_stage", "with_trained_autoencoder"]

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from ..core.errors import ConfigError, RunError
from ..data.prepare import PreparedData
from ..evaluation.bottleneck import Bottleneck
from ..model import DiffusionModel, FitHooks
from .base import Generator
from .bottleneck import is_latent, probe_model
from .folder import PROBE, RunFolder, find_run

StageName = Literal["vae", "diffusion", "all"]


def check_stage(stage: StageName, model: Generator, resume: str | Path | None) -> None:
    """Refuse a stage that this run does not have, or not yet.

    Raises:
        ConfigError: if the model has one stage only.
        RunError: if diffusion is to begin where no autoencoder is trained.
    """
    if stage == "all":
        return
    if not isinstance(model, DiffusionModel) or model.compose().preprocessing.stage_name != "vae":
        raise ConfigError(
            f"stage {stage}: this model has one stage only: leave --stage out, or use the preprocessing vae"
        )
    if stage == "vae" and resume is not None and (found := find_run(resume).model / "model.json").is_file():
        raise RunError(
            f"run {found.parents[1]} is finished, its autoencoder too: bottleneck.json in it has the probe"
        )
    if stage == "diffusion":
        if resume is None:
            raise ConfigError(
                "stage diffusion goes on with a run whose autoencoder is trained: name it with --resume RUN"
            )
        folder = find_run(resume)
        if not (folder.path / PROBE).is_file():
            raise RunError(
                f"run {folder.path} has no trained autoencoder yet: finish it with "
                f"`undula run --resume {folder.path} --stage vae`"
            )


def with_trained_autoencoder(folder: RunFolder, prepared: PreparedData) -> DiffusionModel:
    """The model of a run whose autoencoder is trained and whose diffusion need not be.

    Raises:
        RunError: if the autoencoder is not trained.
    """
    if not (folder.path / PROBE).is_file():
        raise RunError(
            f"run {folder.path} has neither a model nor a trained autoencoder yet: finish it with "
            f"`undula run --resume {folder.path}`"
        )
    model = DiffusionModel.from_config(folder.path / "config.yaml")
    model.assemble(prepared, FitHooks(folder.checkpoints, resume=True))
    return model


class LatentStage:
    """What happens when the autoencoder of a run is trained: the probe, said and written.

    Args:
        folder: of the run.
        prepared: its data.
        say: where the user looks.
        go_on: whether diffusion follows; if not, the probe is the run's result, and not said here.

    Attributes:
        probe: what was found; None before.
        lines: the same in words.
    """

    def __init__(
        self, folder: RunFolder, prepared: PreparedData, say: Callable[[str], None], go_on: bool
    ) -> None:
        self.folder, self.prepared, self.say, self.go_on = folder, prepared, say, go_on
        self.lines: list[str] = []
        self.probe: Bottleneck | None = None

    def __call__(self, model: DiffusionModel) -> bool:
        """Probe; whether to go on."""
        if is_latent(model):
            from ..report.bottleneck import probe_lines, save_probe

            probe = probe_model(model, self.prepared, model.seed)
            self.lines = probe_lines(probe.found)
            for line in self.lines if self.go_on else ():
                self.say(line)
            self.probe = probe.found
            save_probe(self.folder.plots / "bottleneck.png", probe.found, probe.windows)
            self.folder.write_json(PROBE, probe.found.as_json())
        return self.go_on

    def results(self, model: Generator) -> dict[str, Any]:
        """Entries of results.json: the stage's training and the probe; none if there was no such stage."""
        outcome = model.stage_outcome_ if isinstance(model, DiffusionModel) else None
        if outcome is None or not isinstance(model, DiffusionModel):
            return {}
        name, best = model.parts_.preprocessing.stage_name, outcome.best_val_loss
        trained = {
            "train_s": round(outcome.seconds, 3),
            "steps": outcome.steps,
            "best_val_loss": best if best < float("inf") else None,
        }
        found = {} if self.probe is None else {"bottleneck": self.probe.as_json()}
        return {"stages": {name: trained}, **found}
