"""`undula baselines`: what a diffusion model has to beat: listed, described, fitted, sampled."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, Set, load_plugins

if TYPE_CHECKING:
    from ..experiments.builtin.baseline import FittedBaseline


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("baselines")(baselines)


def baselines(
    name: Annotated[str | None, typer.Argument(help="Such as garch; without it, all are listed.")] = None,
    config: Annotated[
        str | None, typer.Argument(help="A config file or preset: its training part is what is fitted on.")
    ] = None,
    n: Annotated[int, typer.Option("-n", "--num-samples", min=1, help="How many samples.")] = 1000,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            help=".csv, .parquet, .npz or .npy; - is CSV on stdout; without it, a file here.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the fit, and of the samples.")] = 0,
    params: Annotated[
        list[str] | None, typer.Option("--param", metavar="KEY=VALUE", help="Of the baseline; repeatable.")
    ] = None,
    overrides: Set = None,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """List the baselines, describe one, or fit one on a config's training part and write samples."""
    load_plugins(plugin)
    if config is not None and name is not None:
        _sample(name, config, n, output, seed, params or [], overrides or [], quiet, as_json)
        return
    if output is not None or params or overrides:
        raise ConfigError(
            "-o, --param and --set need a config or preset to fit on: undula baselines NAME CONFIG -n 1000 "
            "-o FILE"
        )
    if name is None:
        _list(as_json)
    else:
        from .describe import describe_component

        describe_component("baseline", name, as_json)


def _list(as_json: bool) -> None:
    from ..core.baseline import BaseBaseline
    from ..core.registry import Registry

    rows = []
    for name in Registry.list("baseline"):
        found = Registry.find("baseline", name)
        assert issubclass(found, BaseBaseline)
        summary = Registry.summary("baseline", name)
        rows.append({"name": name, "summary": summary, "copies": found.copies, "needs": found.needs})
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        needs = f"; needs {row['needs']}" if row["needs"] else ""
        typer.echo(f"{row['name']:<{width}}  {row['summary'].rstrip('.')} (copies {row['copies']}{needs})")


def _sample(
    name: str,
    config: str,
    n: int,
    output: str | None,
    seed: int,
    params: list[str],
    overrides: list[str],
    quiet: bool,
    as_json: bool,
) -> None:
    from ..config.loading import load_config
    from ..config.yaml12 import parse_scalar
    from ..core.registry import Registry
    from ..data.prepare import prepare
    from ..data.samples import check_sample_path, sample_table, write_samples
    from ..experiments.builtin.baseline import FittedBaseline
    from ..model import FitHooks
    from ..training.progress import make_progress

    given: dict[str, Any] = {}
    for text in params:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--param {text!r}: expected KEY=VALUE, such as block_length=10")
        given[key.strip()] = parse_scalar(value)
    baseline = Registry.get("baseline", name, **given)
    stem = "_".join(
        [name, *(f"{k}-{v}" for k, v in given.items()), Path(config).stem, f"n{n}", f"seed{seed}"]
    )
    target = None if output == "-" else Path(output or f"{stem}.parquet")
    if target is not None:
        check_sample_path(target)
    loaded = load_config(config, overrides)
    prepared = prepare(loaded.data)
    fitted: FittedBaseline = FittedBaseline(baseline, prepared, seed, loaded.training.threads)
    fitted.fit(prepared, FitHooks(progress=make_progress(f"fitting {name}", quiet or as_json)))
    samples = list(fitted.sample(n, seed))
    if target is None:
        sample_table(samples, fitted.columns_).to_csv(sys.stdout, index=False)
        return
    write_samples(target, samples, fitted.columns_)
    if as_json:
        found = {
            "file": str(target),
            "n": n,
            "seed": seed,
            "columns": fitted.columns_,
            "notes": fitted.notes(),
        }
        typer.echo(json.dumps({**found, "lengths": sorted({len(s) for s in samples})}))
        return
    typer.echo(target)
    if not quiet:
        for note in fitted.notes():
            typer.echo(note, err=True)
