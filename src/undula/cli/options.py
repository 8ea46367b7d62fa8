"""Options that several commands share."""

from __future__ import annotations

__all__ = ["Debug", "Json", "Plugins", "Quiet", "Set", "debugging", "load_plugins"]

from typing import Annotated

import typer

_state = {"debug": False}


def _remember(wanted: bool) -> bool:
    _state["debug"] = _state["debug"] or wanted
    return wanted


def debugging() -> bool:
    """Whether --debug was given."""
    return _state["debug"]


def load_plugins(paths: list[str] | None) -> None:
    """Import the files that the user names on the command line."""
    from ..core.registry import Registry

    for path in paths or []:
        Registry.load_plugin(path)


Debug = Annotated[
    bool,
    typer.Option(
        "--debug",
        callback=_remember,
        help="Tracebacks; on run also shapes, gradients, losses by noise, pictures.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]
Plugins = Annotated[list[str] | None, typer.Option("--plugin", help="File with components; repeatable.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key.")]
