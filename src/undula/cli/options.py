"""Options that several commands share."""

from __future__ import annotations

__all__ = [
    "Debug",
    "Json",
    "Plugins",
    "Quiet",
    "Set",
    "debugging",
    "load_plugins",
    "noted_warnings",
    "told_from",
]

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from ..core.errors import ConfigError, OutsideTrainingWarning

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


def told_from(given: list[str]) -> str | dict[str, float] | None:
    """What --given says: a file's path, or values by name.

    Raises:
        ConfigError: if it is neither.
    """
    if not given:
        return None
    if len(given) == 1 and ("=" not in given[0] or Path(given[0]).exists()):
        return given[0]
    found: dict[str, float] = {}
    for word in given:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise ConfigError(f"--given {word}: several are values by name, NAME=VALUE; give a file alone")
        if name in found:
            raise ConfigError(f"--given names {name!r} twice: give it once")
        try:
            found[name] = float(value)
        except ValueError:
            raise ConfigError(f"--given {word}: {value!r} is not a number: write {name}=30") from None
    return found


@contextlib.contextmanager
def noted_warnings(quiet: bool) -> Iterator[None]:
    """Say on stderr, once each, what a model is told that it has not seen in training."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OutsideTrainingWarning)
        yield
    told = dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, OutsideTrainingWarning))
    for sentence in told if not quiet else ():
        typer.echo(f"undula: note: {sentence}", err=True)
    for other in caught:
        if not issubclass(other.category, OutsideTrainingWarning):
            warnings.warn_explicit(other.message, other.category, other.filename, other.lineno)


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
