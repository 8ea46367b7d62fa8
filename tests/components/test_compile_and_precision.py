"""Every network trains compiled and in bfloat16, with the losses that it has without."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from undula import DiffusionModel
from undula.model.fitting import FitHooks
from undula.training.loggers import Logger

TINY: dict[str, Any] = {"model_dim": 16, "num_layers": 1}
MEMBER = {"type": "cnn", "params": TINY}
NETWORKS: list[tuple[str, dict[str, Any]]] = [
    ("mlp", TINY),
    ("transformer", TINY),
    ("unet", {"channels": [8, 16], "blocks": 1}),
    ("cnn", TINY),
    ("gru", TINY),
    ("lstm", TINY),
    ("hybrid", {**TINY, "num_states": 4}),
    ("ensemble", {"models": [MEMBER, {"type": "gru", "params": TINY}]}),
    ("ensemble", {"models": [MEMBER, MEMBER], "together": True}),
]


class Losses(Logger):
    """Remembers the loss of every step."""

    def __init__(self) -> None:
        self.seen: list[float] = []

    def log(self, step: int, values: dict[str, float]) -> None:
        self.seen.append(values["loss"])


def losses(name: str, params: dict[str, Any], **training: Any) -> list[float]:
    """Of a few steps of a conditional model."""
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "params"), NETWORKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_compiled_training_has_the_same_losses(name: str, params: dict[str, Any]) -> None:
    plain = losses(name, params)
    torch._dynamo.reset()
    compiled = losses(name, params, compile=True)
    assert len(plain) == 4
    assert compiled == pytest.approx(plain, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "params"), NETWORKS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_bfloat16_training_has_nearly_the_same_losses(name: str, params: dict[str, Any]) -> None:
    plain, half = losses(name, params), losses(name, params, precision="bf16")
    assert all(math.isfinite(loss) for loss in half)
    assert half == pytest.approx(plain, rel=0.02)
    assert half != plain
