"""The whole state of a training in one file: weights, EMA, optimiser, counters.

A file is a safetensors file whose header holds the counters as JSON; it is renamed into place, so
that a kill at any moment leaves the previous one. Reading it runs no code.
"""

from __future__ import annotations

__all__ = ["CHECKPOINT_VERSION", "load_checkpoint", "save_checkpoint"]

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..core.errors import RunError
from ..core.files import read_tensors, write_tensors
from .ema import EMA

CHECKPOINT_VERSION = 1


def save_checkpoint(
    path: Path,
    module: nn.Module,
    ema: EMA,
    optimizer: torch.optim.Optimizer,
    counters: dict[str, Any],
) -> None:
    """Write everything that continuing needs.

    Args:
        path: of the file.
        module: whose parameters are trained.
        ema: their average.
        optimizer: whose state per parameter is tensors.
        counters: JSON: step, accumulated losses, time, best validation loss.
    """
    tensors: dict[str, Tensor] = {f"weights.{k}": v for k, v in module.state_dict().items()}
    tensors |= {f"ema.{k}": v for k, v in ema.weights.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": torch.as_tensor(v) for k, v in state.items()}
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    write_tensors(path, tensors, {"format_version": CHECKPOINT_VERSION, **counters})


def load_checkpoint(
    path: Path, module: nn.Module, ema: EMA, optimizer: torch.optim.Optimizer
) -> dict[str, Any]:
    """Read what `save_checkpoint` wrote, into the same objects; return the counters.

    Raises:
        RunError: if the file is missing, damaged, of another version or of another model.
    """
    tensors, counters = read_tensors(path)
    version = counters.pop("format_version", None)
    if version != CHECKPOINT_VERSION:
        raise RunError(
            f"checkpoint {path} has format_version {version}, this undula reads {CHECKPOINT_VERSION}: "
            "resume with the undula that wrote it (see environment.json), or start anew with init_from"
        )
    groups: dict[str, dict[str, Tensor]] = {"weights": {}, "ema": {}, "optimizer": {}}
    for name, tensor in tensors.items():
        group, _, rest = name.partition(".")
        groups[group][rest] = tensor
    try:
        module.load_state_dict(groups["weights"])
        ema.load(groups["ema"])
    except (RuntimeError, KeyError) as error:
        raise RunError(f"checkpoint {path} belongs to another model: {error}") from error
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in groups["optimizer"].items():
        index, _, key = name.partition(".")
        states.setdefault(int(index), {})[key] = tensor
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
    return counters
