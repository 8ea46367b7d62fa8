"""`undula plot`: pictures for debugging a trained model's predictions."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from .options import Debug, Json, Plugins, load_plugins

What = Literal["trajectories", "loss_by_noise", "attention", "calibration", "reconstructions", "all"]


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
    """Draw what a model does: samples on their way, loss by noise level, calibration, attention.

    Of a latent model also reconstructions of test windows, for which its autoencoder must be trained, and
    its diffusion need not be.
    """
    from ..config.loading import load_config
    from ..core.errors import IncompatibleError
    from ..data.prepare import prepare
    from ..experiments.diagnosis import Diagnosis
    from ..experiments.folder import PROBE, find_run
    from ..experiments.stages import with_trained_autoencoder
    from ..model import DiffusionModel

    load_plugins(plugin)
    whole = what != "reconstructions"
    folder = find_run(run, needs="model/model.json" if whole else PROBE)
    prepared = prepare(load_config(folder.path / "config.yaml").data)
    if whole or (folder.model / "model.json").is_file():
        model = DiffusionModel.load(folder.path, weights=weights)
    else:
        model = with_trained_autoencoder(folder, prepared)
    diagnosis = Diagnosis(model, prepared, seed)
    made = []
    for kind in diagnosis.kinds if what == "all" else (what,):
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
