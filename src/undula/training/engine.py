"""The training loop, for whatever has a loss: diffusion models, autoencoders, baselines.

The loop is a function of (seed, step): batches, noise and dropout of a step depend on nothing
else, so a run that was killed and resumed ends where the uninterrupted one does, bit for bit, and
several devices share a batch without changing it. Devices, precision and distribution are
lightning-fabric's.
"""

from __future__ import annotations

__all__ = ["Engine", "Moveable", "Outcome", "Task", "total_steps"]

import contextlib
import logging
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..core.errors import ConfigError, Interrupted, TrainingError, UndulaError
from ..core.processes import Signals
from ..core.randomness import derive_seed, seed_generators
from .checkpoint import load_checkpoint, save_checkpoint
from .ema import EMA
from .loggers import Logger
from .options import TrainingOptions
from .progress import Progress, SilentProgress
from .schedule import learning_rate_factor

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_STEPS_BETWEEN_AGREEMENTS = 10
_STEPS_BEFORE_ADVICE = 40
_LEAST_SHARE = 0.65


class Moveable(Protocol):
    """A batch: anything that can be moved to a device."""

    def to(self, device: torch.device) -> Self:
        """The same batch on another device."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is trained.

    Args:
        module: its forward takes (batch, step, position, size) and gives the loss of each member,
            (B,); position are the members' places in the global batch, size is its size.
        batches: the batches of an epoch, as arrays of indices; a function of the epoch.
        collate: makes a batch of indices.
        validate: numbers on held-out data, under the averaged weights; `val_loss` is compared.
        on_epoch: called with the number of epochs done and of steps done, under the averaged
            weights; its numbers are logged.
        networks: the parts worth compiling.
    """

    module: nn.Module
    batches: Callable[[int], Sequence[NDArray[np.int64]]]
    collate: Callable[[NDArray[np.int64]], Moveable]
    validate: Callable[[], dict[str, float]] | None = None
    on_epoch: Callable[[int, int], dict[str, float]] | None = None
    networks: Sequence[nn.Module] = ()


@dataclass
class Outcome:
    """How a training ended.

    Args:
        steps: done in all.
        seconds: of training in all, without validation and pictures.
        ema: the averaged weights.
        best_val_loss: the lowest, infinite if there was none.
    """

    steps: int
    seconds: float
    ema: EMA
    best_val_loss: float


@dataclass
class _Counters:
    """What a checkpoint keeps besides tensors."""

    step: int = 0
    seconds: float = 0.0
    sums: tuple[float, float] = (0.0, 0.0)  # of losses and gradient norms since the last line
    summed: int = 0
    best_val_loss: float = field(default=math.inf)

    def as_json(self) -> dict[str, Any]:
        best = None if math.isinf(self.best_val_loss) else self.best_val_loss
        return {**vars(self), "best_val_loss": best}

    @classmethod
    def of_json(cls, values: dict[str, Any]) -> _Counters:
        best = values.pop("best_val_loss")
        values["sums"] = tuple(values["sums"])
        return cls(**values, best_val_loss=math.inf if best is None else best)


class Engine:
    """Trains a task.

    Args:
        task: what is trained.
        options: how.
        seed: the run's.
        folder: where `last` and `best` checkpoints go; None: nowhere.
        loggers: where numbers go.
        progress: where the user looks.
    """

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        seed: int = 0,
        folder: Path | None = None,
        loggers: Sequence[Logger] = (),
        progress: Progress | None = None,
    ) -> None:
        self.task, self.options, self.seed, self.folder = task, options, seed, folder
        self.loggers, self.progress = list(loggers), progress or SilentProgress()

    def run(self, resume: bool = False) -> Outcome:
        """Train to the end.

        Args:
            resume: go on from the folder's last checkpoint, if there is one.

        Raises:
            TrainingError: if the loss is not finite; the last checkpoint is from before.
            Interrupted: after SIGINT or SIGTERM; the last checkpoint is from this moment.
        """
        options = self.options
        self._fabric = fabric = _launched(options)
        module = self.task.module
        if options.compile is True or (options.compile == "auto" and fabric.device.type == "cuda"):
            for network in self.task.networks:
                network.compile()
        self._optimizer = torch.optim.AdamW(
            module.parameters(),
            lr=options.learning_rate,
            betas=options.betas,
            weight_decay=options.weight_decay,
            fused=fabric.device.type in ("cpu", "cuda"),
        )
        self._wrapped, self._wrapped_optimizer = fabric.setup(module, self._optimizer)
        self._ema = EMA(module, options.ema_decay)
        self._counters = _Counters()
        if resume and self.folder is not None and self._checkpoint("last").is_file():
            found = load_checkpoint(self._checkpoint("last"), module, self._ema, self._optimizer)
            self._counters = _Counters.of_json(found)
        self._sums = torch.tensor(self._counters.sums, dtype=torch.float64, device=fabric.device)
        self._agreed_seconds = self._counters.seconds
        loggers = self.loggers if fabric.is_global_zero else []
        for logger in loggers:
            logger.start(self._counters.step)
        try:
            with Signals() as signals, torch.random.fork_rng(), self.progress:
                self._loop(signals, loggers)
        finally:
            for logger in loggers:
                logger.close()
        counters = self._counters
        return Outcome(counters.step, counters.seconds, self._ema, counters.best_val_loss)

    # -- the loop ------------------------------------------------------------------------------

    def _loop(self, signals: Signals, loggers: Sequence[Logger]) -> None:
        counters, options = self._counters, self.options
        epoch_steps = len(self.task.batches(0))
        total = total_steps(options, epoch_steps)
        batches: Sequence[NDArray[np.int64]] = ()
        loaded_epoch = -1
        saved = time.monotonic()
        begun = (counters.step, time.monotonic(), time.process_time())
        while not self._is_done(total):
            epoch, position = divmod(counters.step, epoch_steps)
            if epoch != loaded_epoch:
                batches, loaded_epoch = self.task.batches(epoch), epoch
            start = time.monotonic()
            self._step(batches[position], total)
            counters.seconds += time.monotonic() - start
            if self._fabric.world_size == 1:
                self._agreed_seconds = counters.seconds

            done = counters.step
            if done == begun[0] + _STEPS_BEFORE_ADVICE:
                self._advise(time.monotonic() - begun[1], time.process_time() - begun[2])
            at_end = self._is_done(total)
            epochs, remainder = divmod(done, epoch_steps)
            if done % options.log_every == 0 or at_end:
                self._log(loggers, epochs, total)
            if self.task.validate and (done % options.validate_every == 0 or at_end):
                self._validate(loggers)
            pictures = options.sample_every and remainder == 0 and epochs % options.sample_every == 0
            if self.task.on_epoch and (pictures or (at_end and options.sample_every)):
                self._pictures(loggers, epochs)
            stop = self._agree(signals.received is not None)
            if at_end or stop or time.monotonic() - saved > options.checkpoint_every:
                self._save("last")
                saved = time.monotonic()
            if stop:  # at the end too: what called for the training would go on and never know
                raise Interrupted(f"interrupted after step {done:,}")

    def _step(self, index: NDArray[np.int64], total: int | None) -> None:
        fabric, options, counters = self._fabric, self.options, self._counters
        mine = np.arange(fabric.global_rank, len(index), fabric.world_size)
        empty = len(mine) == 0
        position = torch.from_numpy(mine if not empty else np.zeros(1, np.int64)).to(fabric.device)
        batch = self.task.collate(index[mine if not empty else [0]]).to(fabric.device)
        seed_generators(derive_seed(self.seed, "dropout", counters.step, fabric.global_rank))

        factor = learning_rate_factor(
            options.schedule, self._progress(total), counters.step, options.warmup_steps
        )
        for group in self._optimizer.param_groups:
            group["lr"] = options.learning_rate * factor

        losses: Tensor = self._wrapped(batch, counters.step, position, len(index))
        loss = losses.sum() * (0.0 if empty else fabric.world_size / len(index))
        self._wrapped_optimizer.zero_grad()
        fabric.backward(loss)
        norm = fabric.clip_gradients(
            self._wrapped,
            self._wrapped_optimizer,
            max_norm=options.clip_norm or math.inf,
            error_if_nonfinite=False,
        )
        self._wrapped_optimizer.step()
        self._ema.update(counters.step)
        mean = loss.detach()
        if fabric.world_size > 1:  # the time travels with the loss: devices must agree on the rate
            seconds = torch.tensor(counters.seconds, dtype=torch.float64, device=mean.device)
            shared: Any = fabric.all_reduce(torch.stack((mean.double(), seconds)), reduce_op="mean")
            mean, self._agreed_seconds = shared[0], float(shared[1])
        self._sums += torch.stack((mean.to(self._sums), torch.as_tensor(norm).to(self._sums)))
        counters.step += 1
        counters.summed += 1

    def _check_finite(self) -> None:
        """Bring the sums into the counters; no checkpoint is written before they are finite."""
        losses, norms = self._sums.tolist()
        self._counters.sums = (losses, norms)
        if not (math.isfinite(losses) and math.isfinite(norms)):
            saved = self.folder is not None and self._checkpoint("last").is_file()
            kept = " the last good checkpoint is kept;" if saved else ""
            raise TrainingError(
                f"the loss is not finite at step {self._counters.step:,}:{kept} use a lower "
                "training.learning_rate, a training.clip_norm, or another preprocessing"
            )

    def _progress(self, total: int | None) -> float:
        shares = [0.0]
        if total is not None:
            shares.append(self._counters.step / total)
        if self.options.max_time is not None:
            shares.append(self._agreed_seconds / self.options.max_time)
        return min(1.0, max(shares))

    def _is_done(self, total: int | None) -> bool:
        if total is not None and self._counters.step >= total:
            return True
        limit = self.options.max_time
        return limit is not None and self._agreed_seconds >= limit

    def _agree(self, flag: bool) -> bool:
        """Whether any device says so; asked now and then, for it costs a message."""
        if self._fabric.world_size == 1:
            return flag
        if self._counters.step % _STEPS_BETWEEN_AGREEMENTS:
            return False
        any_flag = self._fabric.all_reduce(torch.tensor(float(flag)), reduce_op="sum")
        assert isinstance(any_flag, Tensor)
        return bool(any_flag > 0)

    def _advise(self, wall: float, cpu: float) -> None:
        """Say it if other work shares the cores: threads that wait for one another then crawl."""
        threads = torch.get_num_threads()
        share = cpu / (wall * threads)
        if self._fabric.device.type == "cpu" and threads > 1 and share < _LEAST_SHARE:
            self.progress.message(
                f"other work shares the cores: this process gets {share:.0%} of its {threads} threads' time; "
                "stop it, or stop this run and set training.threads: 1, which is much faster then"
            )

    # -- what happens now and then -------------------------------------------------------------

    def _log(self, loggers: Sequence[Logger], epochs: int, total: int | None) -> None:
        self._check_finite()
        counters = self._counters
        count = max(counters.summed, 1)
        values = {
            "epoch": float(epochs),
            "loss": counters.sums[0] / count,
            "gradient_norm": counters.sums[1] / count,
            "learning_rate": float(self._optimizer.param_groups[0]["lr"]),
            "seconds": counters.seconds,
        }
        counters.sums, counters.summed = (0.0, 0.0), 0
        self._sums.zero_()
        for logger in loggers:
            logger.log(counters.step, values)
        rate = counters.step / max(counters.seconds, 1e-9)
        self.progress.update(
            self._progress(total), f"step {counters.step:,}  loss {values['loss']:.4f}  {rate:.0f} steps/s"
        )

    def _validate(self, loggers: Sequence[Logger]) -> None:
        if not self._fabric.is_global_zero or self.task.validate is None:
            return
        with self._evaluating():
            values = self.task.validate()
        for logger in loggers:
            logger.log(self._counters.step, values)
        if values.get("val_loss", math.inf) < self._counters.best_val_loss:
            self._counters.best_val_loss = values["val_loss"]
            self._save("best")

    def _pictures(self, loggers: Sequence[Logger], epochs: int) -> None:
        if not self._fabric.is_global_zero or self.task.on_epoch is None:
            return
        try:
            with self._evaluating():
                values = self.task.on_epoch(epochs, self._counters.step)
        except UndulaError as error:
            self.progress.message(f"epoch {epochs}: no samples to show: {error}")
            return
        for logger in loggers:
            logger.log(self._counters.step, values)

    @contextlib.contextmanager
    def _evaluating(self) -> Iterator[None]:
        module = self.task.module
        module.eval()
        try:
            with self._ema.applied(), torch.no_grad():
                yield
        finally:
            module.train()

    def _checkpoint(self, name: str) -> Path:
        assert self.folder is not None
        return self.folder / f"{name}.safetensors"

    def _save(self, name: str) -> None:
        if self.folder is None or not self._fabric.is_global_zero:
            return
        self._check_finite()
        counters = self._counters.as_json()
        save_checkpoint(self._checkpoint(name), self.task.module, self._ema, self._optimizer, counters)


def total_steps(options: TrainingOptions, epoch_steps: int) -> int | None:
    """Steps of a training whose epochs have so many; None if only time limits it."""
    limits = [
        n
        for n in (options.max_steps, options.num_epochs and options.num_epochs * epoch_steps)
        if n is not None
    ]
    return min(limits) if limits else None


def _launched(options: TrainingOptions) -> Fabric:
    from lightning_fabric import Fabric

    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    if options.threads is not None:
        os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
        torch.set_num_threads(options.threads)
    devices = options.devices
    if options.device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("training.device = 'cuda', and this machine has no GPU that torch can use: use cpu")
    cpu = options.device == "cpu" or (options.device == "auto" and not torch.cuda.is_available())
    if devices == "auto" and cpu:
        devices = 1
    precision = options.precision
    if precision == "auto":
        fast = not cpu and torch.cuda.is_bf16_supported()
        precision = "bf16" if fast else "32"
    fabric = Fabric(
        accelerator="cpu" if cpu else "cuda",
        devices=devices,
        num_nodes=options.num_nodes,
        strategy=options.strategy,
        precision="bf16-mixed" if precision == "bf16" else "32-true",
    )
    if fabric.world_size > 1 or options.strategy != "auto":
        fabric.launch()
    return fabric
