"""A process that takes one trial after the other until there are enough.

`python -m undula.experiments.search.worker FOLDER MOST THREADS` is started by `Search`, which holds
the other end of its stdin: when that closes, the search is gone, and the worker ends as after a
signal, with its trial's state saved.
"""

from __future__ import annotations

__all__: list[str] = []

import os
import signal
import sys
import threading
from pathlib import Path

from ...core.errors import Interrupted, UndulaError
from .search import Search


def _end_with_parent() -> None:
    """Wait for the end of stdin; then ask this process to stop, as Ctrl-C does."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _main() -> int:
    folder, most, threads, quiet = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        Search.open(Path(folder), quiet == "quiet").take_trials(int(most), int(threads))
    except Interrupted:
        return 130
    except UndulaError as error:
        print(f"undula: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(_main())
