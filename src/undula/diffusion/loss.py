"""One training step of a diffusion model: what a batch costs, as a function of (seed, step).

Times, noise and dropped conditions of a member depend on the seed, the step and its place in the
global batch, so that neither the number of devices nor a restart changes them.
"""

from __future__ import annotations

__all__ = ["DiffusionLoss", "TrainingBatch"]

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from ..core.condition import Condition
from ..core.errors import ConfigError
from ..core.preprocessing import BasePreprocessor
from ..core.randomness import Draws, Stream
from ..core.types import Losses, Series
from .denoiser import NetDenoiser
from .objective import BaseObjective

_GOLDEN = 0.6180339887498949


class TrainingBatch:
    """Series in the user's units, and what the network is told.

    Args:
        x: (B, C, L); finite everywhere.
        condition: with `valid` where elements are missing.
    """

    def __init__(self, x: Series, condition: Condition | None) -> None:
        self.x, self.condition = x, condition

    def to(self, device: torch.device) -> TrainingBatch:
        """The same batch on another device."""
        condition = None if self.condition is None else self.condition.to(device)
        return TrainingBatch(self.x.to(device), condition)


class DiffusionLoss(nn.Module):
    """The loss of each member of a batch.

    Args:
        denoiser: the network with its preconditioning.
        objective: density, weight, prediction.
        preprocessing: fitted, to the space that is diffused.
        seed: the run's.
        condition_dropout: probability of training with a condition part's learned null: one for all
            parts, or one a part by its name, 0 for those that are not named.
        train_step: what a training step costs, as a function of this loss and the arguments of
            `losses`; None: `losses` itself.
    """

    def __init__(
        self,
        denoiser: NetDenoiser,
        objective: BaseObjective,
        preprocessing: BasePreprocessor,
        seed: int,
        condition_dropout: float | Mapping[str, float],
        train_step: Callable[..., Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.network = denoiser.network
        self.denoiser, self.objective, self.preprocessing = denoiser, objective, preprocessing
        self.seed, self.condition_dropout, self.train_step = seed, condition_dropout, train_step

    def forward(self, batch: TrainingBatch, step: int, position: Tensor, size: int) -> Losses:
        """What a training step costs, (B,): `losses`, unless there is another `train_step`."""
        if self.train_step is None:
            return self.losses(batch, step, position, size)
        losses = self.train_step(self, batch, step, position, size)
        if losses.shape != position.shape:
            raise ConfigError(
                f"train_step gave losses of shape {tuple(losses.shape)}: give one for each member of the "
                f"batch, {tuple(position.shape)}"
            )
        return losses

    def losses(self, batch: TrainingBatch, step: int, position: Tensor, size: int) -> Losses:
        """The objective's losses of a training batch, (B,).

        Args:
            batch: the members.
            step: the training step.
            position: the members' places in the global batch, integers (B,).
            size: of the global batch.
        """
        times = self.objective.times(self.denoiser.path, Stream(self.seed, "time"), step, position, size)
        condition = self._with_dropped_parts(batch.condition, step, position)
        return self._losses(batch.x, condition, times, Stream(self.seed, "noise"), step, position)

    def at_fixed_times(self, batch: TrainingBatch, index: Tensor, num_times: int = 4) -> Losses:
        """Losses on a grid of times and noise that is always the same, (B,).

        Args:
            batch: the members.
            index: their numbers in the validation part, integers (B,).
            num_times: times a member, in as many slices of the density.
        """
        density = self.objective.time_density(self.denoiser.path)
        offset = (0.5 + index.double() * _GOLDEN) % 1.0
        total = torch.zeros(len(index), device=batch.x.device)
        for k in range(num_times):
            times = density.quantile(((k + offset) / num_times).clamp(1e-6, 1 - 1e-6))
            stream = Stream(0, "validation")
            total += self._losses(batch.x, batch.condition, times, stream, k, index) / num_times
        return total

    def _losses(
        self,
        x: Series,
        condition: Condition | None,
        times: Tensor,
        stream: Stream,
        step: int,
        index: Tensor,
    ) -> Losses:
        with torch.autocast(x.device.type, enabled=False):  # a network's precision is not the data's
            draws = Draws(stream.seed, f"{stream.name} preprocessing", step, index)
            x_0 = self.preprocessing.draw(x, condition, draws).float()
            condition = self.preprocessing.condition(condition, x)
        if condition is not None and condition.valid is not None:
            x_0 = x_0 * condition.valid
        white = stream.normal(step, index, x_0.shape[1], x_0.shape[2])
        eps = self.denoiser.path.noise.colour(white, condition)
        return self.objective.losses(self.denoiser, x_0, eps, times, condition)

    def _with_dropped_parts(
        self, condition: Condition | None, step: int, position: Tensor
    ) -> Condition | None:
        if condition is None:
            return None
        given = self.condition_dropout
        for name in condition.droppable:
            probability = given.get(name, 0.0) if isinstance(given, Mapping) else given
            if probability:
                draw = Stream(self.seed, f"drop {name}").uniform(step, position)[:, 0]
                condition = condition.drop(name, draw < probability)
        return condition
