"""`undula evaluate`: synthetic series against real ones, whoever made them."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import typer

from ..core.errors import ConfigError, RunError
from .options import Debug, Json, Plugins, Quiet, load_plugins


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("evaluate")(evaluate)


def evaluate(
    real: Annotated[str, typer.Argument(help="Real data: .csv, .parquet, .npy or .npz.")],
    synthetic: Annotated[str, typer.Argument(help="Synthetic data, a series or windows; any tool's.")],
    train: Annotated[
        str | None,
        typer.Option(help="What the generator was trained on; then REAL is what it has not seen."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for results.json, report.html and plots.")
    ] = None,
    length: Annotated[
        int | None, typer.Option(min=2, help="Steps of a window; that of windows already cut, or 24.")
    ] = None,
    stride: Annotated[int, typer.Option(min=1, help="Steps from one window of a series to the next.")] = 1,
    columns: Annotated[str | None, typer.Option(help="Columns, with commas between them.")] = None,
    transform: Annotated[
        str, typer.Option(help="Applied to series first: none, log_return or difference.")
    ] = "none",
    missing: Annotated[
        Literal["error", "drop", "interpolate"], typer.Option(help="What to do with missing values.")
    ] = "error",
    metrics: Annotated[
        str | None,
        typer.Option(help="Names or groups, with commas; all: the literature's judges too (minutes)."),
    ] = None,
    baselines: Annotated[
        str | None, typer.Option(help="Baselines beside, with commas between them; none: no baseline.")
    ] = None,
    domain: Annotated[
        Literal["finance", "energy"] | None, typer.Option(help="Adds the field's own figures.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Trainings of each judge with a network.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Judge synthetic data against real data: figures with floors, baselines, intervals, copying check."""
    from ..experiments.assessment import BASELINES
    from ..experiments.assessment import evaluate as assess
    from ..training.progress import make_progress
    from .figures import print_figures, terminal

    load_plugins(plugin)
    folder = out or Path("evaluation")
    _refuse_folder(folder)
    chosen = BASELINES if baselines is None else [b for b in _list(baselines) if b != "none"]
    with make_progress("evaluation", quiet or as_json) as progress:
        found = assess(
            real, synthetic, train, length=length, stride=stride, columns=columns and _list(columns),
            transform=transform, missing=missing, metrics=metrics and _list(metrics), baselines=chosen,
            domain=domain, repeats=repeats, seed=seed,
            on_progress=lambda name, share: progress.update(share, name),
            on_aligned=lambda notes: progress.message("\n".join(notes)),
        )  # fmt: skip
    replaced = (folder / "results.json").exists()
    written = found.write(folder)
    if as_json:
        typer.echo(json.dumps({**found.as_json(), "folder": str(folder)}, indent=2))
        return
    console = terminal()
    several = len(found.columns) > 1
    print_figures(console, found.judgement, list(found.baselines), several, found.real_label, "synthetic")
    if train is None:
        console.print(
            "Protocol: train = test, as in the literature: REAL is taken for what the generator was trained "
            "on. If it has not seen REAL, say what it was trained on: --train FILE",
            style="dim",
        )
    console.print(found.headline, style="bold red" if found.copied else "bold", highlight=False)
    for path in written[:2]:
        console.print(f"{path}", highlight=False, soft_wrap=True)
    if replaced:
        console.print(f"An earlier evaluation in {folder} was replaced; --out keeps both.", style="dim")


def _refuse_folder(folder: Path) -> None:
    """Say before the work that its results could not be written, or would overwrite a run's."""
    if (folder / "config.yaml").exists():
        raise ConfigError(
            f"{folder} is a run's folder, whose results would be lost: choose another with --out"
        )
    nearest = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not nearest.is_dir():
        raise RunError(f"cannot write to {folder}: {nearest} is a file: choose another folder with --out")
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise RunError(
            f"cannot write to {folder}: {error.strerror}: choose another folder with --out"
        ) from None


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
