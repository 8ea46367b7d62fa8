"""`undula run --debug`: what a training looks like from inside."""

from __future__ import annotations

__all__ = ["RunDebug"]

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..core.errors import UndulaError
from ..data.prepare import PreparedData
from ..diffusion.loss import DiffusionLoss, TrainingBatch
from ..model import DiffusionModel
from ..model.inspection import gradient_norms, parameter_counts, shapes_of
from ..training.loggers import Logger
from .diagnosis import Diagnosis, table_in_words


class RunDebug:
    """Says shapes, logs gradient norms by module, and draws intermediate samples at the end.

    It is a logger: with every line of the training's log it adds the gradient's norm in each part of
    the network, of the last step and after clipping, as `gradient_norm/<part>`.

    Args:
        loggers: where the norms go.
        say: where the user looks.
    """

    def __init__(self, loggers: Sequence[Logger], say: Callable[[str], None]) -> None:
        self.loggers, self.say = loggers, say
        self._loss: DiffusionLoss | None = None
        self._shapes: dict[str, list[int]] = {}

    def begin(self, loss: DiffusionLoss, batch: TrainingBatch) -> None:
        """Say the shapes of the first batch and the parameters of each part of the network."""
        self._loss = loss
        device = next(loss.parameters()).device
        self._shapes = {name: list(shape) for name, shape in shapes_of(loss, batch.to(device)).items()}
        for name, shape in self._shapes.items():
            self.say(f"debug: {name}: {' × '.join(map(str, shape))}")
        for name, count in parameter_counts(loss.network).items():
            self.say(f"debug: {name}: {count:,} parameters")

    def start(self, step: int) -> None:
        """Nothing; the other loggers forget."""

    def log(self, step: int, values: dict[str, float]) -> None:
        """Add the gradient's norms to a line of the training's log."""
        if "gradient_norm" not in values or self._loss is None:
            return
        norms = {f"gradient_norm/{name}": norm for name, norm in gradient_norms(self._loss.network).items()}
        for logger in self.loggers:
            logger.log(step, norms)
        largest = sorted(norms.items(), key=lambda item: -item[1])[:3]
        text = ", ".join(f"{name.partition('/')[2]} {norm:.2g}" for name, norm in largest)
        self.say(f"debug: step {step:,}: largest gradients: {text}")

    def close(self) -> None:
        """Nothing is held."""

    def finish(self, model: DiffusionModel, prepared: PreparedData, plots: Path) -> dict[str, Any]:
        """Say the table of losses by noise level and draw the pictures.

        Args:
            model: fitted.
            prepared: its data.
            plots: the folder of pictures.

        Returns:
            Shapes and the table, for results.json.
        """
        model.parts_.architecture.to("cpu")
        diagnosis = Diagnosis(model, prepared)
        for line in table_in_words(diagnosis.by_noise_level):
            self.say(f"debug: {line}")
        for what in diagnosis.kinds:
            try:
                for path in diagnosis.save(what, plots):
                    self.say(f"debug: {path}")
            except UndulaError as error:
                self.say(f"debug: {error}")
        return {"shapes": self._shapes, "by_noise_level": [asdict(row) for row in diagnosis.by_noise_level]}
