"""`undula search`: the best values of a config's keys."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, Set

if TYPE_CHECKING:
    from ..experiments.search import SearchResult

_SHOWN = 10


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("search")(search)


def search(
    base: Annotated[str | None, typer.Argument(help="A config file, or a preset's name.")] = None,
    space: Annotated[str | None, typer.Argument(help="A search file.")] = None,
    base_config: Annotated[
        str | None, typer.Option("--base-config", help="The config to begin with.")
    ] = None,
    search_config: Annotated[str | None, typer.Option("--search-config", help="The search file.")] = None,
    trials: Annotated[int | None, typer.Option(min=1, help="How many, instead of the search file's.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; they share the cores.")] = 1,
    overrides: Set = None,
    resume: Annotated[
        str | None, typer.Option(help="Go on with a search's folder, or the newest of a name.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Parent of the search's folder.")] = None,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Try values of a config's keys, and write the best config."""
    from ..config.loading import load_config
    from ..config.search import load_search
    from ..experiments.search import Search

    base, space = base_config or base, search_config or space
    quiet = quiet or as_json
    if resume is not None:
        if base or space or overrides or plugin or out is not None:
            raise ConfigError(
                "--resume goes on with a search's own files: give no config, --set, --plugin or --out"
            )
        begun = Search.open(resume, quiet)
    else:
        if base is None or space is None:
            raise ConfigError(
                "give a config and a search file: undula search --base-config base.yaml --search-config "
                "search.yaml, or --resume SEARCH"
            )
        changes = list(overrides or [])
        if plugin:
            changes.append(f"plugins={json.dumps([str(Path(p).resolve()) for p in plugin])}")
        begun = Search.create(load_config(base, changes), load_search(space), out, quiet)
    result = begun.run(workers, trials)
    if as_json:
        typer.echo(json.dumps(result.as_json(), indent=2))
    else:
        _print(result)


def _print(result: SearchResult) -> None:
    from rich.console import Console
    from rich.table import Table

    wide = Console()
    console = wide if wide.is_terminal else Console(width=170)
    sign = 1.0 if result.search.direction == "minimize" else -1.0
    ranked = sorted(
        result.trials, key=lambda t: (t.value is None, sign * (t.value or 0.0), t.number)
    )  # those without a value last
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("trial", result.search.metric, *result.search.parameters, "s", "state"):
        table.add_column(name, justify="left" if name == "state" else "right")
    for trial in ranked[:_SHOWN]:
        cells = [str(trial.number), _number(trial.value), *(_number(v) for v in trial.params.values())]
        style = "green" if trial.number == result.best.number else None
        table.add_row(*cells, _number(trial.seconds and round(trial.seconds, 1)), trial.state, style=style)
    console.print(table)
    if len(ranked) > _SHOWN:
        console.print(f"… and {len(ranked) - _SHOWN} more in trials.csv", style="dim")
    for what, name in (("search folder", ""), ("best config", "best.yaml"), ("page", "search.html")):
        console.print(f"{what}: {result.folder / name}", highlight=False, soft_wrap=True)


def _number(value: object) -> str:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
