"""`undula export`: a trained model for other runtimes."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Debug, Json, Plugins, load_plugins


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("export")(export)


def export(
    run: Annotated[str, typer.Argument(help="A run or model folder, or a name for its newest run.")],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The file; without it, model.onnx in the run folder."),
    ] = None,
    file_format: Annotated[Literal["onnx"], typer.Option("--format", help="Of the file.")] = "onnx",
    sampler: Annotated[str | None, typer.Option(help="Whose grid of noise levels is described.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of that grid.")] = None,
    weights: Annotated[
        Literal["last", "best"], typer.Option(help="Those at the end, or of the lowest validation loss.")
    ] = "last",
    plugin: Plugins = None,
    debug: Debug = False,
    as_json: Json = False,
) -> None:
    """Write a trained model as ONNX: the denoiser with its preprocessing, checked."""
    from ..experiments.folder import find_model
    from ..model import DiffusionModel

    load_plugins(plugin)
    folder = find_model(run)
    model = DiffusionModel.load(folder, weights=weights)
    made = model.export_model(output or folder / f"model.{file_format}", sampler=sampler, num_steps=steps)
    if as_json:
        typer.echo(json.dumps({**vars(made), "path": str(made.path)}))
        return
    typer.echo(made.path)
    length = "any length" if made.any_length else f"windows of {made.shapes[0][1]} steps ({made.reason})"
    typer.echo(
        f"{made.size / 2**20:.1f} MiB; any batch, {length}; differs from torch by {made.error:.0e} at most, "
        f"in {len(made.shapes)} shapes",
        err=True,
    )
