"""`undula forecast`: what comes after a history, with a trained model."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import sys
from dataclasses import replace
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
    backtest: Annotated[
        int | None,
        typer.Option(min=2, help="Instead: forecast from so many points of the test part, and score them."),
    ] = None,
    forecasters: Annotated[
        str | None,
        typer.Option(help="Of a backtest, what to beat: naive,ets; see `undula components forecaster`."),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Spread out as the validation part says; of a backtest, both ways."),
    ] = False,
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
    if backtest is not None:
        _backtest(folder, backtest, samples, forecasters, seed, device, calibrate, quiet, as_json)
        return
    name = "_".join(["forecast", history.stem if history else "data", *([str(horizon)] if horizon else [])])
    target = None if output == "-" else Path(output or folder / f"{name}.csv")
    if target is not None and target.suffix.lower() not in (".csv", ".parquet"):
        raise ConfigError(f"output {str(target)!r}: use .csv or .parquet")
    model = DiffusionModel.load(folder, device=device)
    if calibrate:
        model.calibrate(seed=seed + 1)
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


def _backtest(
    folder: Path,
    origins: int,
    samples: int,
    forecasters: str | None,
    seed: int,
    device: str,
    calibrate: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Scores of forecasts from many origins, beside those of the forecasters."""
    from ..experiments.backtest import FORECASTERS, backtest
    from ..model import DiffusionModel
    from ..training.progress import make_progress

    names = FORECASTERS if forecasters is None else [word.strip() for word in forecasters.split(",")]
    model = DiffusionModel.load(folder, device=device)
    with noted_warnings(quiet or as_json), make_progress("backtest", quiet or as_json) as progress:
        found = backtest(
            model, origins=origins, num_samples=samples, forecasters=names, seed=seed,
            on_progress=lambda name, share: progress.update(share, name),
        )  # fmt: skip
        if calibrate:
            model.calibrate(num_samples=samples, seed=seed + 1)
            again = backtest(model, origins=origins, num_samples=samples, forecasters=(), seed=seed)
            calibrated = {f"{name}, calibrated": paths for name, paths in again.paths.items()}
            found = replace(found, paths={**calibrated, **found.paths})
    scores = found.scores()
    if as_json:
        typer.echo(json.dumps({"columns": found.columns, "scores": scores, "notes": found.notes}))
        return
    typer.echo(f"{'':22}{'wql':>9}{'crps':>9}{'energy':>9}{'50 %':>7}{'90 %':>7}{'joint 90 %':>20}")
    for name, score in scores.items():
        low, high = score["joint_coverage_90_interval"]
        joint = f"{score['joint_coverage_90']:.2f} [{low:.2f}, {high:.2f}]"
        cover = score["coverage"]
        typer.echo(
            f"{name:22}{score['wql']:9.4g}{score['crps']:9.4g}{score['energy_score']:9.4g}"
            f"{cover['0.5']:7.2f}{cover['0.9']:7.2f}{joint:>20}"
        )
    if not quiet:
        origins = next(iter(scores.values()))["origins"]
        typer.echo(
            f"{origins} origins of the test part whose windows do not overlap; crps and energy score in "
            "training standard deviations; coverage of central intervals",
            err=True,
        )
        for note in found.notes:
            typer.echo(note, err=True)


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
