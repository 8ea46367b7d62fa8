"""A trained model in a folder: model.json and model.safetensors, nothing that runs code.

`model.json` holds the components' specs, the data's columns and scales, and a format version;
`model.safetensors` the weights and what the preprocessing has learned.
"""

from __future__ import annotations

__all__ = ["FORMAT_VERSION", "best_weights", "first_misfit", "load_weights", "read_model", "write_model"]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from ..core.architecture import BaseArchitecture
from ..core.errors import RunError
from ..core.files import read_tensors, write_json, write_tensors

FORMAT_VERSION = 2


def write_model(folder: Path, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a model, both files atomically."""
    write_tensors(folder / "model.safetensors", tensors, {"format_version": FORMAT_VERSION})
    write_json(folder / "model.json", {"format_version": FORMAT_VERSION, **description})


def read_model(path: str | Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read a model's folder, or the run folder that holds it.

    Returns:
        What `write_model` was given.

    Raises:
        RunError: if it is not there, damaged, or of another version.
    """
    folder = model_folder(path)
    file = folder / "model.json"
    try:
        description = json.loads(file.read_text(encoding="utf-8"))
        version = description.pop("format_version")
    except ValueError as error:
        raise RunError(f"file {file} is damaged or was not written by undula: {error}") from error
    except (KeyError, AttributeError, TypeError):
        raise RunError(f"file {file} was not written by undula: it has no format_version") from None
    if version != FORMAT_VERSION:
        raise RunError(
            f"model {folder} has format_version {version}, this undula reads {FORMAT_VERSION}: "
            "install the undula that wrote it (undula_version in model.json), or train again from config.yaml"
        )
    tensors, _ = read_tensors(folder / "model.safetensors")
    return description, tensors


def model_folder(path: str | Path) -> Path:
    """The folder with model.json: `path` itself, or `path`/model of a run folder."""
    path = Path(path)
    for folder in (path, path / "model"):
        if (folder / "model.json").is_file():
            return folder
    if (path / "config.yaml").is_file() and (path / "samples.parquet").is_file():
        raise RunError(
            f"{path} is the run of a baseline, which leaves samples and no model: more of them with `undula "
            f"baselines NAME {path / 'config.yaml'} -n 1000`"
        )
    if (path / "config.yaml").is_file():
        raise RunError(f"run {path} has no model yet: finish it with `undula run --resume {path}`")
    what = "is not a folder" if not path.is_dir() else "is neither a run folder nor a model's folder"
    raise RunError(f"{path} {what}: give the folder that `undula run` printed")


def best_weights(path: str | Path) -> dict[str, Tensor]:
    """The network's averaged weights at the lowest validation loss of a run, by name.

    Raises:
        RunError: if the run kept none.
    """
    file = Path(path) / "checkpoints" / "best.safetensors"
    if not file.is_file():
        raise RunError(
            f"{path} has no checkpoints/best.safetensors: it needs a run folder with a validation part"
        )
    tensors, _ = read_tensors(file)
    prefix = "ema.network."
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def load_weights(architecture: BaseArchitecture, path: Path) -> None:
    """Start a network from the weights of a trained model of the same shape.

    Raises:
        RunError: if the weights do not fit.
    """
    _, tensors = read_model(path)
    weights = {
        name.removeprefix("network."): tensor
        for name, tensor in tensors.items()
        if name.startswith("network.")
    }
    try:
        architecture.load_state_dict(weights)
    except RuntimeError as error:
        raise RunError(
            f"init_from: the weights in {path} do not fit this network ({first_misfit(error)}): use the "
            "same architecture and data layout"
        ) from error


def first_misfit(error: RuntimeError) -> str:
    """The first of torch's many lines on weights that do not fit."""
    lines = [line.strip() for line in str(error).splitlines()]
    return lines[1] if len(lines) > 1 else lines[0]
