"""DeepAR: a recurrent network that says the distribution of the next row, and draws row after row.

    h_t = GRU(h_{t−1}, [z_{t−1}, f_t, log ν]),   z_t ~ z_{t−1} + μ(h_t) + σ(h_t) e_t,   z = x / ν

with Student-t or Gaussian e of each column, and ν the mean absolute value of the history's column. It is
trained with teacher forcing on histories and horizons of all training windows. The location is told as a
step from the last value; otherwise as published. Columns are joined by what the network remembers of them.

References:
    Salinas, Flunkert, Gasthaus, Januschowski (2020). DeepAR: probabilistic forecasting with autoregressive
    recurrent networks. doi:10.1016/j.ijforecast.2019.07.001
"""

from __future__ import annotations

__all__ = ["DeepARForecaster"]

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core.baseline import OnProgress
from ...core.registry import register
from ...core.types import Positive, PositiveInt
from ._windows import Numbers, Training, WindowForecaster

if TYPE_CHECKING:
    from torch import Tensor

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS, _ROWS_AT_ONCE = 20_000, 20_000


@register("forecaster", "deepar")
class DeepARForecaster(WindowForecaster):
    """A recurrent network, trained on the likelihood of the next row and drawn row after row.

    Args:
        width: of the GRU.
        layers: of the GRU.
        errors: student_t, of degrees of freedom that are learned a column, or gaussian.
        steps: of its training.
        batch_size: windows a step.
        learning_rate: highest rate of Adam.
        max_seconds: after which the training stops, the same fit no longer being the same elsewhere; null: no
            limit.
    """

    needs = "hundreds of training windows; minutes"
    slow = True

    def __init__(
        self,
        width: PositiveInt = 40,
        layers: PositiveInt = 2,
        errors: Literal["student_t", "gaussian"] = "student_t",
        steps: PositiveInt = 1_000,
        batch_size: PositiveInt = 64,
        learning_rate: Positive = 3e-3,
        max_seconds: Positive | None = None,
    ) -> None:
        self.width, self.layers, self.errors, self.steps = width, layers, errors, steps
        self.batch_size, self.learning_rate, self.max_seconds = batch_size, learning_rate, max_seconds

    def _learn(self, training: Training, seed: int, on_progress: OnProgress | None) -> None:
        import torch

        from ._gru import DeepARNetwork, train_deepar

        windows = training.windows(_MOST_WINDOWS)
        self._known = windows.features.mean((0, 1))
        spread = windows.features.std((0, 1))
        self._known_scale = np.where(spread > 0.0, spread, 1.0)
        self._unit = np.abs(windows.history).mean((0, 1))
        self._unit[self._unit == 0.0] = 1.0
        values, known, log_scale, scale = self._scaled(windows.history, windows.features)
        future = torch.from_numpy(windows.future / scale[:, None])
        self._network, self._steps, self._loss = train_deepar(
            lambda: DeepARNetwork(
                self._channels, self._features, self.width, self.layers, self.errors == "student_t"
            ),
            torch.cat((values, future), dim=1).float(),
            known.float(),
            log_scale.float(),
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            max_seconds=self.max_seconds,
            seed=seed,
            tell=on_progress,
        )

    def _paths(self, history: Array, features: Array, n: int, numbers: Numbers) -> Array:
        from ._gru import paths_of

        values, known, log_scale, scale = self._scaled(history, features)
        at_once = max(1, _ROWS_AT_ONCE // n)
        found = [
            paths_of(
                self._network,
                values[first : first + at_once],
                known[first : first + at_once],
                log_scale[first : first + at_once],
                self._drawn(numbers.part(first, first + at_once), n),
            ).numpy()
            for first in range(0, len(history), at_once)
        ]
        paths: Array = np.concatenate(found) * scale[:, None, None]
        return paths

    def notes(self) -> list[str]:
        """How long it was trained."""
        return [f"{self._steps:,} training steps, loss {self._loss:.3f} a value at the end"]

    def _scaled(self, history: Array, features: Array) -> tuple[Tensor, Tensor, Tensor, Array]:
        """Values (N, H, C), features (N, H + L, K), the logarithm of the scale, and the scale (N, C)."""
        import torch

        scale = np.abs(history).mean(1)
        scale = np.where(scale > 1e-6 * self._unit, scale, self._unit)
        known = (features - self._known) / self._known_scale
        log_scale = np.log(scale / self._unit)
        values = torch.from_numpy(history / scale[:, None])
        return values, torch.from_numpy(known), torch.from_numpy(log_scale), scale

    def _drawn(self, numbers: Numbers, n: int) -> Any:
        """From degrees of freedom to standardised errors (N, n, L, C)."""
        import torch
        from scipy.special import stdtrit

        shape = (n, self._horizon, self._channels)
        count = self._horizon * self._channels

        def errors(freedom: Tensor | None) -> Tensor:
            if freedom is None:
                return torch.from_numpy(numbers.normal("errors", n, count)).reshape(-1, *shape)
            share = numbers.uniform("errors", n, count).reshape(-1, *shape)
            return torch.from_numpy(stdtrit(freedom.numpy(), share))

        return errors
