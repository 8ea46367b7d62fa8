"""What an experiment does, in three methods; one of its own overrides what is to be different.

    setup       config → model and data
    train_step  what one step of the optimiser costs, a number for each member of the batch
    evaluate    fitted model and data → samples, and figures with their floors and baselines

The run around them (folder, checkpoints, logs, resuming, page) is `ExperimentRunner`'s.
"""

from __future__ import annotations

__all__ = ["BaseExperiment", "Ended", "Generator"]

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Protocol

from torch import Tensor

from ..config.schema import Config
from ..core.component import Component
from ..core.types import Losses
from ..data.prepare import PreparedData, prepare
from ..diffusion.loss import DiffusionLoss, TrainingBatch
from ..model import DiffusionModel, FitHooks
from .evaluating import RunEvaluation, evaluate_model


class Ended(Protocol):
    """How a fit ended."""

    @property
    def steps(self) -> int | None:
        """Of the optimiser; None: there is none."""

    @property
    def seconds(self) -> float:
        """That it took."""

    @property
    def best_val_loss(self) -> float:
        """The lowest, infinite if there was none."""


class Generator(Protocol):
    """What a run fits: a `DiffusionModel`, or whatever else has what the runner asks for."""

    @property
    def columns_(self) -> list[str]:
        """Names of the columns that it generates."""

    @property
    def outcome_(self) -> Ended | None:
        """How the fit ended."""

    @property
    def num_parameters_(self) -> int | None:
        """Numbers in its network; None: it has none."""

    def fit(self, data: PreparedData, hooks: FitHooks) -> Any:
        """Learn from the training part."""

    def notes(self) -> list[str]:
        """What the fit found, a sentence each."""

    def save(self, folder: Path) -> None:
        """Write what `undula sample` reads."""


class BaseExperiment(Component):
    """How a run is set up, trained and evaluated; each method does what the standard experiment does."""

    kind: ClassVar[str] = "experiment"

    trains: ClassVar[bool] = True
    """Whether a diffusion model is trained: whether the config's components and training matter."""

    def setup(self, config: Config) -> tuple[Generator, PreparedData]:
        """The model, not yet fitted, and its data; everything that can be checked is checked.

        Args:
            config: the run's.

        Raises:
            UndulaError: whatever is wrong with the components or the data.
        """
        model = DiffusionModel.from_config(config)
        model.compose()
        return model, prepare(config.data)

    def train_step(
        self, loss: DiffusionLoss, batch: TrainingBatch, step: int, position: Tensor, size: int
    ) -> Losses:
        """What one step of the optimiser costs, (B,); a function of its arguments alone.

        A run that was killed goes on bit for bit only if nothing else enters: draw random numbers
        from `core.randomness.Stream(loss.seed, "a name")` with `step` and `position`.

        Args:
            loss: the objective's, with the denoiser, the objective and the preprocessing.
            batch: series in the data's units, and what the network is told.
            step: the training step.
            position: the members' places in the global batch, integers (B,).
            size: of the global batch.
        """
        return loss.losses(batch, step, position, size)

    def evaluate(
        self,
        model: Any,
        prepared: PreparedData,
        config: Config,
        on_progress: Callable[[float], None] | None = None,
    ) -> RunEvaluation:
        """Samples, and figures; `RunEvaluation.with_distance` adds one.

        Args:
            model: fitted.
            prepared: the data it was fitted on.
            config: the run's.
            on_progress: called with the share of samples that is drawn.
        """
        return evaluate_model(model, prepared, config, on_progress)
