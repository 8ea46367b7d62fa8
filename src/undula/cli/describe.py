"""`undula components`, `presets`, `validate`, `schema`: what there is, and whether a config is right."""

from __future__ import annotations

__all__ = ["add_commands"]

import json
from typing import Annotated, Any

import typer

from ..core.errors import UndulaError
from .options import Debug, Json, Plugins, Set, load_plugins


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
        _describe(kind, name, as_json)
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


def _describe(kind: str, name: str, as_json: bool) -> None:
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
    debug: Debug = False,
) -> None:
    """Check a config, its components and its data, and say everything that is wrong."""
    from ..config.loading import load_config
    from ..data.prepare import prepare
    from ..model import DiffusionModel

    loaded = load_config(config, overrides or [])
    problems: list[str] = []
    for check in (
        lambda: DiffusionModel.from_config(loaded).compose(),
        lambda: prepare(loaded.data),
    ):
        try:
            check()
        except UndulaError as error:
            problems.append(str(error))
    if problems:
        raise UndulaError("\n".join(f"{config}: {problem}" for problem in problems))
    typer.echo(f"{config}: valid")


def schema() -> None:
    """Print the JSON schema of configs, for editors."""
    from ..config.json_schema import config_schema

    typer.echo(json.dumps(config_schema(), indent=2))
