"""`undula compare`: several configs, the same data and seeds, one page."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..config.yaml12 import parse_scalar
from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, Set

if TYPE_CHECKING:
    from ..evaluation.comparing import Compared
    from ..experiments.comparison import Comparison


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("compare")(compare)


def compare(
    items: Annotated[
        list[str] | None, typer.Argument(metavar="[CONFIG|PRESET|RUN]...", help="What is compared.")
    ] = None,
    configs: Annotated[list[str] | None, typer.Option("--configs", "--config", help="The same.")] = None,
    overrides: Set = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=[A, B]", help="A config for each value of a key; repeatable."),
    ] = None,
    baselines: Annotated[
        list[str] | None,
        typer.Option(metavar="A,B", help="Baselines beside them; see `undula baselines`; repeatable."),
    ] = None,
    baseline_seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Fits a baseline; without it, 1 for slow ones, else as many as --seeds."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Trainings a config; without it, those of the runs, or 3.")
    ] = None,
    first_seed: Annotated[int | None, typer.Option(min=0, help="The lowest seed.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Most trainings at once.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="For all together; without it, the cores.")
    ] = None,
    memory: Annotated[
        float | None, typer.Option(help="GiB for all together; without it, what is free.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Of the comparison's folder.")] = None,
    out: Annotated[Path | None, typer.Option(help="Parent of the comparison's folder.")] = None,
    resume: Annotated[
        str | None, typer.Option(help="Go on with a comparison's folder, or the newest of a name.")
    ] = None,
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train configs with the same data and seeds, and say which is better by an interval."""
    from ..experiments.candidates import read_candidates
    from ..experiments.comparison import Comparison

    named = [*(configs or []), *(items or [])]  # `--configs A B` is an option and an argument
    changes = list(overrides or [])
    if plugin:
        changes.append(f"plugins={json.dumps([str(Path(p).resolve()) for p in plugin])}")
    if memory is not None and memory <= 0:
        raise ConfigError(f"--memory {memory:g}: give a positive number of GiB")
    if resume is not None:
        others = (out, seeds, first_seed, baseline_seeds)
        if named or changes or vary or baselines or name or any(option is not None for option in others):
            raise ConfigError(
                "--resume goes on with a comparison's own configs and seeds: give nothing else but "
                "--workers, --threads and --memory"
            )
        comparison = Comparison(resume)
    else:
        if not named:
            raise ConfigError(
                "give configs, presets or run folders to compare, such as `undula compare a.yaml b.yaml`; or "
                "one and --vary 'components.architecture=[transformer, unet]'; or --resume DIR"
            )
        chosen = [spec for text in baselines or [] for spec in _specs(text)]
        if baseline_seeds is not None and not chosen:
            raise ConfigError("--baseline-seeds says how often --baselines are fitted: give these too")
        candidates = read_candidates(named, changes, vary or [], chosen, baseline_seeds)
        comparison = Comparison.create(candidates, seeds, first_seed, name, out)
    bytes_ = None if memory is None else int(memory * 2**30)
    outcomes = comparison.train(workers, threads, bytes_, quiet or as_json)
    if any(entry.results() is not None for entry in comparison.entries):
        compared = comparison.compare()
        if as_json:
            typer.echo((comparison.folder.path / "comparison.json").read_text(encoding="utf-8"), nl=False)
        else:
            _print(comparison, compared)
    comparison.raise_troubles(outcomes)


def _specs(text: str) -> list[Any]:
    """Names and specs, such as `garch, {type: var, params: {order: 2}}`."""
    specs = parse_scalar(f"[{text}]")
    if not isinstance(specs, list) or not specs or not all(isinstance(s, str | dict) for s in specs):
        raise ConfigError(f"--baselines {text!r}: expected names, such as garch,gaussian_mixture")
    return specs


def _print(comparison: Comparison, compared: Compared) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from ..report.comparison_words import caveats, difference_in_words, mean_in_words, verdict
    from ..report.words import name_in_words, number

    wide = Console()
    console = wide if wide.is_terminal else Console(width=190)
    names = dict.fromkeys(name for figure in compared.figures for name in figure.baselines)
    baselines = [name for name in names if name not in compared.labels]
    figures = Table(box=None, pad_edge=False, header_style="bold")
    figures.add_column("figure")
    for title in [*compared.labels, "floor", *(name.replace("_", " ") for name in baselines)]:
        figures.add_column(escape(title), justify="right")
    figures.add_column("winner")
    for figure in compared.figures:
        cells = [mean_in_words(figure, label) for label in compared.labels]
        levels = [figure.floor, *(figure.baselines.get(name, float("nan")) for name in baselines)]
        cells += ["–" if math.isnan(level) else number(level) for level in levels]
        figures.add_row(name_in_words(figure.name, figure.words), *cells, escape(verdict(figure)))
    console.print(figures)
    pairs = compared.pairs
    if compared.intervals and len(pairs) <= 3:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("paired difference")
        for a, b in pairs:
            table.add_column(escape(f"{a} − {b}"), justify="right")
        for figure in compared.figures:
            cells = [difference_in_words(figure.pair(a, b)) for a, b in pairs]
            table.add_row(name_in_words(figure.name, figure.words), *cells)
        console.print()
        console.print(table)
    console.print()
    for sentence in caveats(compared):
        console.print(sentence, style="dim", highlight=False)
    for what, file in (("comparison", ""), ("page", "report.html"), ("table", "comparison.csv")):
        console.print(f"{what}: {comparison.folder.path / file}", highlight=False, soft_wrap=True)
