"""`undula run`: train, sample, judge."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..core.errors import ConfigError
from .options import Debug, Json, Plugins, Quiet, Set

if TYPE_CHECKING:
    from ..experiments.runner import RunResult


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command("run")(run)


def run(
    config: Annotated[str | None, typer.Argument(help="A config file, or a preset's name.")] = None,
    config_option: Annotated[str | None, typer.Option("--config", help="The same.")] = None,
    overrides: Set = None,
    resume: Annotated[
        str | None, typer.Option(help="Go on with a run folder, or the newest run of a name.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Parent of the run folder.")] = None,
    stage: Annotated[
        Literal["vae", "diffusion", "all"],
        typer.Option(help="Of a latent model: its autoencoder, the diffusion that follows, or both."),
    ] = "all",
    seed: Annotated[int | None, typer.Option(help="Seed, instead of the config's.")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu or cuda.")] = None,
    plugin: Plugins = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, train nothing.")] = False,
    debug: Debug = False,
    quiet: Quiet = False,
    as_json: Json = False,
) -> None:
    """Train a model, draw samples, judge them against held-out data, write a page."""
    from ..config.loading import load_config
    from ..experiments.folder import find_run, find_waiting_run
    from ..experiments.runner import ExperimentRunner

    source = config or config_option
    if stage == "diffusion" and resume is None and source is not None:
        if overrides or seed is not None:
            raise ConfigError(
                "--stage diffusion goes on with a run's own config: give --set and --seed where it begins, "
                "with --stage vae or all"
            )
        resume = str(find_waiting_run(load_config(source).experiment.name, out).path)
        source = out = None
        if not quiet and not as_json:
            typer.echo(f"going on with {resume}", err=True)
    if resume is not None:
        if source is not None or overrides or seed is not None or out is not None:
            raise ConfigError(
                "--resume goes on with a run's own config: give no config, --set, --seed or --out"
            )
        folder = find_run(resume)
        resume, source = str(folder.path), str(folder.path / "config.yaml")
    if source is None:
        raise ConfigError("give a config file or a preset's name (see `undula presets`), or --resume RUN")
    changes = list(overrides or [])
    if seed is not None:
        changes.append(f"experiment.seed={seed}")
    if device is not None:
        changes.append(f"training.device={device}")
    if plugin:
        changes.append(f"plugins={json.dumps([str(Path(p).resolve()) for p in plugin])}")
    runner = ExperimentRunner(load_config(source, changes), out=out, quiet=quiet or as_json, debug=debug)
    if dry_run:
        _, prepared = runner.prepare()
        for note in prepared.notes:
            typer.echo(f"data: {note}")
        typer.echo(f"{source}: ready to run")
        return
    result = runner.run(resume=resume, stage=stage)
    if result is None:
        return
    if as_json:
        typer.echo(json.dumps({**result.results, "folder": str(result.folder)}, indent=2))
    elif stage == "vae":
        _print_stage(result)
    else:
        _print(result)


def _print_stage(result: RunResult) -> None:
    for line in result.probe:
        typer.echo(line)
    trained = result.results["stages"]["vae"]
    typer.echo(f"vae: {trained['steps']:,} steps in {trained['train_s']:.0f} s")
    typer.echo(f"run folder: {result.folder}")
    typer.echo(f"probe: {result.folder / 'bottleneck.json'}, {result.folder / 'plots' / 'bottleneck.png'}")
    typer.echo(f"reconstructions: undula plot {result.folder} --what reconstructions")
    typer.echo(f"go on with: undula run --resume {result.folder} --stage diffusion")


def _print(result: RunResult) -> None:
    from .figures import print_figures, terminal

    console = terminal()
    if result.judgement is not None:
        several = len(result.results["data"]["columns"]) > 1
        print_figures(console, result.judgement, result.baselines, several)
    timing = result.results["timing"]
    made = f"fitted in {timing['train_s']:.1f} s"
    if timing["steps"] is not None:
        made = f"{timing['steps']:,} steps in {timing['train_s']:.0f} s, {timing['parameters']:,} parameters"
    console.print(f"{made}, {timing['sample_s_per_1000']:.2f} s per 1,000 samples", highlight=False)
    for what, name in (("run folder", ""), ("page", "report.html")):
        path = result.folder / name
        if path.exists():
            console.print(f"{what}: {path}", highlight=False, soft_wrap=True)
