"""Whether onnxruntime and torch agree: inputs at levels all over the grid, outputs by the model's own way."""

from __future__ import annotations

__all__ = ["disagreement", "example_inputs", "own_outputs"]

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..core.sde import NoiseLevel
from .graph import DenoiserGraph, Input


def example_inputs(
    graph: DenoiserGraph, levels: Sequence[NoiseLevel], batch: int, length: int, seed: int = 0
) -> list[Tensor]:
    """Plausible inputs: members at levels from the grid's start to its end, some with dropped parts.

    Args:
        graph: says what it takes.
        levels: of the sampler's grid, with σ > 0.
        batch: members.
        length: steps of the data's windows.
        seed: of the numbers.
    """
    generator = torch.Generator().manual_seed(seed)
    channels = len(graph.collator.columns)
    sizes = {"B": batch, "L": length, "L'": graph.preprocessing.shape(channels, length)[1]}
    chosen = [levels[int(i)] for i in np.linspace(0, len(levels) - 1, batch).round()]
    found = []
    for item in graph.inputs:
        shape = [sizes[axis] if isinstance(axis, str) else axis for axis in item.shape]
        if item.name in NoiseLevel._fields:
            value = torch.tensor([float(getattr(level, item.name)) for level in chosen], dtype=torch.float64)
        elif item.dtype is torch.bool:
            value = torch.rand(shape, generator=generator) < 0.3
        else:
            value = torch.randn(shape, generator=generator, dtype=torch.float64)
            value = _in_units(graph, item, value) if item.columns else value
        found.append(value.to(item.dtype))
    return found


def own_outputs(
    graph: DenoiserGraph, inputs: Sequence[Tensor], denoised: Tensor | None = None
) -> list[Tensor]:
    """What the model gives by its own way, through its collator.

    Args:
        graph: names the inputs.
        inputs: as `example_inputs` makes them.
        denoised: D of which `series` is computed; None: the model's own.
    """
    given = dict(zip((item.name for item in graph.inputs), inputs, strict=True))
    collator, x_t = graph.collator, given["x_t"]
    h, known = collator.history_len, len(collator.known)
    length = given["covariates"].shape[1] if "covariates" in given else _data_length(graph, x_t)
    rows = collator.empty_batch(len(x_t), length)
    if "history" in given:
        history = given["history"].numpy()
        rows.history[:] = history[..., : len(collator.columns)]
        rows.features[:, :h, : known + len(collator.past)] = history[..., len(collator.columns) :]
    if "covariates" in given:
        rows.features[:, h:, :known] = given["covariates"].numpy()
    if "static" in given:
        rows.features[:, :, known + len(collator.past) :] = given["static"][:, None].numpy()
    start = given["at_start"].numpy() if "at_start" in given else None
    condition = collator.condition(replace(rows, start=start))
    if condition is not None:
        dropped = {name: given[f"dropped_{name}"] for name in collator.layout.droppable}
        condition = replace(condition, dropped=dropped)
    like = torch.empty(len(x_t), len(collator.columns), length)
    told = graph.preprocessing.condition(condition, like)
    numbers = {k: given[k][:, None, None] for k in NoiseLevel._fields if k in given}
    d = graph.denoiser(x_t, NoiseLevel(t=math.nan, **numbers), told)
    series = graph.preprocessing.inverse_transform((d if denoised is None else denoised).double(), condition)
    outputs = [d, series.transpose(1, 2)]
    return [*outputs, graph.denoiser.path.noise.colour(x_t, told)] if graph.coloured else outputs


def disagreement(graph: DenoiserGraph, inputs: Sequence[Tensor], outputs: Sequence[Any]) -> float:
    """The largest difference between outputs and the model's own.

    In what is diffused, in units of the member's largest value, or of 1 where that is smaller: at high
    noise an untrained D is large. `series` is compared with the model's own inverse of the same D, in
    units of the columns' standard deviations, so that a rounding to the data's grid cannot hide a fault.
    """
    denoised = torch.from_numpy(outputs[0])
    expected = own_outputs(graph, inputs, denoised)
    spread = torch.tensor(graph.collator.scale[: len(graph.collator.columns)], dtype=torch.float64)
    errors = []
    for k, (name, ours) in enumerate(zip(graph.outputs, expected, strict=True)):
        theirs = torch.from_numpy(outputs[k])
        if theirs.shape != ours.shape or not bool(theirs.isfinite().all()):
            return math.inf
        off = (theirs.double() - ours.double()) / (spread if name == "series" else 1.0)
        size = (ours.double() / (spread if name == "series" else 1.0)).abs().amax((1, 2)).clamp(min=1.0)
        errors.append(float((off.abs().amax((1, 2)) / size).max()))
    return max(errors)


def _data_length(graph: DenoiserGraph, x_t: Tensor) -> int:
    """Steps of the data's windows whose images have the length of x_t."""
    channels, wanted = len(graph.collator.columns), x_t.shape[-1]
    for length in (graph.collator.length, wanted, *range(1, 4 * wanted)):
        if length is not None and graph.preprocessing.shape(channels, length)[1] == wanted:
            return length
    raise ValueError(f"no window has an image of {wanted} steps")


def _in_units(graph: DenoiserGraph, item: Input, value: Tensor) -> Tensor:
    c = graph.collator
    if item.name == "at_start":
        value = value * graph.start_spread + graph.start_location
        return value.exp() if c.start.scale == "log" else value
    first = {"history": 0, "covariates": len(c.columns)}.get(item.name, len(c.location) - len(c.static))
    columns = slice(first, first + len(item.columns))
    return value * graph.scale[columns] + graph.location[columns]
