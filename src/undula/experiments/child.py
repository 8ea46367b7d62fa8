"""The child process of a run: `python -m undula.experiments.child RUN_FOLDER`; see `parallel`.

It goes on with the run, or begins it, and prints its progress as JSON, a line each. What else is printed
goes to stderr. The parent keeps this process's input open: its end means that the parent is gone, whatever
killed it, and is taken for SIGTERM, so that a training saves its state.
"""

from __future__ import annotations

__all__ = ["JSONProgress", "main", "peak_memory", "stop_with_parent"]

import json
import os
import resource
import signal
import sys
import threading
import time
from typing import Self, TextIO

_SHARES = {"training": (0.0, 0.9), "fitting": (0.0, 0.9), "sampling": (0.9, 1.0)}
_SECONDS_TO_SAVE = 60.0


class JSONProgress:
    """Progress as JSON lines: `share` of the whole run, `text`, and `peak`, the bytes used at most.

    Args:
        stream: where the lines go.
        what: the phase: training, fitting, sampling, or that of a learned preprocessor.
    """

    def __init__(self, stream: TextIO, what: str) -> None:
        self.stream, self.what = stream, what

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def update(self, share: float, text: str) -> None:
        """A line."""
        start, end = _SHARES.get(self.what, (0.0, 0.0))  # a stage before the training: its text alone
        line = {"share": start + share * (end - start), "text": text or self.what, "peak": peak_memory()}
        print(json.dumps(line), file=self.stream, flush=True)

    def message(self, text: str) -> None:
        """To the log."""
        print(text, file=sys.stderr, flush=True)


def peak_memory() -> int:
    """Bytes that this process has used at most."""
    unit = 1 if sys.platform == "darwin" else 1024
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def stop_with_parent() -> None:
    """Take the end of the input for SIGTERM; where that is not heard within a minute, end at once."""

    def watch() -> None:
        while os.read(0, 1):  # not sys.stdin: a buffer's lock would be held when the process ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_SECONDS_TO_SAVE)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _own_stdout() -> TextIO:
    """The parent's pipe; what anything else prints to stdout joins stderr."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


def main(folder: str) -> None:
    """Begin or go on with the run of a folder; a user's mistake is its message and exit code."""
    from ..config.loading import load_config
    from ..core.errors import UndulaError
    from .folder import find_run
    from .runner import ExperimentRunner

    stop_with_parent()
    stream = _own_stdout()
    try:
        run = find_run(folder)
        config = load_config(run.path / "config.yaml")
        config.training.threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
        ExperimentRunner(config, progress=lambda what: JSONProgress(stream, what)).run(resume=run.path)
    except UndulaError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main(sys.argv[1])
