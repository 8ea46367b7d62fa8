"""Which process this is when several train together, and signals that ask one to stop."""

from __future__ import annotations

__all__ = ["Signals", "is_main_process"]

import os
import signal
import threading
from typing import Any


def is_main_process() -> bool:
    """Whether this process writes files and speaks; the others only compute.

    It holds before the processes have met: launchers tell their children by RANK or LOCAL_RANK.
    """
    return int(os.environ.get("RANK", os.environ.get("LOCAL_RANK", "0"))) == 0


class Signals:
    """Remembers the first SIGINT or SIGTERM; the second one acts at once."""

    def __init__(self) -> None:
        self.received: int | None = None

    def __enter__(self) -> Signals:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._receive)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _receive(self, number: int, _frame: object) -> None:
        if self.received is not None:
            raise KeyboardInterrupt
        self.received = number
