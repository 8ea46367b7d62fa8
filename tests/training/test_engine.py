"""The engine on a small problem: resuming, limits, signals, non-finite losses, logs."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from undula.core.errors import ConfigError, Interrupted, RunError, TrainingError
from undula.core.files import read_tensors, write_tensors
from undula.core.randomness import Stream
from undula.data.batching import epoch_batches
from undula.training.ema import EMA
from undula.training.engine import Engine, Outcome, Task
from undula.training.loggers import JSONLinesLogger, TensorBoardLogger
from undula.training.options import TrainingOptions
from undula.training.progress import LineProgress, SilentProgress, make_progress
from undula.training.schedule import learning_rate_factor

ROWS = 50


class Batch:
    def __init__(self, index: NDArray[np.int64]) -> None:
        self.index = torch.from_numpy(index)

    def to(self, device: torch.device) -> Batch:
        return self


class Regression(nn.Module):
    """Fit y = sin(3x) with a small network, noise and dropout included."""

    def __init__(self, fail_at: int | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Dropout(0.1), nn.Linear(16, 1))
        self.fail_at = fail_at

    def forward(self, batch: Batch, step: int, position: Tensor, size: int) -> Tensor:
        x = batch.index.float()[:, None] / ROWS
        x = x + 0.01 * Stream(0, "noise").normal(step, position, 1, 1)[:, 0]
        loss = (self.net(x) - torch.sin(3 * x)).square()[:, 0]
        return loss * math.nan if step == self.fail_at else loss


def options(**changes: Any) -> TrainingOptions:
    base: dict[str, Any] = {
        "batch_size": 16,
        "num_epochs": 10,
        "log_every": 7,
        "validate_every": 10,
        "sample_every": 3,
        "checkpoint_every": 1e-9,
        "learning_rate": 1e-2,
        "warmup_steps": 5,
    }
    return TrainingOptions(**{**base, **changes})


def train(
    folder: Path | None,
    module: Regression | None = None,
    resume: bool = False,
    on_epoch: Callable[[int, int], dict[str, float]] | None = None,
    **changes: Any,
) -> Outcome:
    module = module or Regression()
    task = Task(
        module=module,
        batches=lambda epoch: epoch_batches(np.full(ROWS, 1), 16, 0, epoch),
        collate=Batch,
        validate=lambda: {
            "val_loss": float(module(Batch(np.arange(ROWS)), 0, torch.arange(ROWS), ROWS).mean())
        },
        on_epoch=on_epoch or (lambda epochs, steps: {"seen": float(epochs)}),
        networks=[module.net],
    )
    loggers = [] if folder is None else [JSONLinesLogger(folder / "metrics.jsonl")]
    checkpoints = None if folder is None else folder / "checkpoints"
    return Engine(task, options(**changes), 0, checkpoints, loggers).run(resume)


def lines(folder: Path) -> list[dict[str, float]]:
    """The log without wall-clock times."""
    found = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "seconds"} for line in found]


def state(folder: Path, name: str = "last") -> tuple[dict[str, Tensor], dict[str, Any]]:
    tensors, counters = read_tensors(folder / "checkpoints" / f"{name}.safetensors")
    counters.pop("seconds")
    return tensors, counters


class Killed(BaseException):
    pass


@pytest.mark.parametrize("killed_at", [1, 6, 7, 13, 25, 39])
def test_resuming_is_bit_for_bit(tmp_path: Path, killed_at: int) -> None:
    """Stopped at any step, at any checkpoint before it, the run ends as if nothing had happened."""
    train(tmp_path / "whole")

    class Mortal(Regression):
        def forward(self, batch: Batch, step: int, position: Tensor, size: int) -> Tensor:
            if self.training and step == killed_at:
                raise Killed
            return super().forward(batch, step, position, size)

    broken = tmp_path / "broken"
    with pytest.raises(Killed):
        train(broken, Mortal(), checkpoint_every=0.003)
    with (broken / "metrics.jsonl").open("a") as file:
        file.write('{"step": 99999, "loss": 1.0}\n{"step": ')  # what a kill may leave behind
    train(broken, resume=True)
    assert lines(broken) == lines(tmp_path / "whole")
    for name in ("last", "best"):
        (a, counters_a), (b, counters_b) = state(tmp_path / "whole", name), state(broken, name)
        assert counters_a == counters_b
        assert a.keys() == b.keys()
        assert all(torch.equal(a[k], b[k]) for k in a)


def test_it_learns_and_the_average_is_the_smoother(tmp_path: Path) -> None:
    module = Regression()
    outcome = train(tmp_path, module, num_epochs=120)
    assert outcome.steps == 480
    assert outcome.best_val_loss < 0.1  # the mean square of the target is 0.5
    logged = [line for line in lines(tmp_path) if "loss" in line]
    assert logged[-1]["loss"] < logged[0]["loss"]
    assert logged[-1]["step"] == 480
    assert logged[-1]["learning_rate"] < 1e-4
    assert [line["seen"] for line in lines(tmp_path) if "seen" in line][:3] == [3.0, 6.0, 9.0]
    assert all(torch.isfinite(w).all() for w in outcome.ema.weights.values())


def test_every_log_line_has_its_numbers(tmp_path: Path) -> None:
    train(tmp_path, num_epochs=4)
    first = next(line for line in lines(tmp_path) if "loss" in line)
    assert set(first) == {"step", "epoch", "loss", "gradient_norm", "learning_rate"}
    assert first["step"] == 7
    validated = [line["step"] for line in lines(tmp_path) if "val_loss" in line]
    assert validated == [10, 16]


@pytest.mark.parametrize(("changes", "steps"), [({"max_steps": 9}, 9), ({"num_epochs": 2}, 8)])
def test_limits(tmp_path: Path, changes: dict[str, int], steps: int) -> None:
    assert train(tmp_path, **changes).steps == steps


def test_a_time_limit_ends_and_anneals(tmp_path: Path) -> None:
    outcome = train(tmp_path, num_epochs=None, max_time=0.3)
    assert 0.3 <= outcome.seconds < 3
    logged = [line for line in lines(tmp_path) if "learning_rate" in line]
    assert logged[-1]["learning_rate"] < 0.1 * max(line["learning_rate"] for line in logged)


def test_a_training_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="would never end"):
        TrainingOptions(num_epochs=None)


def test_a_non_finite_loss_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(
        TrainingError, match=r"not finite at step 22.*last good checkpoint is kept.*learning_rate"
    ) as e:
        train(tmp_path, Regression(fail_at=21))
    assert e.value.exit_code == 1
    tensors, counters = state(tmp_path)
    assert counters["step"] == 21
    assert all(torch.isfinite(t).all() for t in tensors.values())
    assert train(tmp_path, resume=True).steps == 40


def test_nothing_kept_is_not_claimed(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as e:
        train(tmp_path, Regression(fail_at=0), checkpoint_every=1000.0)
    assert "kept" not in str(e.value)


def test_pictures_that_fail_do_not_end_a_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The samples of a young model may be refused; the training goes on and is saved."""
    said: list[str] = []
    monkeypatch.setattr(SilentProgress, "message", lambda self, text: said.append(text))

    def refuse(epochs: int, steps: int) -> dict[str, float]:
        raise RunError("the sampler returned numbers that are not finite")

    assert train(tmp_path, on_epoch=refuse).steps == 40
    assert state(tmp_path)[1]["step"] == 40
    assert "no samples to show: the sampler returned" in said[0]


@pytest.mark.parametrize(("share", "advises"), [(0.4, True), (0.95, False)])
def test_shared_cores_are_said(monkeypatch: pytest.MonkeyPatch, share: float, advises: bool) -> None:
    """Two trainings on the same cores wait for each other's threads; the user hears what to do."""
    said: list[str] = []
    monkeypatch.setattr(SilentProgress, "message", lambda self, text: said.append(text))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    ticks = {"wall": 0.0}

    def wall() -> float:
        ticks["wall"] += 1.0
        return ticks["wall"]

    monkeypatch.setattr(time, "monotonic", wall)
    monkeypatch.setattr(time, "process_time", lambda: 2 * share * ticks["wall"])
    train(None, num_epochs=20)
    assert any("training.threads: 1" in text for text in said) == advises


def test_a_missing_gpu_is_said(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="no GPU that torch can use: use cpu"):
        train(tmp_path, device="cuda")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    class Signalled(Regression):
        def forward(self, batch: Batch, step: int, position: Tensor, size: int) -> Tensor:
            if self.training and step == 11:
                os.kill(os.getpid(), number)
            return super().forward(batch, step, position, size)

    before = signal.getsignal(number)
    with pytest.raises(Interrupted, match="interrupted after step 12") as e:
        train(tmp_path, Signalled(), checkpoint_every=3600)
    assert e.value.exit_code == 130
    assert signal.getsignal(number) is before
    assert state(tmp_path)[1]["step"] == 12
    assert train(tmp_path, resume=True).steps == 40


def test_a_second_signal_acts_at_once(tmp_path: Path) -> None:
    class Impatient(Regression):
        def forward(self, batch: Batch, step: int, position: Tensor, size: int) -> Tensor:
            if self.training and step == 3:
                os.kill(os.getpid(), signal.SIGINT)
                os.kill(os.getpid(), signal.SIGINT)
            return super().forward(batch, step, position, size)

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Impatient())


def test_checkpoints_of_other_versions_and_models_are_refused(tmp_path: Path) -> None:
    train(tmp_path, max_steps=3)
    file = tmp_path / "checkpoints" / "last.safetensors"
    tensors, counters = read_tensors(file)
    write_tensors(file, tensors, {**counters, "format_version": 99})
    with pytest.raises(RunError, match=r"format_version 99, this undula reads 1: resume with the undula"):
        train(tmp_path, resume=True)
    write_tensors(file, {k: v for k, v in tensors.items() if "net.0" not in k}, counters)
    with pytest.raises(RunError, match="belongs to another model"):
        train(tmp_path, resume=True)


def test_training_leaves_the_callers_randomness_alone(tmp_path: Path) -> None:
    module = Regression()
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    train(None, module, max_steps=3)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle", "constant"])
def test_schedules(schedule: str) -> None:
    factors = [learning_rate_factor(schedule, k / 1000, k, 100) for k in range(1001)]
    assert max(factors) == pytest.approx(1.0, abs=0.03)
    assert all(0 <= f <= 1 for f in factors)
    if schedule == "constant":
        assert factors[0] == pytest.approx(0.01)
        assert set(factors[100:]) == {1.0}
    else:
        assert factors[-1] < 1e-3
        peak = int(np.argmax(factors))
        assert all(b <= a for a, b in zip(factors[peak:], factors[peak + 1 :], strict=False))
    if schedule == "one_cycle":
        assert factors[0] == pytest.approx(1 / 25)
        assert int(np.argmax(factors)) == 300


def test_ema_warms_up() -> None:
    """After k steps the initial weights' share is Π d_j, far below d^k."""
    module = nn.Linear(1, 1, bias=False)
    nn.init.ones_(module.weight)
    ema = EMA(module, 0.999)
    with torch.no_grad():
        module.weight.zero_()
    share = 1.0
    for k in range(200):
        ema.update(k)
        share *= min(0.999, (1 + k) / (10 + k))
    assert float(ema.weights["weight"]) == pytest.approx(share, rel=1e-4)
    assert share < 1e-8 < 0.999**200
    with ema.applied():
        assert module.weight.item() == float(ema.weights["weight"])
    assert module.weight.item() == 0.0


def test_ema_without_decay_is_the_weights() -> None:
    module = nn.Linear(2, 2)
    ema = EMA(module, 0.0)
    with torch.no_grad():
        module.weight.add_(1.0)
    ema.update(5)
    assert torch.equal(ema.weights["weight"], module.weight)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("20m", 1200), ("1h30m", 5400), ("1.5h", 5400), (45, 45)]
)
def test_durations(text: object, seconds: float) -> None:
    assert TrainingOptions(max_time=text).max_time == seconds


@pytest.mark.parametrize("text", ["soon", "10", "-3m", "3 weeks", 0])
def test_wrong_durations(text: object) -> None:
    with pytest.raises(ValueError, match="max_time"):
        TrainingOptions(max_time=text)


def test_tensorboard_resumes(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for start, steps in ((0, range(1, 6)), (3, range(4, 9))):
        logger = TensorBoardLogger(tmp_path)
        logger.start(start)
        for step in steps:
            logger.log(step, {"loss": float(step + start)})
        logger.picture("samples", np.zeros((4, 4, 3), np.uint8), steps[-1])
        logger.close()
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    found = {e.step: e.value for e in events.Scalars("loss")}
    assert found == {1: 1, 2: 2, 3: 3, 4: 7, 5: 8, 6: 9, 7: 10, 8: 11}
    assert events.Tags()["images"] == ["samples"]


def test_progress_lines_have_an_eta(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 0.0, 15.0, 16.0, 30.0])
    monkeypatch.setattr("undula.training.progress.time.monotonic", lambda: next(clock))
    with LineProgress("training") as progress:
        for share in (0.0, 0.25, 0.26, 0.5):
            progress.update(share, f"loss {share}")
        progress.message("done")
    text = capsys.readouterr().err.splitlines()
    assert text == ["training:  25%  loss 0.25  0:45 left", "training:  50%  loss 0.5  0:30 left", "done"]


def test_quiet_progress_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with make_progress("x", quiet=True) as progress:
        progress.update(0.5, "x")
        progress.message("x")
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with make_progress("x") as progress:
        assert type(progress).__name__ == "RichProgress"
        progress.update(0.5, "halfway")
        progress.message("hello")
