"""Progress of several processes: a line each on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

__all__ = ["JobsDisplay", "LineDisplay", "RichDisplay", "SilentDisplay", "make_display"]

import sys
import time
from typing import Any, Protocol, Self

from ..training.progress import clock

_SECONDS_BETWEEN_LINES = 10.0
_NAME_WIDTH = 28


class JobsDisplay(Protocol):
    """Shows how far jobs are."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(self, *_: object) -> None:
        """End, for whatever reason."""

    def update(self, name: str, share: float, text: str) -> None:
        """Say that `share` in [0, 1] of a job is done, and its latest numbers."""

    def finish(self, name: str, trouble: str | None) -> None:
        """Say that a job has ended, and with which trouble."""

    def message(self, text: str) -> None:
        """Say something that stays."""


class SilentDisplay:
    """Says nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, name: str, share: float, text: str) -> None:
        """Nothing."""

    def finish(self, name: str, trouble: str | None) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""


class LineDisplay:
    """A line on stderr every ten seconds, for every job that ends, and for every message.

    Args:
        what: the work's name.
        jobs: how many there are.
    """

    def __init__(self, what: str, jobs: int) -> None:
        self.what, self.jobs, self.done = what, jobs, 0
        self._shares: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._start = self._last = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, name: str, share: float, text: str) -> None:
        """A line, if the last one is ten seconds old."""
        self._shares[name] = share
        if time.monotonic() - self._last >= _SECONDS_BETWEEN_LINES:
            self._say()

    def finish(self, name: str, trouble: str | None) -> None:
        """A line."""
        self._shares.pop(name, None)
        self.done += 1
        self.message(f"{name}: {trouble or 'done'}")
        self._say()

    def message(self, text: str) -> None:
        """A line."""
        print(text, file=sys.stderr, flush=True)

    def _say(self) -> None:
        self._last = time.monotonic()
        whole = (self.done + sum(self._shares.values())) / self.jobs
        left = f"  {clock((self._last - self._start) * (1 - whole) / whole)} left" if 0 < whole < 1 else ""
        running = "  ".join(f"{name} {share:.0%}" for name, share in self._shares.items())
        self.message(f"{self.what}: {self.done} of {self.jobs} done, {whole:.0%}{left}  {running}".rstrip())


class RichDisplay:
    """A bar for all, and one for each running job.

    Args:
        what: the work's name.
        jobs: how many there are.
    """

    def __init__(self, what: str, jobs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("eta"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[text]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self.jobs, self.done = jobs, 0
        self._all = self._bars.add_task(what, total=float(jobs), text=f"0 of {jobs} done")
        self._tasks: dict[str, Any] = {}
        self._shares: dict[str, float] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def update(self, name: str, share: float, text: str) -> None:
        """Move the job's bar and the bar for all."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name[:_NAME_WIDTH], total=1.0, text="")
        self._shares[name] = share
        self._bars.update(self._tasks[name], completed=share, text=text)
        self._whole()

    def finish(self, name: str, trouble: str | None) -> None:
        """Take the job's bar away and leave a line."""
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))
        self._shares.pop(name, None)
        self.done += 1
        self.message(f"{name}: {trouble or 'done'}")
        self._whole()

    def message(self, text: str) -> None:
        """A line above the bars."""
        self._bars.console.print(text, highlight=False, markup=False)

    def _whole(self) -> None:
        done = self.done + sum(self._shares.values())
        self._bars.update(self._all, completed=done, text=f"{self.done} of {self.jobs} done")


def make_display(what: str, jobs: int, quiet: bool = False) -> JobsDisplay:
    """What suits stderr."""
    if quiet:
        return SilentDisplay()
    return RichDisplay(what, jobs) if sys.stderr.isatty() else LineDisplay(what, jobs)
