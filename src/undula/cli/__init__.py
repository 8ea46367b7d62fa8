"""The command line: one file a group of commands; torch is imported inside them."""

from __future__ import annotations

__all__ = ["app", "main"]

import errno
import signal
import sys
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from .. import __version__
from ..core.errors import UndulaError
from ..core.processes import is_main_process
from . import (
    baselines,
    compare,
    data,
    describe,
    evaluate,
    export,
    finance,
    forecast,
    impute,
    init,
    plot,
    run,
    sample,
    search,
)
from .options import debugging


class _Commands(TyperGroup):
    """Commands with their whole summaries in the help."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, " ".join((c.help or "").split("\n\n")[0].split())) for name, c in commands if c]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


app = typer.Typer(
    cls=_Commands,
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
for _module in (
    run,
    compare,
    search,
    sample,
    forecast,
    impute,
    evaluate,
    baselines,
    plot,
    export,
    init,
    data,
    describe,
    finance,
):
    _module.add_commands(app)

_UsageError: Any = typer.BadParameter.__base__
_INTERRUPTED = 130
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
    interrupts = _remembered_interrupts()
    try:
        code = app(standalone_mode=False)
        if code == _INTERRUPTED:
            _fail("interrupted", _INTERRUPTED)
        if isinstance(code, int) and code:
            sys.exit(code)
    except _UsageError as error:
        _fail_usage(error)
    except typer.Abort:
        _fail("interrupted", _INTERRUPTED)
    except UndulaError as error:
        if debugging():
            raise
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", _INTERRUPTED)
    except Exception as error:
        if debugging():
            raise
        if interrupts:
            _fail("interrupted", _INTERRUPTED)
        if not isinstance(error, OSError) or error.errno not in _ENVIRONMENT_ERRORS:
            raise
        where = f" {error.filename}" if error.filename else ""
        _fail(
            f"cannot write{where}: {error.strerror}: free some space or choose another folder with --out", 2
        )


def _remembered_interrupts() -> list[int]:
    """The signals of Ctrl-C so far: libraries that meet one in C code may raise something else for it."""
    found: list[int] = []

    def remember(number: int, frame: Any) -> None:
        found.append(number)
        signal.default_int_handler(number, frame)

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, remember)
    return found


def _fail_usage(error: Any) -> NoReturn:
    """An option or a command that does not exist, in one line; without any, the help."""
    message, _, _ = error.format_message().partition(", unable to parse")
    words: list[str] = []
    context = error.ctx
    while context is not None and context.parent is not None:
        words, context = [context.info_name, *words], context.parent
    if "\n" in message:
        typer.echo(message, err=True)
        sys.exit(2)
    command = " ".join(["undula", *words, "--help"])
    _fail(f"{message[:1].lower()}{message[1:].rstrip('.')}: see `{command}`", 2)


def _fail(message: str, code: int) -> NoReturn:
    if is_main_process():
        for line in message.splitlines():
            print(f"undula: {line}", file=sys.stderr)
    sys.exit(code)
