"""From prepared data to a trained denoiser."""

from __future__ import annotations

__all__ = ["FitHooks", "Fitted", "assemble", "fit"]

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.component import Component
from ..core.errors import DataError, IncompatibleError
from ..core.preprocessing import HeldOut
from ..core.randomness import Draws, derive_seed, forked_generator
from ..core.registry import Registry
from ..data.batching import epoch_batches
from ..data.collation import Collator
from ..data.prepare import PreparedData
from ..data.windows import Batch, WindowDataset
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.loss import DiffusionLoss, TrainingBatch
from ..diffusion.prior import GaussianPrior
from ..training.engine import Engine, Outcome, Task
from ..training.loggers import Logger
from ..training.options import TrainingOptions
from ..training.progress import Progress
from ..training.stage import Stage, loggers_of_stage
from .composition import Composition
from .storage import load_weights

_VALIDATION_WINDOWS = 512


@dataclass
class FitHooks:
    """What a caller may hang into a training.

    Args:
        folder: where checkpoints go; None: nowhere.
        resume: go on from the folder's last checkpoint.
        loggers: where numbers go.
        progress: where the user looks.
        on_epoch: called with the model and the numbers of epochs and steps, every
            `training.sample_every` epochs, under the averaged weights; its numbers are logged.
        train_step: what a training step costs; see `DiffusionLoss`; None: the objective's loss.
        on_start: called with the loss and the first batch, before the first step.
        progress_of: makes where the user looks in a training of the preprocessing, of its name.
        on_stage: called with the model when the preprocessing is fitted, before the first step, if
            that was a training; whether to go on.
    """

    folder: Path | None = None
    resume: bool = False
    loggers: Sequence[Logger] = ()
    progress: Progress | None = None
    on_epoch: Callable[[Any, int, int], dict[str, float]] | None = None
    train_step: Callable[..., Tensor] | None = None
    on_start: Callable[[DiffusionLoss, TrainingBatch], None] | None = None
    progress_of: Callable[[str], Progress] | None = None
    on_stage: Callable[[Any], bool] | None = None

    def stage(self, name: str, main: TrainingOptions, seed: int) -> Stage:
        """How the preprocessing's own training is run."""
        return Stage(
            seed=derive_seed(seed, "stage", name),
            main=main,
            folder=self.folder and self.folder / name,
            resume=self.resume,
            loggers=loggers_of_stage(self.loggers, name),
            progress=self.progress_of(name) if self.progress_of else None,
        )


@dataclass
class Fitted:
    """What a training makes.

    Args:
        denoiser: the network with its preconditioning.
        collator: what batches look like.
        s: standard deviation of what is diffused.
        lengths: evenly spaced quantiles of the training windows' lengths.
        outcome: how the training ended; None before it has.
        stage: how a preprocessing that is trained was; None: it is not, or the model was loaded.
        prior: the Gaussian nearest to the training windows; None: they have
            missing values or vary in length.
        spread: by how much forecasts of each column are spread out about their median; None: not calibrated.
    """

    denoiser: NetDenoiser
    collator: Collator
    s: float
    lengths: list[int]
    outcome: Outcome | None = field(default=None)
    stage: Outcome | None = field(default=None)
    prior: GaussianPrior | None = field(default=None)
    spread: list[float] | None = field(default=None)


def fit(
    parts: Composition,
    prepared: PreparedData,
    options: TrainingOptions,
    seed: int,
    hooks: FitHooks,
    on_epoch: Callable[[Fitted, int, int], dict[str, float]] | None = None,
    on_stage: Callable[[Fitted], bool] | None = None,
) -> Fitted:
    """Fit the preprocessing, build the network, train it.

    Args:
        parts: the model's components; its preprocessing and architecture are changed.
        prepared: the data.
        options: how to train.
        seed: of everything random.
        hooks: what the caller hangs in.
        on_epoch: called with the fitted parts and the numbers of epochs and steps.
        on_stage: called with the fitted parts when a preprocessing that is trained is; whether to go on.

    Returns:
        The fitted parts, with the averaged weights in the network.
    """
    name = parts.preprocessing.stage_name
    stage = hooks.stage(name, options, seed) if name else None
    fitted, loss = assemble(parts, prepared, options, seed, hooks.train_step, stage)
    if stage is not None:
        fitted.stage = stage.outcome
        if on_stage is not None and not on_stage(fitted):
            return fitted
    train, val, collator = prepared.parts.train, prepared.parts.val, fitted.collator

    def batches(epoch: int) -> list[NDArray[np.int64]]:
        return epoch_batches(train.lengths, options.batch_size, seed, epoch)

    task = Task(
        module=loss,
        batches=batches,
        collate=lambda index: training_batch(collator, train.batch(index)),
        validate=None if val is None else _Validation(loss, collator, val, options.batch_size),
        on_epoch=functools.partial(on_epoch, fitted) if on_epoch else None,
        networks=[parts.architecture],
    )
    if hooks.on_start is not None:
        hooks.on_start(loss, training_batch(collator, train.batch(batches(0)[0])))
    engine = Engine(task, options, seed, hooks.folder, hooks.loggers, hooks.progress)
    fitted.outcome = engine.run(hooks.resume)
    with torch.no_grad():
        for name, parameter in loss.named_parameters():
            parameter.copy_(fitted.outcome.ema.weights[name])
    parts.architecture.eval()
    return fitted


def assemble(
    parts: Composition,
    prepared: PreparedData,
    options: TrainingOptions,
    seed: int,
    train_step: Callable[..., Tensor] | None = None,
    stage: Stage | None = None,
) -> tuple[Fitted, DiffusionLoss]:
    """Fit preprocessing and noise, build the network: all that comes before the first step.

    Args:
        parts: the model's components; its preprocessing, noise and architecture are changed.
        prepared: the data.
        options: how it will be trained.
        seed: of the network's initial weights.
        train_step: what a training step costs; see `DiffusionLoss`; None: the objective's loss.
        stage: how a preprocessing that is trained is; None: it is built, and not trained.
    """
    train = prepared.parts.train
    collator = Collator.fit(prepared.panel, train)
    if parts.preprocessing.stage_name:
        parts.preprocessing.stage = stage or Stage(rehearsal=True)
        parts.preprocessing.held_out = _held_out(prepared, collator)
    s, prior = _fit_to_data(parts, collator, train)
    if parts.preprocessing.calibrates and collator.layout.droppable:
        raise IncompatibleError(
            f"calibrate: true is for unconditional models, and this one is told "
            f"{', '.join(collator.layout.droppable)}: set calibrate: false"
        )
    layout = parts.preprocessing.layout(collator.layout)
    parts.check_guidance(parts.guidance, collator.layout)
    with forked_generator(seed, "initialisation"):
        parts.architecture.build(layout)
    parts.architecture.gradient_checkpointing = options.gradient_checkpointing
    if options.init_from is not None:
        load_weights(parts.architecture, Path(options.init_from))
    denoiser = parts.denoiser(s)
    lengths = np.quantile(train.lengths, np.linspace(0, 1, 101), method="nearest").tolist()
    fitted = Fitted(denoiser, collator, s, lengths if train.length is None else [train.length], prior=prior)
    dropout = parts.architecture.dropout_of_parts(layout)
    return fitted, DiffusionLoss(denoiser, parts.objective, parts.preprocessing, seed, dropout, train_step)


def training_batch(collator: Collator, batch: Batch) -> TrainingBatch:
    """Windows as tensors in the user's units, with what the network is told."""
    x, valid = collator.targets(batch)
    return TrainingBatch(x, collator.condition(batch, valid))


def _fit_to_data(
    parts: Composition, collator: Collator, train: WindowDataset
) -> tuple[float, GaussianPrior | None]:
    """Fit preprocessing and noise on training windows; return sd and Gaussian of what is diffused."""
    preprocessing = parts.preprocessing
    batch = training_batch(collator, train.some())
    valid = None if batch.condition is None else batch.condition.valid
    for part, instead in ((preprocessing, "preprocessing: raw"), (parts.noise, "noise: standard")):
        if not part.pointwise:
            _refuse_gaps(part, instead, collator)
    preprocessing.columns = collator.columns
    preprocessing.fit(batch.x, valid, batch.condition)
    draws = Draws(0, "fit", 0, torch.arange(len(batch.x)))
    with torch.no_grad():
        z = preprocessing.draw(batch.x, batch.condition, draws)
    given = z if valid is None else z[valid.expand_as(z)]
    s = float(given.square().mean().sqrt())
    if not np.isfinite(s) or s <= 0:
        raise DataError(
            f"the training data have spread {s:g} after preprocessing: look for constant columns, "
            "infinite or extremely large values"
        )
    told = preprocessing.condition(batch.condition, batch.x)
    parts.noise.fit(z, parts.sde, told)
    if valid is not None or collator.length is None:
        return s, None
    return s, GaussianPrior.fit(parts.noise.whiten(z, told))


def _held_out(prepared: PreparedData, collator: Collator) -> HeldOut | None:
    """Validation windows for a preprocessing that is trained."""
    if prepared.parts.val is None or collator.length is None:
        return None
    batch = training_batch(collator, prepared.parts.val.some())
    if batch.condition is not None and batch.condition.valid is not None:
        return None
    return HeldOut(batch.x, batch.condition)


def _refuse_gaps(part: Component, instead: str, collator: Collator) -> None:
    """Refuse missing values and varying lengths where a part that couples elements cannot take them."""
    name = f"{part.kind} {Registry.name(part)!r}"
    if collator.length is None:
        raise IncompatibleError(
            f"{name} needs windows of one length, and these vary: set data.predict_len, or use {instead}"
        )
    if collator.masked:
        raise IncompatibleError(
            f"{name} needs whole windows, and these have missing values: use data.missing: interpolate or "
            f"drop, or {instead}"
        )


class _Validation:
    """The validation loss on a fixed grid of times and noise."""

    def __init__(self, loss: DiffusionLoss, collator: Collator, val: WindowDataset, batch_size: int) -> None:
        count = min(len(val), _VALIDATION_WINDOWS)
        chosen = np.unique(np.linspace(0, len(val) - 1, count).astype(np.int64))
        self.loss = loss
        self.batches = [
            (training_batch(collator, val.batch(chosen[i : i + batch_size])), chosen[i : i + batch_size])
            for i in range(0, len(chosen), batch_size)
        ]

    def __call__(self) -> dict[str, float]:
        device = next(self.loss.parameters()).device
        losses: list[Tensor] = []
        for batch, index in self.batches:
            numbers = torch.from_numpy(index).to(device)
            losses.append(self.loss.at_fixed_times(batch.to(device), numbers))
        return {"val_loss": float(torch.cat(losses).double().mean())}
