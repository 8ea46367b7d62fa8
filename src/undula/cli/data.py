"""`undula data`: fetch data sets, cut windows."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, Set, load_plugins

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="data", help="Fetch data sets, cut windows.")


@group.command("download")
def download(
    name: Annotated[str, typer.Argument(help="A data set: bitcoin, yahoo:SYMBOL, fred:SERIES, …")],
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Also write it here: .csv or .parquet.")
    ] = None,
    plugin: Plugins = None,
    debug: Debug = False,
    as_json: Json = False,
) -> None:
    """Fetch a data set from the network and keep it; a kept one is replaced."""
    import pandas as pd

    from ..core.files import atomic_path
    from ..core.source import BaseSource
    from ..data.cache import fetch

    load_plugins(plugin)
    suffix = Path(output or ".csv").suffix.lower() if output else ".csv"
    if suffix not in (".csv", ".parquet"):
        raise ConfigError(f"output {output!r}: use .csv or .parquet")
    path = fetch(BaseSource.of(name))
    table = pd.read_parquet(path)
    if output is not None:
        with atomic_path(Path(output)) as temporary:
            if suffix == ".csv":
                table.to_csv(temporary, index=False)
            else:
                table.to_parquet(temporary, index=False)
    where = str(path) if output is None else output
    if as_json:
        typer.echo(json.dumps({"file": where, "rows": len(table), "columns": list(table.columns)}))
    else:
        typer.echo(f"{where}: {len(table):,} rows of {', '.join(table.columns)}")


@group.command("windows")
def windows(
    config: Annotated[
        str | None, typer.Argument(help="A config whose data are cut; without it, --dataset or --path.")
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", help=".npz, .npy, .parquet or .csv.")] = Path(
        "windows.npz"
    ),
    dataset: Annotated[str | None, typer.Option(help="A registered data set.")] = None,
    path: Annotated[str | None, typer.Option(help="Your own file.")] = None,
    seq_len: Annotated[int | None, typer.Option(min=1, help="Steps of a window.")] = None,
    stride: Annotated[int | None, typer.Option(min=1, help="Steps from one window to the next.")] = None,
    columns: Annotated[str | None, typer.Option(help="Columns, with commas between them.")] = None,
    transform: Annotated[str | None, typer.Option(help="log_return, difference or none.")] = None,
    part: Annotated[
        Literal["all", "train", "val", "test"], typer.Option(help="All windows, or those of a part.")
    ] = "all",
    overrides: Set = None,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Cut a series into windows (N, L, C), and write them with their columns and times."""
    from ..config.loading import load_config, with_values
    from ..config.schema import Config
    from ..data.prepare import prepare
    from ..data.samples import check_sample_path, write_samples

    load_plugins(plugin)
    check_sample_path(output)
    if config is None and overrides:
        raise ConfigError("--set changes a config: give one, or use the options")
    given: dict[str, Any] = {
        "data.dataset": dataset,
        "data.path": path,
        "data.predict_len": seq_len,
        "data.stride": stride,
        "data.columns": None if columns is None else [c.strip() for c in columns.split(",")],
        "data.transform": transform,
    }
    values = {key: value for key, value in given.items() if value is not None}
    if part == "all":
        values["data.split"] = {"train": 1.0, "val": 0.0, "test": 0.0}
    base = Config() if config is None else load_config(config, overrides or [])
    prepared = prepare(with_values(base, values, "undula data windows").data)
    chosen = getattr(prepared.parts, "train" if part == "all" else part)
    if chosen is None:
        raise ConfigError(f"the data have no {part} part: data.split gives it no share")
    cut = [chosen[i]["future"] for i in range(len(chosen))]
    write_samples(output, cut, prepared.panel.columns, chosen.times())
    if not quiet and not as_json:
        for note in prepared.panel.notes:
            typer.echo(f"data: {note}", err=True)
    found = {"file": str(output), "windows": len(cut), "columns": prepared.panel.columns}
    if as_json:
        typer.echo(json.dumps({**found, "lengths": sorted({len(w) for w in cut})}))
    else:
        typer.echo(f"{output}: {len(cut):,} windows of {', '.join(prepared.panel.columns)}")
