r"""Increments of a series, which sum back to it from where it stood before the window.

    y = f(x),   z_i = (y_i − y_{i−m} − μ)/σ,   lag m;   backwards: sums from the anchor y_{1−m} … y_0

With a history the anchor is its last value (for a lag of m its last m values; where one is missing, the
last that is there), which is known when sampling: L increments for L steps. Without one the first m steps
of the window are kept themselves, with a location and scale of their own, and L − m increments follow.
Which of the two it is, is decided when fitting. A model fitted with a history and asked for samples
without one starts from the end of the last training window.
"""

from __future__ import annotations

__all__ = ["IncrementsPreprocessor"]

from abc import abstractmethod

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import DataError, IncompatibleError
from ...core.preprocessing import BasePreprocessor
from ...core.types import Mask, Series


class IncrementsPreprocessor(BasePreprocessor):
    """Standardised increments of f(x)."""

    pointwise = False
    lag: int = 1

    @abstractmethod
    def _scale_of(self, x: Tensor) -> Tensor:
        """f(x), increasing, of each value on its own."""

    @abstractmethod
    def _values_of(self, y: Tensor) -> Tensor:
        """The inverse of f."""

    @abstractmethod
    def _log_slope(self, x: Tensor) -> Tensor:
        """Log f'(x)."""

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> IncrementsPreprocessor:
        """Learn the increments' location and scale, and whether there is a history."""
        x, lag = x.double(), self.lag
        past = None if condition is None else condition.past
        if x.shape[-1] <= lag and past is None:
            raise IncompatibleError(
                f"windows of {x.shape[-1]} steps have no increments of lag {lag}: use longer windows"
            )
        y = self._scale_of(x)
        self.with_history_ = torch.tensor(past is not None)
        self.start_ = y[-1, :, -lag:].clone()
        whole = y if past is None else torch.cat((self._anchor(y, condition), y), dim=-1)
        self.location_, self.scale_ = _moments(whole[..., lag:] - whole[..., :-lag])
        if bool((self.scale_ <= 0).any()):
            raise DataError(
                f"column number {int((self.scale_ <= 0).nonzero()[0, 0]) + 1} has increments of one value "
                "only: leave it out, or use preprocessing: raw"
            )
        if past is None:  # windows that all start at one value leave no scale of its own
            self.first_location_, first = _moments(y[..., :lag])
            self.first_scale_ = torch.where(first > 0, first, self.scale_)
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to standardised increments."""
        y, lag = self._scale_of(x), self.lag
        if bool(self.with_history_):
            whole = torch.cat((self._anchor(y, condition), y), dim=-1)
            return self._standard(whole[..., lag:] - whole[..., :-lag])
        first = (y[..., :lag] - self.first_location_.to(y)) / self.first_scale_.to(y)
        return torch.cat((first, self._standard(y[..., lag:] - y[..., :-lag])), dim=-1)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From standardised increments to the user's units."""
        increments, lag = z * self.scale_.to(z) + self.location_.to(z), self.lag
        if bool(self.with_history_):
            anchor = self._anchor(z, condition)
        else:
            anchor = z[..., :lag] * self.first_scale_.to(z) + self.first_location_.to(z)
            increments = increments[..., lag:]
        steps = torch.cat((anchor, increments), dim=-1)
        padded = F.pad(steps, (0, -steps.shape[-1] % lag)).unflatten(-1, (-1, lag))
        y = padded.cumsum(-2).flatten(-2)[..., : steps.shape[-1]]
        return self._values_of(y[..., lag:] if bool(self.with_history_) else y)

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Σ log f'(x) − Σ log σ, (B,): each increment depends on its step and earlier ones."""
        slopes = self._log_slope(x).sum((1, 2))
        length, lag = x.shape[-1], 0 if bool(self.with_history_) else self.lag
        stretch = (length - lag) * self.scale_.log().sum()
        if lag:
            stretch = stretch + lag * self.first_scale_.log().sum()
        return slopes - stretch.to(x)

    def _standard(self, increments: Tensor) -> Tensor:
        return (increments - self.location_.to(increments)) / self.scale_.to(increments)

    def _anchor(self, like: Tensor, condition: Condition | None) -> Tensor:
        """The last values before the window on f's scale, (B, C, lag)."""
        lag = self.lag
        if condition is None or condition.past is None:
            return self.start_.to(like).expand(like.shape[0], -1, -1)
        past = condition.past.to(like)
        if past.shape[-1] < lag:
            raise IncompatibleError(
                f"increments of lag {lag} need a history of {lag} steps, this has {past.shape[-1]}: set "
                f"data.history_len: {lag} or more"
            )
        turns = past[..., past.shape[-1] % lag :].unflatten(-1, (-1, lag))
        there = ~torch.isnan(turns)
        if not bool(there.any(-2).all()):
            raise DataError(
                "a history has no value to start from: its values are all missing. Give at least the last "
                f"{'value' if lag == 1 else f'{lag} values'} before the window"
            )
        number = torch.arange(1, turns.shape[-2] + 1, device=like.device)[:, None]
        last = (there * number).argmax(-2, keepdim=True)
        return self._scale_of(turns.gather(-2, last)[..., 0, :])


def _moments(y: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, (C, 1)."""
    rows = y.transpose(0, 1).flatten(1)
    return rows.mean(1, keepdim=True), rows.std(1, correction=0, keepdim=True)
