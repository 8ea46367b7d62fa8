"""A training before the main one: its lines in the log, its loggers, its options."""

from __future__ import annotations

import json
from pathlib import Path

from undula.training.loggers import JSONLinesLogger, TensorBoardLogger, WandbLogger
from undula.training.options import TrainingOptions
from undula.training.stage import Stage, loggers_of_stage


def test_each_stage_forgets_its_own_lines_alone(tmp_path: Path) -> None:
    main = JSONLinesLogger(tmp_path / "metrics.jsonl")
    stage = main.of_stage("vae")
    for step in (1, 2, 3):
        stage.log(step, {"loss": float(step)})
        main.log(step, {"loss": 10.0 * step})
    with main.path.open("a") as file:
        file.write('{"step": 4, "lo')  # cut off by a kill
    stage.start(1)
    assert places(main.path) == [("vae", 1), ("", 1), ("", 2), ("", 3)]
    main.start(2)
    assert places(main.path) == [("vae", 1), ("", 1), ("", 2)]
    first = json.loads(main.path.read_text().splitlines()[0])
    assert first == {"step": 1, "stage": "vae", "vae/loss": 1.0}
    main.start(0)
    assert places(main.path) == [("vae", 1)]


def places(path: Path) -> list[tuple[str, int]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line.get("stage", ""), line["step"]) for line in lines]


def test_tensorboard_gets_a_folder_and_wandb_the_last_numbers(tmp_path: Path) -> None:
    board = TensorBoardLogger(tmp_path).of_stage("vae")
    board.start(0)
    board.log(1, {"loss": 1.0})
    board.close()
    assert list((tmp_path / "vae").glob("events*")) and not list(tmp_path.glob("events*"))

    told: list[tuple[int, dict[str, float]]] = []

    class Main:
        def log(self, step: int, values: dict[str, float]) -> None:
            told.append((step, values))

    stage = WandbLogger.of_stage(Main(), "vae")  # type: ignore[arg-type]
    stage.log(50, {"loss": 2.0})
    assert told == [(0, {"vae/loss": 2.0, "vae/step": 50.0})]


def test_loggers_that_cannot_tell_stages_apart_hear_nothing(tmp_path: Path) -> None:
    class Plain:
        def start(self, step: int) -> None: ...
        def log(self, step: int, values: dict[str, float]) -> None: ...
        def close(self) -> None: ...

    found = loggers_of_stage([Plain(), JSONLinesLogger(tmp_path / "m.jsonl")], "vae")
    assert [type(logger) for logger in found] == [JSONLinesLogger]


def test_options_are_the_parts_own_on_the_main_trainings_machine() -> None:
    main = TrainingOptions(threads=2, log_every=7, batch_size=999, num_epochs=3, learning_rate=0.5)
    own = Stage(main=main).options(batch_size=8, max_steps=30)
    assert (own.threads, own.log_every, own.batch_size, own.max_steps) == (2, 7, 8, 30)
    assert own.num_epochs is None and own.learning_rate == TrainingOptions().learning_rate
