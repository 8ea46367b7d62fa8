"""`undula init`: a commented config for the user's own file."""

from __future__ import annotations

__all__ = ["add_commands"]

from pathlib import Path
from typing import Annotated

import typer

from .options import Debug


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("init")(init)


def init(
    file: Annotated[Path, typer.Argument(help="Your .csv, .parquet, .npy or .npz file.")],
    debug: Debug = False,
) -> None:
    """Print a commented config for your own data; redirect it into a file."""
    from ..config.starter import starter_config

    text, notes = starter_config(file)
    typer.echo(text, nl=False)
    for note in notes:
        typer.echo(f"undula: {note}", err=True)
