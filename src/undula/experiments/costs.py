r"""What a run will cost, from three timed steps on this machine.

memory   weights, gradients, AdamW's two moments and the average: 20 bytes a parameter,
         + what one forward pass keeps for the backward pass, + the data
time     median of three steps × steps of the training, + the sampler's calls
"""

from __future__ import annotations

__all__ = ["Costs", "measure"]

import contextlib
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..config.schema import Config
from ..core.errors import TrainingError, UndulaError
from ..core.registry import Registry
from ..data.batching import epoch_batches
from ..data.prepare import PreparedData
from ..diffusion.loss import DiffusionLoss
from ..model import DiffusionModel
from ..model.fitting import training_batch
from ..model.inspection import parameter_counts, saved_bytes, shapes_of
from ..training.engine import total_steps
from ..training.options import TrainingOptions
from ..training.stage import Stage
from .evaluating import conditions

_BYTES_A_PARAMETER = 20
_TIMED_STEPS, _SAMPLER_STEPS, _DRAWN = 3, 3, 256
_STAGE_STEPS, _STAGE_NUMBERS = (5, 25), 100_000


@dataclass(frozen=True)
class Costs:
    """Shapes, parameters, memory and time of a run.

    Args:
        shapes: of a batch on its way, by name.
        parameters: numbers to learn.
        modules: the same by part of the network.
        steps: of the training; None where only time limits it.
        step_seconds: median of three steps; None if nothing was timed.
        train_seconds: estimated, without validation and pictures.
        sample_seconds: estimated, to draw `evaluation.num_samples`.
        stage_seconds: estimated, of a preprocessing's own training; None if there is none, or nothing
            was timed.
        memory: bytes of `training` (weights, gradients, optimiser, average), `activations`, `data`.
        device: on which was timed.
        threads: torch's.
    """

    shapes: dict[str, tuple[int, ...]]
    parameters: int
    modules: dict[str, int]
    steps: int | None
    step_seconds: float | None
    train_seconds: float | None
    sample_seconds: float | None
    stage_seconds: float | None
    memory: dict[str, int]
    device: str
    threads: int

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure(
    model: DiffusionModel, loss: DiffusionLoss, prepared: PreparedData, config: Config, timed: bool = True
) -> Costs:
    """Run a few steps.

    Args:
        model: assembled; its weights are changed.
        loss: of the model.
        prepared: the data.
        config: the run's.
        timed: whether to train and sample at all.

    Raises:
        TrainingError: if the loss is not finite at once.
    """
    options, train = config.training, prepared.parts.train
    cuda = options.device != "cpu" and torch.cuda.is_available()
    device = torch.device("cuda" if cuda else "cpu")
    loss.to(device).train()
    batches = epoch_batches(train.lengths, options.batch_size, config.experiment.seed, 0)
    steps = total_steps(options, len(batches))
    first = training_batch(model.collator_, train.batch(batches[0])).to(device)
    shapes, counts = shapes_of(loss, first), parameter_counts(loss.network)
    memory = {
        "training": _BYTES_A_PARAMETER * sum(counts.values()),
        "activations": 0,
        "data": _bytes(prepared),
    }
    step_seconds = train_seconds = sample_seconds = stage_seconds = None
    if timed:
        with _threads(options.threads):
            step_seconds, memory["activations"] = _timed_steps(model, loss, prepared, batches, config, device)
            sample_seconds = _sampling(model, prepared, config)
            stage_seconds = _stage(model, prepared, options)
        limits = [x for x in (steps and steps * step_seconds, options.max_time) if x is not None]
        train_seconds = min(limits)
    return Costs(
        shapes=shapes,
        parameters=sum(counts.values()),
        modules=counts,
        steps=steps,
        step_seconds=step_seconds,
        train_seconds=train_seconds,
        sample_seconds=sample_seconds,
        stage_seconds=stage_seconds,
        memory=memory,
        device=str(device),
        threads=options.threads or torch.get_num_threads(),
    )


def _timed_steps(
    model: DiffusionModel,
    loss: DiffusionLoss,
    prepared: PreparedData,
    batches: list[np.ndarray],
    config: Config,
    device: torch.device,
) -> tuple[float, int]:
    """Median seconds of a step, the first left out, and bytes that one keeps for its backward pass."""
    train, options = prepared.parts.train, config.training
    optimizer = torch.optim.AdamW(loss.parameters(), lr=options.learning_rate, fused=True)
    seconds, kept = [], 0
    for step in range(_TIMED_STEPS + 1):
        start = time.perf_counter()
        index = batches[step % len(batches)]
        batch = training_batch(model.collator_, train.batch(index)).to(device)
        position = torch.arange(len(index), device=device)

        def forward(batch: Any = batch, step: int = step, position: Tensor = position) -> Tensor:
            return loss(batch, step, position, len(position)).mean()

        if step == 0:
            value, kept = saved_bytes(forward, loss)
        else:
            value = forward()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if not np.isfinite(float(value.detach())):
            raise TrainingError(
                f"the loss is not finite at step {step}: use a lower training.learning_rate, or another "
                "preprocessing"
            )
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds[1:]), kept


def _sampling(model: DiffusionModel, prepared: PreparedData, config: Config) -> float | None:
    """Estimated seconds to draw the samples of the evaluation; None where the sampler has no steps."""
    sampler, wanted = model.parts_.sampler, config.evaluation.num_samples
    if "num_steps" not in sampler.params:
        return None
    n = min(_DRAWN, wanted)
    given = conditions(model, prepared.parts.train, n)
    model.parts_.architecture.eval()
    try:
        model.sample(2, given=given, num_steps=_SAMPLER_STEPS)
        start = time.perf_counter()
        model.sample(n, given=given, num_steps=_SAMPLER_STEPS)
    except UndulaError:  # an untrained network may lead anywhere, which says nothing of the trained one
        return None
    seconds = time.perf_counter() - start
    few = model.parts_.sampler_for(None, _SAMPLER_STEPS).calls
    return seconds * sampler.calls / few * wanted / n


def _stage(model: DiffusionModel, prepared: PreparedData, options: TrainingOptions) -> float | None:
    """Estimated seconds of a preprocessing's own training; None if it has none, or no number of steps."""
    batch = training_batch(model.collator_, prepared.parts.train.some(_STAGE_NUMBERS))
    with torch.no_grad():
        found = model.parts_.preprocessing.trained(batch.x, batch.condition)
    if found is None or "steps" not in found[0].params:
        return None
    part, x = found
    seconds = []
    few, more = _STAGE_STEPS
    for steps in (few, few, more):  # the first one warms up
        copy = Registry.get("preprocessing", Registry.name(part), **{**part.params, "steps": steps})
        copy.stage = Stage(main=options)
        start = time.perf_counter()
        copy.fit(x)
        seconds.append(time.perf_counter() - start)
    return max(0.0, seconds[2] - seconds[1]) / (more - few) * float(part.params["steps"])


def _bytes(prepared: PreparedData) -> int:
    """Of the series in memory; a memory map takes none."""
    arrays = [a for s in prepared.panel.series for a in (s.values, s.features)]
    return sum(a.nbytes for a in arrays if not isinstance(a, np.memmap) and not isinstance(a.base, np.memmap))


@contextlib.contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(count or before)
        yield
    finally:
        torch.set_num_threads(before)
