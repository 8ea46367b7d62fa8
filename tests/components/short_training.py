"""The losses of a few training steps; as a script, in a process whose shapes nobody checks.

python short_training.py '{"name": "cnn", "params": {}, "compile": true}'
"""

from __future__ import annotations

import json
import sys
from typing import Any

from undula import DiffusionModel
from undula.model.fitting import FitHooks
from undula.training.loggers import Logger


class Losses(Logger):
    """Remembers the loss of every step."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def log(self, step: int, values: dict[str, float]) -> None:
        self.seen.append(values["loss"])


def losses(name: str, params: dict[str, Any], **training: Any) -> list[float]:
    """Of a few steps of a conditional model, under training options."""
    log = Losses()
    DiffusionModel(
        architecture={"type": name, "params": params},
        data={
            "dataset": "ar1",
            "history_len": 6,
            "predict_len": 10,
            "stride": 10,
            "split": {"train": 1.0, "val": 0.0, "test": 0.0},
        },
        training={
            "batch_size": 32,
            "max_steps": 4,
            "learning_rate": 1e-2,
            "warmup_steps": 0,
            "log_every": 1,
            "sample_every": None,
            "device": "cpu",
            **training,
        },
    ).fit(hooks=FitHooks(loggers=[log]))
    return log.seen


if __name__ == "__main__":
    print(json.dumps(losses(**json.loads(sys.argv[1]))))
