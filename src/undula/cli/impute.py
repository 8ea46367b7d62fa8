"""`undula impute`: fill in missing values with a trained model."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from .options import Debug, Json, Plugins, Quiet, load_plugins, noted_warnings


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("impute")(impute)


def impute(
    run: Annotated[str, typer.Argument(help="A run or model folder, or a name for its newest run.")],
    data: Annotated[Path, typer.Argument(help="Data with gaps: .csv, .parquet, .npy or .npz.")],
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help="A file of any of these kinds; - is CSV on stdout; without it, DATA_filled beside the data.",
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(min=1, help="So many fillings, in long form; without it, one: their median."),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Fillings whose median is taken.")] = 50,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same fillings.")] = 0,
    sampler: Annotated[str | None, typer.Option(help="Instead of the model's own.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler.")] = None,
    guidance: Annotated[
        str,
        typer.Option(help="What makes fillings agree with what is known: see `undula components guidance`."),
    ] = "posterior",
    picture: Annotated[
        bool, typer.Option("--plot/--no-plot", help="Draw the fillings beside what is known, as PNG.")
    ] = True,
    batch_size: Annotated[int, typer.Option(min=1, help="Windows drawn at once.")] = 256,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Fill in missing values (empty cells, NaN), given all that is there.

    Values that are there stay as they are. Any pattern: single values, blocks, whole columns for a while, the
    end (which is a forecast).
    """
    from ..data.filled import check_filled_path, write_filled
    from ..experiments.folder import find_model
    from ..model import DiffusionModel
    from ..report.filled import save_fillings
    from ..training.progress import make_progress

    load_plugins(plugin)
    folder = find_model(run)
    target = None if output == "-" else Path(output or data.with_name(f"{data.stem}_filled{data.suffix}"))
    if target is not None:
        check_filled_path(target, data)
    model = DiffusionModel.load(folder, device=device)
    with noted_warnings(quiet or as_json), make_progress("imputing", quiet or as_json) as progress:
        found = model.imputed(
            data,
            samples or draws,
            seed,
            sampler=sampler,
            num_steps=steps,
            guidance=guidance,
            batch_size=batch_size,
            on_progress=lambda share: progress.update(share, ""),
        )
    filled = found.median() if samples is None else found.samples()
    if target is None:
        write_filled(sys.stdout, filled, found.columns)
        return
    write_filled(target, filled, found.columns)
    made = [target]
    if picture and found.missing:
        k = found.most_holes
        known, time = found.series[k].values, found.series[k].time
        stamps = None if time is None else time.to_numpy()
        made.append(save_fillings(target.with_suffix(".png"), known, found.paths[k], found.columns, stamps))
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "file": str(target),
                    "missing": found.missing,
                    "columns": found.columns,
                    "draws": samples or draws,
                    "picture": str(made[1]) if len(made) > 1 else None,
                    "calls_per_sample": round(model.calls_, 2),
                }
            )
        )
        return
    for path in made:
        typer.echo(path)
    if not quiet:
        typer.echo(f"{found.missing:,} missing values filled", err=True)
