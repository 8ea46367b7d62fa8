"""Progress with an ETA: a bar on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

__all__ = ["LineProgress", "Progress", "RichProgress", "SilentProgress", "clock", "make_progress"]

import sys
import time
from types import TracebackType
from typing import Any, Protocol, Self

_SECONDS_BETWEEN_LINES = 10.0


class Progress(Protocol):
    """Says how far some work is."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, for whatever reason."""

    def update(self, share: float, text: str) -> None:
        """Say that `share` in [0, 1] is done, and the latest numbers."""

    def message(self, text: str) -> None:
        """Say something that stays."""


class SilentProgress:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, share: float, text: str) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""


class LineProgress:
    """A line on stderr every ten seconds, and for every message.

    Args:
        what: the work's name.
    """

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> Self:
        self._start = self._last = time.monotonic()
        self._first_share: float | None = None
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, share: float, text: str) -> None:
        """A line, if the last one is ten seconds old."""
        now = time.monotonic()
        if self._first_share is None:
            self._first_share = share
        if now - self._last >= _SECONDS_BETWEEN_LINES:
            self._last = now
            done = share - self._first_share
            left = (now - self._start) * (1.0 - share) / done if done > 0 else 0.0
            self.message(f"{self.what}: {share:4.0%}  {text}  {clock(left)} left")

    def message(self, text: str) -> None:
        """A line."""
        print(text, file=sys.stderr, flush=True)


class RichProgress:
    """A bar on the terminal.

    Args:
        what: the work's name.
    """

    def __init__(self, what: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(what, total=1.0, text="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self, share: float, text: str) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=share, text=text)

    def message(self, text: str) -> None:
        """A line above the bar."""
        self._bar.console.print(text, highlight=False)


def make_progress(what: str, quiet: bool = False) -> Any:
    """What suits stderr."""
    if quiet:
        return SilentProgress()
    return RichProgress(what) if sys.stderr.isatty() else LineProgress(what)


def clock(seconds: float) -> str:
    """Seconds as m:ss or h:mm:ss."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
