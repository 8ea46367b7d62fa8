"""Where the numbers of a training go: a file of JSON lines, and TensorBoard."""

from __future__ import annotations

__all__ = ["JSONLinesLogger", "Logger", "TensorBoardLogger"]

import json
from pathlib import Path
from typing import Any, Protocol

from ..core.files import write_text


class Logger(Protocol):
    """Takes the numbers of a step."""

    def start(self, step: int) -> None:
        """Begin, or go on after step `step`: forget what was logged beyond it."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Take numbers by name."""

    def close(self) -> None:
        """Write what is still held."""


class JSONLinesLogger:
    """One JSON object a line, each with its step.

    Args:
        path: of the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, step: int) -> None:
        """Keep whole lines up to `step`, drop the rest."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        kept = [line for line in lines if _step_of(line) <= step]
        write_text(self.path, "".join(f"{line}\n" for line in kept))

    def log(self, step: int, values: dict[str, float]) -> None:
        """Append a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")

    def close(self) -> None:
        """Nothing is held."""


def _step_of(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError):
        return float("inf")


class TensorBoardLogger:
    """TensorBoard event files.

    Args:
        folder: of the event files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._writer: Any = None

    def start(self, step: int) -> None:
        """Open a file in which steps beyond `step` replace earlier ones."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder), purge_step=step + 1 if step else None)

    def log(self, step: int, values: dict[str, float]) -> None:
        """Write scalars."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, name: str, image: Any, step: int) -> None:
        """Write a picture, an array (H, W, 3) of bytes."""
        self._writer.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close."""
        if self._writer is not None:
            self._writer.close()
