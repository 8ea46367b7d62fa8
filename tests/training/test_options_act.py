"""Every training option does what it says: the engine against AdamW written out by hand."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from undula.data.batching import epoch_batches
from undula.training.engine import Engine, Outcome, Task
from undula.training.options import TrainingOptions

STEPS = 6
START = np.array([1.0, -2.0, 0.5])
SLOPES = np.random.default_rng(0).normal(0.0, 3.0, (STEPS, 3))


class Batch:
    def to(self, device: torch.device) -> Batch:
        return self


class Bowl(nn.Module):
    """Loss a_k·w + ½|w|² at step k, the same for every member: its gradient is a_k + w."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(START, dtype=torch.float32))

    def forward(self, batch: Batch, step: int, position: Tensor, size: int) -> Tensor:
        slope = torch.tensor(SLOPES[step], dtype=torch.float32)
        return ((slope * self.w).sum() + 0.5 * self.w.square().sum()).expand(len(position))


DEFAULTS: dict[str, Any] = {
    "learning_rate": 0.1,
    "weight_decay": 0.01,
    "betas": (0.9, 0.99),
    "schedule": "cosine",
    "warmup_steps": 3,
    "clip_norm": 1.0,
    "ema_decay": 0.999,
}


def options(**changes: Any) -> TrainingOptions:
    base = {**DEFAULTS, "num_epochs": None, "max_steps": STEPS, "sample_every": None, "device": "cpu"}
    return TrainingOptions(**{**base, **changes})


def train(
    module: nn.Module,
    folder: Path | None = None,
    seed: int = 0,
    resume: bool = False,
    networks: list[nn.Module] | None = None,
    **changes: Any,
) -> Outcome:
    def collate(index: NDArray[np.int64]) -> Batch:
        return Batch()

    task = Task(
        module=module,
        batches=lambda epoch: [np.arange(4), np.arange(4)],
        collate=collate,
        networks=networks or [],
    )
    return Engine(task, options(**changes), seed, folder).run(resume)


def by_hand(**changes: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The weights and their average after the run, in float64."""
    o = {**DEFAULTS, **changes}
    w, average = START.copy(), START.copy()
    m, v = np.zeros(3), np.zeros(3)
    for k in range(STEPS):
        share = k / STEPS
        if o["schedule"] == "one_cycle":  # from 1/25 up to 1 over 30 % of the run, then down to 1e-4
            up = share < 0.3
            start, end, part = (0.04, 1.0, share / 0.3) if up else (1.0, 1e-4, (share - 0.3) / 0.7)
            factor = end + (start - end) * 0.5 * (1 + math.cos(math.pi * part))
        else:
            factor = min(1.0, (k + 1) / o["warmup_steps"]) if o["warmup_steps"] else 1.0
            factor *= 0.5 * (1 + math.cos(math.pi * share)) if o["schedule"] == "cosine" else 1.0
        rate = o["learning_rate"] * factor
        g = SLOPES[k] + w
        if o["clip_norm"] is not None:
            g = g * min(1.0, o["clip_norm"] / float(np.linalg.norm(g)))
        b1, b2 = o["betas"]
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        w = w * (1 - rate * o["weight_decay"])
        w = w - rate * (m / (1 - b1 ** (k + 1))) / (np.sqrt(v / (1 - b2 ** (k + 1))) + 1e-8)
        decay = min(o["ema_decay"], (1 + k) / (10 + k))
        average = decay * average + (1 - decay) * w
    return w, average


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"learning_rate": 0.03},
        {"weight_decay": 1.0},
        {"betas": (0.5, 0.99)},
        {"betas": (0.9, 0.6)},
        {"schedule": "constant"},
        {"schedule": "one_cycle"},
        {"warmup_steps": 0},
        {"warmup_steps": 20},
        {"clip_norm": None},
        {"clip_norm": 5.0},
        {"ema_decay": 0.0},
        {"ema_decay": 0.2},
    ],
    ids=str,
)
def test_the_weights_are_adamws(changes: dict[str, Any]) -> None:
    """With each option changed alone; and the change is one that can be seen."""
    module = Bowl()
    outcome = train(module, **changes)
    w, average = by_hand(**changes)
    assert module.w.detach().numpy() == pytest.approx(w, abs=1e-5)
    assert outcome.ema.weights["w"].numpy() == pytest.approx(average, abs=1e-5)
    if changes:
        default = np.concatenate(by_hand())
        assert np.abs(np.concatenate((w, average)) - default).max() > 1e-3


@pytest.mark.parametrize("clip_norm", [None, 1e9, 1.0, 0.01])
def test_the_gradient_is_clipped_to_its_norm(clip_norm: float | None) -> None:
    """What the optimiser saw is left in `grad`: the direction is kept, the norm at most clip_norm."""
    module = Bowl()
    train(module, max_steps=1, clip_norm=clip_norm)
    whole = SLOPES[0] + START
    norm = float(np.linalg.norm(whole))
    assert norm > 2
    assert module.w.grad is not None
    expected = whole * min(1.0, (clip_norm or math.inf) / norm)
    assert module.w.grad.numpy() == pytest.approx(expected, rel=1e-4)


class Noting(nn.Module):
    """Notes the arithmetic of its network and the mask of its dropout at every step."""

    def __init__(self, killed_at: int | None = None) -> None:
        super().__init__()
        self.net = nn.Linear(2, 1)
        self.killed_at = killed_at
        self.arithmetic: list[tuple[bool, torch.dtype]] = []
        self.masks: dict[int, list[bool]] = {}

    def forward(self, batch: Batch, step: int, position: Tensor, size: int) -> Tensor:
        if step == self.killed_at:
            raise KeyboardInterrupt
        out = self.net(torch.ones(len(position), 2))
        self.arithmetic.append((torch.is_autocast_enabled("cpu"), out.dtype))
        mask = nn.functional.dropout(torch.ones(256), 0.5, self.training) > 0
        assert step not in self.masks
        self.masks[step] = mask.tolist()
        return out.float().square()[:, 0]


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        ("bf16", (True, torch.bfloat16)),
        ("32", (False, torch.float32)),
        ("auto", (False, torch.float32)),
    ],
)
def test_precision_is_that_of_the_network(precision: str, expected: tuple[bool, torch.dtype]) -> None:
    """bf16 on a CPU computes in bfloat16 and keeps the weights in float32; auto there is 32."""
    module = Noting()
    train(module, precision=precision, max_steps=2)
    assert module.arithmetic == [expected] * 2
    assert module.net.weight.dtype == torch.float32
    assert module.net.weight.grad is not None
    assert module.net.weight.grad.dtype == torch.float32


@pytest.mark.parametrize(("compile_", "compiled"), [(True, True), (False, False), ("auto", False)])
def test_compile_compiles_the_networks(
    compile_: object, compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """True compiles each network, once, and the compiled one is what runs; auto does not on a CPU."""
    made, ran = [], []

    def fake(function: Any, *arguments: Any, **keywords: Any) -> Any:
        made.append(function)

        def run(*inputs: Any, **named: Any) -> Any:
            ran.append(function)
            return function(*inputs, **named)

        return run

    monkeypatch.setattr(torch, "compile", fake)
    module = Noting()
    train(module, compile=compile_, max_steps=3, networks=[module.net])
    assert len(made) == int(compiled)
    assert len(ran) == 3 * int(compiled)


def test_every_step_has_a_dropout_mask_of_its_own(tmp_path: Path) -> None:
    """Steps differ, seeds differ, and a resumed run draws what the whole one would have drawn."""
    whole = Noting()
    train(whole, seed=3)
    masks = np.array([whole.masks[step] for step in range(STEPS)])
    agreement = (masks[:, None] == masks).mean(-1)[~np.eye(STEPS, dtype=bool)]
    assert np.all(np.abs(agreement - 0.5) < 0.2)

    other = Noting()
    train(other, seed=4, max_steps=1)
    assert other.masks[0] != whole.masks[0]

    with pytest.raises(KeyboardInterrupt):
        train(Noting(killed_at=4), tmp_path, seed=3, checkpoint_every=1e-9)
    resumed = Noting()
    train(resumed, tmp_path, seed=3, resume=True)
    assert resumed.masks == {step: whole.masks[step] for step in (4, 5)}


def test_batches_of_similar_lengths_come_in_any_order() -> None:
    """Within a batch lengths are alike; from batch to batch they go up as often as down."""
    lengths = np.random.default_rng(0).integers(5, 500, 4096)
    orders = []
    for epoch in (0, 1):
        means = np.array([lengths[b].mean() for b in epoch_batches(lengths, 32, seed=0, epoch=epoch)])
        rises = np.diff(means) > 0
        assert 0.3 < rises.mean() < 0.7
        first = means[:32]  # as many as are sorted together
        assert abs(np.corrcoef(np.arange(32), first)[0, 1]) < 0.6
        orders.append(means)
    assert abs(np.corrcoef(*orders)[0, 1]) < 0.4


@pytest.mark.parametrize("ragged", [False, True])
def test_the_order_depends_on_seed_and_epoch(ragged: bool) -> None:
    lengths = np.arange(5, 505) if ragged else np.full(500, 5)

    def order(seed: int, epoch: int) -> list[int]:
        return np.concatenate(epoch_batches(lengths, 8, seed, epoch)).tolist()

    orders = [order(0, 0), order(0, 1), order(1, 0), list(range(500)), list(range(500))[::-1]]
    for i, one in enumerate(orders):
        assert all(np.mean(np.array(one) == np.array(other)) < 0.05 for other in orders[:i])
