"""Training of a variational autoencoder, by the engine that trains everything."""

from __future__ import annotations

__all__ = ["VAETraining", "train_vae"]

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..core.randomness import forked_generator
from ..core.types import Series
from ..data.batching import epoch_batches
from ..training.engine import Engine, Task
from ..training.stage import Stage
from .objective import VAELoss
from .vae import VAE

_VALIDATION_WINDOWS, _WARMUP_STEPS = 1024, 100


@dataclass(frozen=True, kw_only=True)
class VAETraining:
    """The objective and the optimiser of a VAE.

    Args:
        beta: weight of the KL divergence.
        kl_warmup: steps over which it rises; 0: none.
        free_bits: nats a unit that cost nothing.
        steps: of the optimiser.
        batch_size: windows a step.
        learning_rate: highest rate of AdamW.
        ema_decay: averaging of the weights that are kept.
    """

    beta: float
    kl_warmup: int
    free_bits: float
    steps: int
    batch_size: int
    learning_rate: float
    ema_decay: float = 0.99


def train_vae(
    make: Callable[[], VAE], x: Series, held_out: Series | None, training: VAETraining, stage: Stage
) -> VAE:
    """Make and train an autoencoder.

    Args:
        make: makes it, under a seeded generator.
        x: standardised training windows, (N, C, L), single precision.
        held_out: standardised validation windows; None: there are none.
        training: objective and optimiser.
        stage: seed, machine, checkpoints, loggers, progress.

    Returns:
        The autoencoder on the CPU with the averaged weights, which need no gradient.

    Raises:
        TrainingError: if the loss is not finite.
        Interrupted: after SIGINT or SIGTERM.
    """
    with forked_generator(stage.seed, "initialisation"):
        vae = make()
    if not stage.rehearsal:
        _train(vae, x, held_out, training, stage)
    return vae.cpu().eval().requires_grad_(False)


def _train(vae: VAE, x: Series, held_out: Series | None, training: VAETraining, stage: Stage) -> None:
    loss = VAELoss(vae, stage.seed, training.beta, training.kl_warmup, training.free_bits)
    options = stage.options(
        batch_size=training.batch_size,
        learning_rate=training.learning_rate,
        max_steps=training.steps,
        warmup_steps=min(_WARMUP_STEPS, training.steps // 10),
        ema_decay=training.ema_decay,
        precision="32",
        sample_every=None,
    )
    lengths = np.full(len(x), x.shape[-1], np.int64)
    task = Task(
        module=loss,
        batches=lambda epoch: epoch_batches(lengths, training.batch_size, stage.seed, epoch),
        collate=lambda index: x[torch.from_numpy(index)],
        validate=None if held_out is None else _Validation(loss, held_out),
        networks=[vae.encoder, vae.decoder],
    )
    engine = Engine(task, options, stage.seed, stage.folder, stage.loggers, stage.progress)
    stage.outcome = outcome = engine.run(stage.resume)
    with torch.no_grad():
        for name, parameter in loss.named_parameters():
            parameter.copy_(outcome.ema.weights[name])


class _Validation:
    """Figures on held-out windows, evenly spaced, with noise that is always the same."""

    def __init__(self, loss: VAELoss, held_out: Series) -> None:
        count = min(len(held_out), _VALIDATION_WINDOWS)
        chosen = np.unique(np.linspace(0, len(held_out) - 1, count).astype(np.int64))
        self.loss, self.windows = loss, held_out[torch.from_numpy(chosen)]

    def __call__(self) -> dict[str, float]:
        device = next(self.loss.parameters()).device
        windows: Tensor = self.windows.to(device)
        return self.loss.figures(windows)
