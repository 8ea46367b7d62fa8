"""`undula forecast`: what comes after a history, with a trained model."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, load_plugins, noted_warnings


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("forecast")(forecast)


def forecast(
    run: Annotated[str, typer.Argument(help="A run or model folder, or a name for its newest run.")],
    history: Annotated[
        Path | None,
        typer.Argument(
            help="A table or array that ends with the present; rows with empty targets after it hold known "
            "covariates. Without it, the model's own data."
        ),
    ] = None,
    horizon: Annotated[
        int | None, typer.Option(min=1, help="Rows to come; without it, a window of the model.")
    ] = None,
    samples: Annotated[int, typer.Option(min=1, help="Paths of each series.")] = 200,
    quantiles: Annotated[
        str | None,
        typer.Option(
            help="Write these instead of paths, such as .05,.5,.95: time, feature, quantile, value."
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help=".csv or .parquet; - is CSV on stdout; without it, a file in the run folder.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same paths.")] = 0,
    sampler: Annotated[str | None, typer.Option(help="Instead of the model's own.")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler.")] = None,
    guidance: Annotated[
        str | None,
        typer.Option(help="Instead of the model's own; posterior, for a model that is told no history."),
    ] = None,
    picture: Annotated[bool, typer.Option("--plot/--no-plot", help="Draw a fan, as PNG.")] = True,
    batch_size: Annotated[int, typer.Option(min=1, help="Windows drawn at once.")] = 256,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Forecast what comes after a history: paths or quantiles, in the data's units, with their times.

    A model that was trained with data.history_len is told the last rows. Any other is guided: the end of its
    windows is drawn given their beginning.
    """
    from ..data.filled import write_filled
    from ..experiments.folder import find_model
    from ..model import DiffusionModel
    from ..report.fan import save_fan
    from ..training.progress import make_progress

    load_plugins(plugin)
    levels = _levels(quantiles)
    folder = find_model(run)
    name = "_".join(["forecast", history.stem if history else "data", *([str(horizon)] if horizon else [])])
    target = None if output == "-" else Path(output or folder / f"{name}.csv")
    if target is not None and target.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(f"output {str(target)!r}: use .csv or .parquet")
    model = DiffusionModel.load(folder, device=device)
    with noted_warnings(quiet or as_json), make_progress("forecasting", quiet or as_json) as progress:
        found = model.forecast(
            history,
            horizon,
            samples,
            seed,
            sampler=sampler,
            num_steps=steps,
            guidance=guidance,
            batch_size=batch_size,
            on_progress=lambda share: progress.update(share, ""),
        )
    table = found.quantiles(levels) if levels else found.table()
    if target is None:
        write_filled(sys.stdout, table, found.columns)
        return
    write_filled(target, table, found.columns)
    made = [target]
    if picture:
        picture_of = (found.histories[0], found.history_times[0], found.paths[0], found.times[0])
        made.append(
            save_fan(target.with_suffix(".png"), *picture_of, found.columns, found.names[0], found.stamped)
        )
    if as_json:
        said: dict[str, Any] = {"file": str(target), "series": len(found.names), "columns": found.columns}
        said |= {"horizon": found.paths[0].shape[1], "samples": samples, "seed": seed}
        said |= {"from": str(found.times[0][0]), "to": str(found.times[0][-1])}
        said |= {"picture": str(made[1]) if picture else None, "calls_per_sample": round(model.calls_, 2)}
        typer.echo(json.dumps(said))
        return
    for path in made:
        typer.echo(path)


def _levels(text: str | None) -> list[float]:
    """Quantiles from .05,.5,.95."""
    if text is None:
        return []
    try:
        levels = [float(word) for word in text.split(",")]
    except ValueError:
        levels = []
    if not levels or not all(0 < level < 1 for level in levels):
        raise ConfigError(f"--quantiles {text!r}: give numbers between 0 and 1, such as .05,.5,.95")
    return levels
