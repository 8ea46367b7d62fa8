"""What an experiment does, in three methods; one of its own overrides what is to be different.

    setup       config → model and data
    train_step  what one step of the optimiser costs, a number for each member of the batch
    evaluate    fitted model and data → samples, and figures with their floors and baselines

The run around them (folder, checkpoints, logs, resuming, page) is `ExperimentRunner`'s.
"""

from __future__ import annotations

__all__ = ["BaseExperiment"]

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from ..config.schema import Config
from ..core.component import Component
from ..core.types import Losses
from ..data.prepare import PreparedData, prepare
from ..diffusion.loss import DiffusionLoss, TrainingBatch
from ..model import DiffusionModel
from .evaluating import RunEvaluation, evaluate_model


class BaseExperiment(Component):
    """How a run is set up, trained and evaluated; each method does what the standard experiment does."""

    kind: ClassVar[str] = "experiment"

    def setup(self, config: Config) -> tuple[DiffusionModel, PreparedData]:
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
        model: DiffusionModel,
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
