"""What a model looks like inside: shapes, parameters and gradients by module, memory of a step."""

from __future__ import annotations

__all__ = ["gradient_norms", "parameter_counts", "saved_bytes", "shapes_of"]

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..diffusion.loss import DiffusionLoss, TrainingBatch


def shapes_of(loss: DiffusionLoss, batch: TrainingBatch) -> dict[str, tuple[int, ...]]:
    """The shapes that a batch takes on its way, by name; one pass through the network.

    Args:
        loss: of the model.
        batch: in the user's units.
    """
    z = loss.preprocessing.transform(batch.x, batch.condition)
    told = loss.preprocessing.condition(batch.condition, batch.x)
    found = {"series": tuple(batch.x.shape), "diffused": tuple(z.shape)}
    if told is not None:
        found |= {f"condition {name}": tuple(part.shape) for name, part in told.parts.items()}
        for name in ("exists", "valid", "past"):
            if (part := getattr(told, name)) is not None:
                found[name] = tuple(part.shape)
    levels = torch.full((len(z),), 0.5, device=z.device)
    training = loss.network.training
    with torch.no_grad():
        output: Tensor = loss.network.eval()(z.float(), levels, told)
    loss.network.train(training)
    found["network's output"] = tuple(output.shape)
    return found


def parameter_counts(network: nn.Module) -> dict[str, int]:
    """Numbers to learn in each part of a network; a list of blocks is told apart."""
    return {name: sum(p.numel() for p in group) for name, group in _groups(network).items()}


def gradient_norms(network: nn.Module) -> dict[str, float]:
    """The gradient's norm in each part of a network, as the last backward pass left it."""
    norms = {}
    for name, group in _groups(network).items():
        squares = [p.grad.detach().double().square().sum() for p in group if p.grad is not None]
        norms[name] = float(torch.stack(squares).sum().sqrt()) if squares else 0.0
    return norms


def saved_bytes(forward: Callable[[], Tensor], module: nn.Module) -> tuple[Tensor, int]:
    """What a forward pass keeps in memory for the backward pass, parameters aside.

    Args:
        forward: gives the loss.
        module: whose parameters do not count.

    Returns:
        The loss, and bytes.
    """
    own = {p.untyped_storage().data_ptr() for p in module.parameters()}
    kept: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        storage = x.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
        return x

    def unpack(x: Any) -> Any:
        return x

    with torch.autograd.graph.saved_tensors_hooks(pack, unpack):
        value = forward()
    return value, sum(kept.values())


def _groups(network: nn.Module) -> dict[str, list[nn.Parameter]]:
    """Parameters by child, by number in a list of children; those of the network itself by name."""
    groups: dict[str, list[nn.Parameter]] = {}
    lists = {name for name, child in network.named_children() if isinstance(child, nn.ModuleList)}
    for name, parameter in network.named_parameters():
        words = name.split(".")
        key = ".".join(words[: 2 if words[0] in lists else 1])
        groups.setdefault(key, []).append(parameter)
    return groups
