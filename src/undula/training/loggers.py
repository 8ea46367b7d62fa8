"""Where the numbers of a training go: a file of JSON lines, TensorBoard, Weights & Biases."""

from __future__ import annotations

__all__ = ["JSONLinesLogger", "Logger", "TensorBoardLogger", "WandbLogger"]

import importlib.util
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self

from ..core.errors import ConfigError
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
    """One JSON object a line, each with its step; numbers of a stage carry its name.

    Args:
        path: of the file.
        stage: of the training; empty: the main one.
    """

    def __init__(self, path: Path, stage: str = "") -> None:
        self.path, self.stage = path, stage

    def of_stage(self, name: str) -> JSONLinesLogger:
        """The logger of a stage, on the same file."""
        return JSONLinesLogger(self.path, name)

    def start(self, step: int) -> None:
        """Keep whole lines up to `step`, and those of other stages; drop the rest."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        kept = [line for line in lines if self._keeps(*_place_of(line), step)]
        write_text(self.path, "".join(f"{line}\n" for line in kept))

    def log(self, step: int, values: dict[str, float]) -> None:
        """Append a line."""
        place = {"step": step, **({"stage": self.stage} if self.stage else {})}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**place, **_of_stage(self.stage, values)}) + "\n")

    def close(self) -> None:
        """Nothing is held."""

    def _keeps(self, stage: str | None, at: float, step: int) -> bool:
        return stage is not None and (stage != self.stage or at <= step)


def _place_of(line: str) -> tuple[str | None, float]:
    """The stage and the step of a line; no stage at all if it is not whole."""
    try:
        values = json.loads(line)
        return values.get("stage", ""), float(values["step"])
    except (ValueError, KeyError):
        return None, float("inf")


def _of_stage(stage: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{stage}/{name}": value for name, value in values.items()} if stage else values


class TensorBoardLogger:
    """TensorBoard event files.

    Args:
        folder: of the event files.
        stage: of the training; empty: the main one.
    """

    def __init__(self, folder: Path, stage: str = "") -> None:
        self.folder, self.stage = folder, stage
        self._writer: Any = None

    def of_stage(self, name: str) -> TensorBoardLogger:
        """The logger of a stage, with files of its own: resuming one does not touch the other's steps."""
        return TensorBoardLogger(self.folder / name, name)

    def start(self, step: int) -> None:
        """Open a file in which steps beyond `step` replace earlier ones."""
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(self.folder), purge_step=step + 1 if step else None)

    def log(self, step: int, values: dict[str, float]) -> None:
        """Write scalars."""
        for name, value in _of_stage(self.stage, values).items():
            self._writer.add_scalar(name, value, step)

    def picture(self, name: str, image: Any, step: int) -> None:
        """Write a picture, an array (H, W, 3) of bytes."""
        self._writer.add_image(name, image, step, dataformats="HWC")

    def close(self) -> None:
        """Flush and close."""
        if self._writer is not None:
            self._writer.close()


class WandbLogger:
    """A run at Weights & Biases, open as long as the context lasts.

    The run's id is kept in the folder, so that a resumed training goes on with the same run; steps
    that are trained again are the same to the bit, and W&B keeps the first.

    Args:
        folder: of the run; W&B's files go to `wandb` in it, and offline nowhere else.
        name: shown at W&B.
        config: shown beside the run.
        project: name of the project.
        entity: user or team; None: the default.
        mode: online, or offline for `wandb sync` later; None: what WANDB_MODE says, or online.
        tags: of the run.

    Raises:
        ConfigError: if the package is missing, or W&B cannot be reached.
    """

    def __init__(
        self,
        folder: Path,
        name: str,
        config: Mapping[str, Any],
        project: str = "undula",
        entity: str | None = None,
        mode: Literal["online", "offline"] | None = None,
        tags: list[str] | None = None,
    ) -> None:
        self.check()
        self.folder, self.name, self.config = folder, name, dict(config)
        self.project, self.entity, self.tags = project, entity, list(tags or [])
        self.mode: Any = mode or os.environ.get("WANDB_MODE", "online")
        self._run: Any = None

    @staticmethod
    def check() -> None:
        """Refuse if the package is missing."""
        if importlib.util.find_spec("wandb") is None:
            raise ConfigError(
                "wandb.enabled: true needs the package wandb: pip install 'undula[wandb]', or set "
                "wandb.enabled: false"
            )

    @property
    def id(self) -> str:
        """The run's id, made up once."""
        file = self.folder / "wandb" / "id.txt"
        if not file.is_file():
            write_text(file, f"{secrets.token_hex(4)}\n")
        return file.read_text(encoding="utf-8").strip()

    def __enter__(self) -> Self:
        own = self.folder / "wandb"
        id_ = self.id
        if self.mode == "offline":  # else caches and settings would go to the user's home
            for what in ("CACHE", "CONFIG", "DATA", "ARTIFACT"):
                os.environ.setdefault(f"WANDB_{what}_DIR", str((own / what.lower()).resolve()))
        import wandb

        try:
            self._run = wandb.init(
                dir=str(self.folder),
                id=id_,
                name=self.name,
                project=self.project,
                entity=self.entity,
                mode=self.mode,
                tags=self.tags,
                config=self.config,
                resume="allow" if self.mode == "online" else None,
                settings=wandb.Settings(console="off", silent=True),
            )
        except wandb.Error as error:
            raise ConfigError(
                f"Weights & Biases cannot be used: {error}: log in with `wandb login`, or set "
                "wandb.mode: offline"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._run.finish(exit_code=0 if kind is None else 1)

    def of_stage(self, name: str) -> Logger:
        """The logger of a stage; W&B's steps only go up, so that it keeps the stage's last numbers alone."""
        return _WandbStage(self, name)

    def start(self, step: int) -> None:
        """Nothing: steps that W&B has are not logged again."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Log numbers of a step."""
        self._run.log(values, step=step)

    def summarise(self, values: Mapping[str, float]) -> None:
        """Log what came out in the end."""
        self._run.summary.update(dict(values))

    def close(self) -> None:
        """Nothing: the summary comes after the training."""


class _WandbStage:
    """The numbers of a stage before the main training, all at step 0."""

    def __init__(self, main: WandbLogger, stage: str) -> None:
        self.main, self.stage = main, stage

    def start(self, step: int) -> None:
        """Nothing."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Replace the stage's numbers."""
        self.main.log(0, _of_stage(self.stage, {**values, "step": float(step)}))

    def close(self) -> None:
        """Nothing is held."""
