"""`undula components`, `presets`, `validate`, `schema`: what there is, and whether a config is right."""

from __future__ import annotations

__all__ = ["add_commands", "describe_component"]

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import UndulaError
from .options import Debug, Json, Plugins, Set, load_plugins

if TYPE_CHECKING:
    from ..experiments.costs import Costs


def add_commands(app: typer.Typer) -> None:
    """Add this file's commands."""
    for command in (components, presets, validate, schema):
        app.command(command.__name__)(command)


def components(
    kind: Annotated[str | None, typer.Argument(help="Such as sde.")] = None,
    name: Annotated[str | None, typer.Argument(help="Such as vpsde.")] = None,
    plugin: Plugins = None,
    as_json: Json = False,
) -> None:
    """List the components, or describe one: its mathematics, parameters, needs and file."""
    from ..core.registry import KINDS, Registry

    load_plugins(plugin)
    if kind is not None and name is not None:
        describe_component(kind, name, as_json)
        return
    kinds = list(KINDS) if kind is None else [kind]
    listed = {k: {n: Registry.summary(k, n) for n in Registry.list(k)} for k in kinds}
    if as_json:
        typer.echo(json.dumps(listed, indent=2))
        return
    width = max(len(n) for names in listed.values() for n in names)
    for k, names in listed.items():
        typer.echo(f"{k}: {Registry.kind(k).summary}")
        for n, summary in names.items():
            typer.echo(f"  {n:<{width}}  {summary}")


def describe_component(kind: str, name: str, as_json: bool) -> None:
    """Print what the registry knows of a component."""
    from ..core.registry import Registry
    from ..core.signature import shown

    info = Registry.inspect(kind, name)
    if as_json:
        found: dict[str, Any] = {"kind": kind, "name": name, "docs": info.docs, "needs": info.needs}
        schema = Registry.parameters_model(kind, name).model_json_schema()
        typer.echo(json.dumps({**found, "source": info.source, "parameters": schema}, indent=2))
        return
    typer.echo(f"{kind} {name}: {info.summary}\n\n{info.docs}\n")
    if info.needs:
        typer.echo(f"Needs: {info.needs}\n")
    typer.echo("Parameters:" if info.parameters else "No parameters.")
    for parameter in info.parameters:
        default = "required" if parameter.required else f"default {shown(parameter.default)}"
        typer.echo(f"  {parameter.name}: {parameter.annotation}, {default}")
        if parameter.description:
            typer.echo(f"      {parameter.description}")
    typer.echo(f"\nSource: {info.source}")


def presets(
    name: Annotated[str | None, typer.Argument(help="Print this preset's YAML.")] = None,
) -> None:
    """List the presets, or print one."""
    from ..config.loading import load_config, preset_names, preset_text

    if name is not None:
        typer.echo(preset_text(name), nl=False)
        return
    for preset in preset_names():
        typer.echo(f"{preset:<16}{load_config(preset).experiment.description}")


def validate(
    config: Annotated[str, typer.Argument(help="A config file, or a preset's name.")],
    overrides: Set = None,
    plugin: Plugins = None,
    debug: Debug = False,
    as_json: Json = False,
) -> None:
    """Check a config, its components and its data, say everything that is wrong, and what it will cost."""
    from ..experiments.validation import validate_config

    load_plugins(plugin)
    report = validate_config(config, overrides or [])
    if as_json:
        typer.echo(json.dumps(report.as_json(), indent=2))
        raise typer.Exit(0 if report.ok else 2)
    if not report.ok:
        raise UndulaError("\n".join(f"{config}: {problem}" for problem in report.problems))
    for note in report.notes:
        typer.echo(f"data: {note}", err=True)
    typer.echo(f"{config}: valid")
    if report.costs is not None:
        for line in _in_words(report.costs):
            typer.echo(line)


def _in_words(costs: Costs) -> list[str]:
    """The costs of a run, a line each."""
    shapes = "  ".join(f"{name} {' × '.join(map(str, shape))}" for name, shape in costs.shapes.items())
    total = sum(costs.memory.values())
    memory = ", ".join(f"{name} {number / 1e6:,.1f}" for name, number in costs.memory.items())
    lines = [
        f"shapes: {shapes}",
        f"parameters: {costs.parameters:,}",
        f"memory: about {total / 1e6:,.1f} MB beside Python and torch ({memory})",
    ]
    if costs.step_seconds is not None and costs.train_seconds is not None:
        steps = "until max_time" if costs.steps is None else f"{costs.steps:,} steps"
        lines.append(
            f"time: about {duration(costs.train_seconds)} of training ({steps}, "
            f"{1e3 * costs.step_seconds:.1f} ms each on {costs.device} with {costs.threads} threads)"
            + (
                ""
                if costs.stage_seconds is None
                else f", {duration(costs.stage_seconds)} of its autoencoder's"
            )
            + ("" if costs.sample_seconds is None else f", {duration(costs.sample_seconds)} of sampling")
        )
    return lines


def duration(seconds: float) -> str:
    """Such as 8 s, 12 min or 3.5 h."""
    if seconds < 90:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def schema() -> None:
    """Print the JSON schema of configs, for editors."""
    from ..config.json_schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))
