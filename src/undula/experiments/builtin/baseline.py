"""A baseline in place of the diffusion model: fitted on the training part, judged by the same judge.

    experiment: {type: baseline, params: {baseline: garch}}
    experiment: {type: baseline, params: {baseline: {type: garch, params: {leverage: true}}}}

Its run folder has what every run has but checkpoints and a model: a baseline is fitted again where it is
wanted.
"""

from __future__ import annotations

__all__ = ["BaselineExperiment", "FittedBaseline"]

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...config.schema import Config
from ...core.baseline import BaseBaseline
from ...core.errors import ConfigError
from ...core.randomness import derive_seed
from ...core.registry import Registry, register
from ...core.types import Losses
from ...data.prepare import PreparedData, prepare
from ...diffusion.loss import DiffusionLoss, TrainingBatch
from ...model import FitHooks
from ...training.progress import SilentProgress
from ..base import BaseExperiment
from ..evaluating import RunEvaluation, evaluate_samples

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class BaselineOutcome:
    """How the fit of a baseline ended.

    Args:
        seconds: that it took.
    """

    seconds: float
    steps: None = None
    best_val_loss: float = math.inf


class FittedBaseline:
    """A baseline with what the runner asks of a model.

    Args:
        baseline: not fitted.
        prepared: the data; the training part is what it is fitted on.
        seed: of a fit that is random.
        threads: of a fit; None: torch's choice.
    """

    num_parameters_ = None

    def __init__(
        self, baseline: BaseBaseline, prepared: PreparedData, seed: int = 0, threads: int | None = None
    ) -> None:
        self.baseline, self.seed, self.threads = copy.deepcopy(baseline), seed, threads
        self.columns_ = list(prepared.panel.columns)
        self.outcome_: BaselineOutcome | None = None

    def fit(self, data: PreparedData, hooks: FitHooks | None = None) -> FittedBaseline:
        """Fit on the training part."""
        hooks = hooks or FitHooks()
        progress, train = hooks.progress or SilentProgress(), data.parts.train
        start, threads = time.perf_counter(), torch.get_num_threads()
        torch.set_num_threads(self.threads or threads)
        try:
            with progress:
                self.baseline.fit(train.stretches(), int(train.lengths.max()), self.seed, progress.update)
        finally:
            torch.set_num_threads(threads)
            for logger in hooks.loggers:
                logger.close()
        self.outcome_ = BaselineOutcome(time.perf_counter() - start)
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows (n, L, C), in the data's units."""
        return self.baseline.sample(n, seed)

    def notes(self) -> list[str]:
        """What the fit chose or found."""
        name = Registry.name(self.baseline)
        return [f"{name}: {note}" for note in self.baseline.notes()]

    def save(self, folder: Path) -> None:
        """Nothing is kept: a baseline is fitted again where it is wanted."""


@register("experiment", "baseline")
class BaselineExperiment(BaseExperiment):
    """Fit a baseline instead of a diffusion model, and judge its samples alike.

    Args:
        baseline: which; see `undula baselines`.
    """

    trains = False

    def __init__(self, baseline: BaseBaseline) -> None:
        self.baseline = baseline

    def setup(self, config: Config) -> tuple[FittedBaseline, PreparedData]:
        """The baseline, not yet fitted, and the data."""
        prepared = prepare(config.data)
        return FittedBaseline(
            self.baseline, prepared, config.experiment.seed, config.training.threads
        ), prepared

    def train_step(
        self, loss: DiffusionLoss, batch: TrainingBatch, step: int, position: Tensor, size: int
    ) -> Losses:
        """There is none.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("a baseline has no training step: it is fitted as a whole")

    def evaluate(
        self,
        model: Any,
        prepared: PreparedData,
        config: Config,
        on_progress: Callable[[float], None] | None = None,
    ) -> RunEvaluation:
        """Samples, judged as a diffusion model's are."""
        seed, start = derive_seed(config.experiment.seed, "evaluation"), time.perf_counter()
        samples = list(model.sample(config.evaluation.num_samples, seed))
        return evaluate_samples(samples, prepared, config, time.perf_counter() - start)
