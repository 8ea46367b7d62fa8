"""Run folders: `experiments/runs/<name>/<UTC stamp>-<4 hex>/`, never overwritten, never shared."""

from __future__ import annotations

__all__ = ["RunFolder", "find_model", "find_run"]

import contextlib
import errno
import json
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..core.errors import RunError, did_you_mean
from ..core.files import write_json, write_text

RUNS = Path("experiments") / "runs"


class RunFolder:
    """The files of one run.

    Args:
        path: of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, name: str, out: Path | None = None) -> RunFolder:
        """Make a new folder, which no other process can be given.

        Raises:
            RunError: if it cannot be made, with the reason.
        """
        parent = (RUNS if out is None else out) / name
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        try:
            parent.mkdir(parents=True, exist_ok=True)
            while True:
                path = parent / f"{stamp}-{secrets.token_hex(2)}"
                with contextlib.suppress(FileExistsError):
                    path.mkdir()
                    return cls(path)
        except OSError as error:
            reasons = {
                errno.EACCES: "no permission",
                errno.EROFS: "the file system is read-only",
                errno.ENOSPC: "no space is left on the device",
                errno.ENOTDIR: "a part of the path is a file",
                errno.EEXIST: "a part of the path is a file",
            }
            reason = reasons.get(error.errno or 0, str(error))
            raise RunError(
                f"cannot make a run folder in {parent}: {reason}: choose another with --out"
            ) from error

    @property
    def checkpoints(self) -> Path:
        """Full training states."""
        return self.path / "checkpoints"

    @property
    def model(self) -> Path:
        """What `DiffusionModel.load` reads."""
        return self.path / "model"

    @property
    def plots(self) -> Path:
        """Pictures."""
        return self.path / "plots"

    def write_text(self, name: str, text: str) -> None:
        """Write a text file atomically."""
        write_text(self.path / name, text)

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file atomically."""
        write_json(self.path / name, value)

    def curve(self) -> list[dict[str, float]]:
        """The lines of metrics.jsonl."""
        file = self.path / "metrics.jsonl"
        if not file.is_file():
            return []
        return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder for this process.

        Raises:
            RunError: if another process holds it.
        """
        try:
            import fcntl
        except ImportError:  # no such lock on this system
            yield
            return
        with (self.path / ".lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise RunError(
                    f"run {self.path} is in use by another process: wait for it, or start a new run"
                ) from None
            file.write(str(os.getpid()))
            file.flush()
            yield

    def in_use(self) -> bool:
        """Whether another process holds the folder."""
        try:
            with self.locked():
                return False
        except RunError:
            return True


def find_run(run: str | Path, needs: str = "config.yaml") -> RunFolder:
    """The run folder that a user means: a folder, or a name for its newest run.

    Args:
        run: a folder, or a name under experiments/runs.
        needs: a file that a run should have; the newest run at all if none has it.

    Raises:
        RunError: if there is none.
    """
    path = Path(run)
    if (path / "config.yaml").is_file():
        return RunFolder(path)
    if path.exists():
        raise RunError(
            f"{path} is not a run folder (it has no config.yaml): give the folder that `undula run` printed"
        )
    runs = [p for p in (RUNS / str(run)).glob("*") if (p / "config.yaml").is_file()]
    found = [p for p in runs if (p / needs).is_file()] or runs
    if not found:
        names = [p.name for p in RUNS.glob("*")] if RUNS.is_dir() else []
        raise RunError(
            f"{str(run)!r} is neither a run folder nor the name of an experiment with runs in "
            f"{RUNS}/{did_you_mean(str(run), names)} (`undula run CONFIG` makes one)"
        )
    return RunFolder(max(found, key=lambda p: p.name))


def find_model(run: str | Path) -> Path:
    """A model's folder as it was given, or the run folder that a user means.

    Raises:
        RunError: if there is neither.
    """
    folder = Path(run)
    return folder if (folder / "model.json").is_file() else find_run(run, needs="model/model.json").path
