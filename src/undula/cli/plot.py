"""`undula plot`: pictures for debugging a trained model's predictions."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Debug, Json, Plugins, load_plugins

What = Literal["trajectories", "loss_by_noise", "attention", "calibration", "all"]


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("plot")(plot)


def plot(
    run: Annotated[str, typer.Argument(help="A run folder, or a name for its newest run.")],
    what: Annotated[What, typer.Option(help="Which picture.")] = "all",
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder of the PNGs; without it, the run's plots.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of samples and noise.")] = 0,
    weights: Annotated[
        Literal["last", "best"], typer.Option(help="Those at the end, or of the lowest validation loss.")
    ] = "last",
    plugin: Plugins = None,
    debug: Debug = False,
    as_json: Json = False,
) -> None:
    """Draw what a model does: samples on their way, loss by noise level, calibration, attention."""
    from ..config.loading import load_config
    from ..core.errors import IncompatibleError
    from ..data.prepare import prepare
    from ..experiments.diagnosis import KINDS, Diagnosis
    from ..experiments.folder import find_run
    from ..model import DiffusionModel

    load_plugins(plugin)
    folder = find_run(run, needs="model/model.json")
    model = DiffusionModel.load(folder.path, weights=weights)
    diagnosis = Diagnosis(model, prepare(load_config(folder.path / "config.yaml").data), seed)
    made = []
    for kind in KINDS if what == "all" else (what,):
        try:
            made += diagnosis.save(kind, output or folder.plots)
        except IncompatibleError as error:
            if what != "all":
                raise
            typer.echo(f"undula: {error}", err=True)
    if as_json:
        typer.echo(json.dumps({"files": [str(path) for path in made]}))
        return
    for path in made:
        typer.echo(path)
