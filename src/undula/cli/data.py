"""`undula data`: fetch data sets, look at them, cut windows."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, Set, load_plugins

if TYPE_CHECKING:
    from ..data.options import DataOptions

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="data", help="Fetch data sets, look at them, cut windows.")


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


Config = Annotated[
    str | None, typer.Argument(help="A config whose data are meant; without it, --dataset or --path.")
]
Dataset = Annotated[str | None, typer.Option(help="A registered data set.")]
File = Annotated[str | None, typer.Option("--path", help="Your own file.")]
SeqLen = Annotated[int | None, typer.Option(min=1, help="Steps of a window.")]
Stride = Annotated[int | None, typer.Option(min=1, help="Steps from one window to the next.")]
Columns = Annotated[str | None, typer.Option(help="Columns, with commas between them.")]
Transform = Annotated[
    str | None,
    typer.Option(
        help="log, log_return, difference, rolling_volatility, none; '{close: log_return, vix: log}'."
    ),
]
Part = Annotated[
    Literal["all", "train", "val", "test"],
    typer.Option("--part", "--split", help="All windows, or those of a part of the split by time."),
]


@group.command("windows")
def windows(
    config: Config = None,
    output: Annotated[Path, typer.Option("-o", "--output", help=".npz, .npy, .parquet or .csv.")] = Path(
        "windows.npz"
    ),
    dataset: Dataset = None,
    path: File = None,
    seq_len: SeqLen = None,
    stride: Stride = None,
    columns: Columns = None,
    transform: Transform = None,
    part: Part = "all",
    overrides: Set = None,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Cut a series into windows (N, L, C), and write them with their columns and times."""
    from ..data.prepare import prepare
    from ..data.samples import check_sample_path, write_samples

    load_plugins(plugin)
    check_sample_path(output)
    whole = {"train": 1.0, "val": 0.0, "test": 0.0} if part == "all" else None
    given = _given(dataset, path, seq_len, stride, columns, transform) | (
        {"data.split": whole} if whole else {}
    )
    prepared = prepare(_options(config, given, overrides, "undula data windows"))
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


@group.command("check")
def check(
    config: Config = None,
    output: Annotated[Path, typer.Option("-o", "--output", help="The picture, .png.")] = Path(
        "data_check.png"
    ),
    dataset: Dataset = None,
    path: File = None,
    seq_len: SeqLen = None,
    stride: Stride = None,
    columns: Columns = None,
    transform: Transform = None,
    part: Part = "all",
    overrides: Set = None,
    plugin: Plugins = None,
    debug: Debug = False,
    as_json: Json = False,
) -> None:
    """Say what a data set is: shapes, dates, moments, missing values, repeats, gaps; draw it."""
    from ..core.source import BaseSource
    from ..data.prepare import prepare
    from ..report.data_check import check_data
    from ..report.data_picture import save_data_picture

    load_plugins(plugin)
    if output.suffix.lower() != ".png":
        raise ConfigError(f"output {str(output)!r}: the picture is a .png")
    options = _options(
        config, _given(dataset, path, seq_len, stride, columns, transform), overrides, "undula data check"
    )
    refused = options.missing == "error"
    prepared = prepare(options.model_copy(update={"missing": "mask"}) if refused else options)
    title = Path(options.path or "").name if options.dataset is None else BaseSource.of(options.dataset).title
    checked = check_data(prepared, title, refused)
    shown = list(checked.parts) if part == "all" else [part]
    if part != "all" and part not in checked.parts:
        raise ConfigError(f"the data have no {part} part: data.split gives it no share")
    save_data_picture(output, prepared, title, shown)
    if as_json:
        typer.echo(json.dumps({**checked.as_json(), "picture": str(output)}))
        return
    typer.echo(checked.as_text(shown))
    typer.echo(f"\npicture: {output}")


def _given(
    dataset: str | None,
    path: str | None,
    seq_len: int | None,
    stride: int | None,
    columns: str | None,
    transform: str | None,
) -> dict[str, Any]:
    """The keys of a config that the options set."""
    from ..config.yaml12 import parse_scalar

    given: dict[str, Any] = {
        "data.dataset": dataset,
        "data.path": path,
        "data.predict_len": seq_len,
        "data.stride": stride,
        "data.columns": None if columns is None else [c.strip() for c in columns.split(",")],
        "data.transform": None if transform is None else parse_scalar(transform),
    }
    return {key: value for key, value in given.items() if value is not None}


def _options(
    config: str | None, given: dict[str, Any], overrides: list[str] | None, where: str
) -> DataOptions:
    """What a config and the options say about the data."""
    from ..config.loading import load_config, with_values
    from ..config.schema import Config

    if config is None and overrides:
        raise ConfigError("--set changes a config: give one, or use the options")
    base = Config() if config is None else load_config(config, overrides or [])
    return with_values(base, given, where).data
