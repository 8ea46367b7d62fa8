"""The command line: one file a group of commands; torch is imported inside them."""

from __future__ import annotations

__all__ = ["app", "main"]

import errno
import sys
from typing import Annotated

import typer

from .. import __version__
from ..core.errors import UndulaError
from ..core.processes import is_main_process
from . import data, describe, init, run, sample, search
from .options import debugging

app = typer.Typer(
    name="undula",
    help="Diffusion models of one-dimensional data: time series, signals, spectra.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "token_normalize_func": lambda name: name.replace("_", "-"),
    },
)
for _module in (run, search, sample, init, data, describe):
    _module.add_commands(app)

_ENVIRONMENT_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"undula {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a user's mistake is one message and exit code 2."""
    try:
        app()
    except UndulaError as error:
        if debugging():
            raise
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", 130)
    except OSError as error:
        if debugging() or error.errno not in _ENVIRONMENT_ERRORS:
            raise
        where = f" {error.filename}" if error.filename else ""
        _fail(
            f"cannot write{where}: {error.strerror}: free some space or choose another folder with --out", 2
        )


def _fail(message: str, code: int) -> None:
    if is_main_process():
        for line in message.splitlines():
            print(f"undula: {line}", file=sys.stderr)
    sys.exit(code)
