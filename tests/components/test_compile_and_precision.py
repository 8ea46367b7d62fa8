"""Every network trains compiled and in bfloat16, with the losses that it has without."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .short_training import losses

pytestmark = pytest.mark.slow

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
EACH = pytest.mark.parametrize(
    ("name", "params"), NETWORKS, ids=lambda value: value if isinstance(value, str) else ""
)


@EACH
def test_compiled_training_has_the_same_losses(name: str, params: dict[str, Any]) -> None:
    """In a process of its own: torch's compiler does not go with the checks of shapes in tests."""
    asked = json.dumps({"name": name, "params": params, "compile": True})
    script = Path(__file__).with_name("short_training.py")
    ran = subprocess.run([sys.executable, str(script), asked], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    assert json.loads(ran.stdout) == pytest.approx(losses(name, params), rel=1e-4)


@EACH
def test_bfloat16_training_has_nearly_the_same_losses(name: str, params: dict[str, Any]) -> None:
    plain, half = losses(name, params), losses(name, params, precision="bf16")
    assert len(plain) == 4
    assert all(math.isfinite(loss) for loss in half)
    assert half == pytest.approx(plain, rel=0.02)
    assert half != plain
