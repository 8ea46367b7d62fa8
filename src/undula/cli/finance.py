"""`undula finance`: studies of returns and prices."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, load_plugins, told_from

if TYPE_CHECKING:
    from ..domains.finance.scenarios import ScenarioStudy

group = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Part = Literal["train", "val", "test", "held-out", "all"]


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.add_typer(group, name="finance", help="Studies of returns and prices.")


@group.callback()
def _finance() -> None:
    pass


@group.command("scenarios")
def scenarios(
    run: Annotated[str, typer.Argument(help="A run folder, or a name for its newest run.")],
    targets: Annotated[
        str | None, typer.Option(help="Levels that the model is told, with commas: 12,16,20,25,30,40.")
    ] = None,
    threshold: Annotated[
        str | None, typer.Option(help="Stress sets: levels drawn from the real ones at or above it: 30.")
    ] = None,
    guidance: Annotated[
        str, typer.Option(help="Scales with commas; 0 ignores the level, 1 is the model as trained.")
    ] = "1",
    n: Annotated[int, typer.Option("-n", "--num-samples", help="Samples of each level and scale.")] = 1000,
    column: Annotated[str | None, typer.Option(help="What is varied, if the model is told several.")] = None,
    target_column: Annotated[
        str | None, typer.Option(help="Whose returns are judged, if the model generates several.")
    ] = None,
    given: Annotated[
        list[str] | None, typer.Option(help="NAME=VALUE of another column that is told; repeatable.")
    ] = None,
    match: Annotated[
        float, typer.Option(help="Real windows match within this share of the level, up or down.")
    ] = 0.1,
    part: Annotated[
        Part, typer.Option(help="Part of the data they are from; held-out: validation and test.")
    ] = "held-out",
    per_year: Annotated[float, typer.Option(help="Steps a year has.")] = 252.0,
    steps: Annotated[int | None, typer.Option(help="Steps of the sampler.")] = None,
    bootstrap: Annotated[int, typer.Option(help="Draws of an interval.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of samples and intervals.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder; without it, scenarios/ in the run.")] = None,
    weights: Annotated[
        Literal["last", "best"], typer.Option(help="Those at the end, or of the lowest validation loss.")
    ] = "last",
    plugin: Plugins = None,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Samples at chosen levels of a condition, beside the real windows that began there."""
    asked = {"targets": _numbers(targets, "targets"), "threshold": _numbers(threshold, "threshold")}
    scales = _numbers(guidance, "guidance")
    others = told_from(given or [])
    if isinstance(others, str):
        raise ConfigError(f"--given {others}: scenarios take values by name, such as --given rate=2")
    from ..config.loading import load_config
    from ..data.prepare import prepare
    from ..domains.finance.scenario_report import write_study
    from ..domains.finance.scenarios import run_scenarios
    from ..experiments.folder import find_run
    from ..model import DiffusionModel
    from ..training.progress import make_progress

    load_plugins(plugin)
    folder = find_run(run, needs="model/model.json")
    model = DiffusionModel.load(folder.path, weights=weights)
    config = load_config(folder.path / "config.yaml")
    prepared = prepare(config.data)
    with make_progress("scenarios", quiet or as_json) as progress:
        study = run_scenarios(
            model,
            prepared,
            levels=asked["targets"],
            thresholds=asked["threshold"],
            guidance=scales,
            n=n,
            column=column,
            target=target_column,
            match=match,
            part=part,
            per_year=per_year,
            draws=bootstrap,
            seed=seed,
            num_steps=steps,
            given=others,
            on_progress=lambda share: progress.update(share, ""),
        )
    paths = write_study(out or folder.path / "scenarios", study, config.experiment.name)
    if as_json:
        from ..domains.finance.scenario_words import as_json as described

        files = {kind: str(path) for kind, path in paths.items()}
        typer.echo(json.dumps({**described(study), "files": files}))
        return
    _print(study)
    for path in paths.values():
        typer.echo(path)


def _numbers(text: str | None, name: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(word) for word in (text or "").split(",") if word.strip()]
    except ValueError:
        raise ConfigError(
            f"--{name} {text}: give numbers with commas between them, such as 12,20,30"
        ) from None


def _print(study: ScenarioStudy) -> None:
    from rich.console import Console
    from rich.table import Table

    from ..domains.finance.scenario_words import HEADINGS, sentences, table_rows

    wide = Console()
    console = wide if wide.is_terminal else Console(width=190)
    table = Table(box=None, pad_edge=False, header_style="bold")
    names = [study.column, "what", "windows", *HEADINGS.values(), "in range", "median agrees"]
    for name in names:
        table.add_column(name, justify="left" if name == "what" else "right")
    for row, cells in table_rows(study):
        table.add_row(*cells, style="bold" if row.guidance is None else None)
    console.print(table)
    console.print(
        f"Real: {study.part} part, {study.period}, {study.column} in the row before the window within "
        f"±{100 * study.match:g} % of the level; their windows in blocks, which are drawn as wholes. In "
        "brackets 90 % intervals; volatility and drawdown are medians over windows.",
        highlight=False,
    )
    for sentence in sentences(study):
        console.print(sentence, highlight=False)
