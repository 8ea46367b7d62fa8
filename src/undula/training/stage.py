"""A training before the main one: of a part that is fitted by gradient descent.

It runs on the same machine settings as the main training, under a name of its own, with its own
checkpoints, curves and progress, so that a run that was killed goes on in the stage where it was.
"""

from __future__ import annotations

__all__ = ["Stage", "StageLogger", "loggers_of_stage"]

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .engine import Outcome
from .loggers import Logger
from .options import TrainingOptions
from .progress import Progress

_OF_THE_MACHINE = (
    "device",
    "devices",
    "num_nodes",
    "strategy",
    "threads",
    "compile",
    "log_every",
    "validate_every",
    "checkpoint_every",
)


class StageLogger(Protocol):
    """A logger that can tell stages apart."""

    def of_stage(self, name: str) -> Logger:
        """The logger of a stage."""


@dataclass
class Stage:
    """How a part is trained.

    Args:
        seed: of everything random in it.
        main: the options of the main training, of which those of the machine hold here too.
        folder: where checkpoints go; None: nowhere.
        resume: go on from the folder's last checkpoint.
        loggers: where numbers go.
        progress: where the user looks.
        rehearsal: build everything, train nothing.
        outcome: how it ended; set by who trains.
    """

    seed: int = 0
    main: TrainingOptions = field(default_factory=TrainingOptions)
    folder: Path | None = None
    resume: bool = False
    loggers: Sequence[Logger] = ()
    progress: Progress | None = None
    rehearsal: bool = False
    outcome: Outcome | None = None

    def options(self, **own: Any) -> TrainingOptions:
        """The part's own options on the main training's machine."""
        machine = {name: getattr(self.main, name) for name in _OF_THE_MACHINE}
        return TrainingOptions.model_validate({**machine, "num_epochs": None, **own})


def loggers_of_stage(loggers: Sequence[Logger], name: str) -> list[Logger]:
    """The loggers of a stage; those that cannot tell stages apart are left out."""
    found: list[Any] = [getattr(logger, "of_stage", None) for logger in loggers]
    return [of_stage(name) for of_stage in found if of_stage is not None]
