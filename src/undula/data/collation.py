"""From batches in the user's units and layout to tensors (B, C, L) and a condition.

The transpose happens here and nowhere else. Condition parts are standardised with statistics of
the training part; the target columns are left in their units for the preprocessing.
"""

from __future__ import annotations

__all__ = ["Collator"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..core.condition import Condition, Layout
from ..core.errors import DataError
from .start import StartValues
from .stretches import Series, usual_step
from .table import Panel
from .windows import Batch, WindowDataset

Array = NDArray[np.floating[Any]]

_ALIKE = 1.4
"""Ratio up to which usual steps are the same: months, and days without weekends."""


@dataclass
class Collator:
    """What batches look like, and the scales of their condition parts.

    Args:
        columns: names of the C target columns.
        known: names of features known for the future.
        past: names of features known for the history.
        static: names of features constant within a series.
        history_len: H.
        length: L, None where it varies.
        masked: whether training data have missing values, told to the network as a mask.
        location: means of the C target columns and K features, (C + K,).
        scale: their standard deviations, (C + K,).
        start: what is told of the row before a window.
        step: usual distance of the training rows, in seconds where their times are dates; None: not known.
    """

    columns: list[str]
    known: list[str] = field(default_factory=list)
    past: list[str] = field(default_factory=list)
    static: list[str] = field(default_factory=list)
    history_len: int = 0
    length: int | None = None
    masked: bool = False
    location: list[float] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)
    start: StartValues = field(default_factory=StartValues)
    step: float | None = None

    @classmethod
    def fit(cls, panel: Panel, train: WindowDataset) -> Collator:
        """Learn the scales from the training part."""
        told = train.told()
        some = train.some()
        targets = np.concatenate([some.history, some.future], axis=1)
        rows = np.concatenate([targets, some.features], axis=-1).astype(float)
        rows = rows.reshape(-1, rows.shape[-1])
        scale = np.nanstd(rows, axis=0)
        present = np.isnan(some.future)
        if some.exists is not None:
            present &= some.exists[..., None]
        return cls(
            columns=list(panel.columns),
            known=list(panel.known),
            past=list(panel.past),
            static=list(panel.static),
            history_len=train.history_len,
            length=train.length,
            masked=bool(present.any()),
            location=np.nanmean(rows, axis=0).tolist(),
            scale=np.where(scale > 0, scale, 1.0).tolist(),
            start=StartValues() if told is None else StartValues.fit(panel.start, panel.start_scale, told),
            step=usual_step(panel.series),
        )

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Collator:
        """The collator that `as_json` has described; TypeError if it has not."""
        return cls(**{**description, "start": StartValues(**description.get("start", {}))})

    def as_json(self) -> dict[str, Any]:
        """Everything as numbers, names and lists."""
        return asdict(self)

    @property
    def layout(self) -> Layout:
        """The shapes that a network is built for."""
        channels, known = len(self.columns), len(self.known)
        sequence, aligned, static = {}, {}, {}
        if self.history_len:
            width = channels * (2 if self.masked else 1) + known + len(self.past)
            sequence["history"] = (width, self.history_len)
        if known:
            aligned["covariates"] = known
        if self.masked:
            aligned["observed"] = channels
        if self.static:
            static["static"] = len(self.static)
        if self.start.columns:
            static["at_start"] = len(self.start.columns)
        return Layout(
            channels=channels, length=self.length, sequence=sequence, aligned=aligned, static=static
        )

    def targets(self, batch: Batch) -> tuple[Tensor, Tensor | None]:
        """The windows (B, C, L) in units, the mean where missing, and True where they have a value."""
        x = torch.from_numpy(np.ascontiguousarray(batch.future)).transpose(1, 2)
        missing = torch.isnan(x)
        if not missing.any():
            return x, None
        mean = torch.tensor(self.location[: len(self.columns)], dtype=x.dtype)[:, None]
        return torch.where(missing, mean, x), ~missing

    def condition(self, batch: Batch, valid: Tensor | None = None) -> Condition | None:
        """What the network is told of a batch; None for an unconditional model of whole windows.

        Args:
            batch: windows; their future target values are not read.
            valid: True where the windows have a value; None: everywhere.
        """
        layout = self.layout
        if not layout.parts and valid is None and batch.exists is None:
            return None
        exists = None if batch.exists is None else torch.from_numpy(batch.exists)[:, None]
        channels, known, h = len(self.columns), len(self.known), self.history_len
        features = self._scaled(batch.features, channels)
        sequence, aligned, static, earlier, units = {}, {}, {}, None, {}
        if "history" in layout.sequence:
            past = self._scaled(batch.history, 0)
            parts = [np.nan_to_num(past), features[:, :h, : known + len(self.past)]]
            if self.masked:
                parts.append((~np.isnan(past)).astype(past.dtype))
            sequence["history"] = _channels_first(np.concatenate(parts, axis=-1))
            earlier = torch.from_numpy(np.ascontiguousarray(batch.history)).transpose(1, 2)
        if known:
            aligned["covariates"] = _channels_first(np.nan_to_num(features[:, h:, :known]))
            rows = _channels_first(batch.features[:, h:, :known])
            units = {name: rows[:, k : k + 1] for k, name in enumerate(self.known)}
        if self.masked:
            shape = (len(batch.index), channels, batch.future.shape[1])
            whole = torch.ones(shape) if valid is None else valid.expand(shape).float()
            aligned["observed"] = whole
        if self.static:
            static["static"] = torch.from_numpy(features[:, 0, known + len(self.past) :]).float()
        if batch.start is not None:
            static["at_start"] = torch.from_numpy(self.start.scaled(batch.start)).float()
        return Condition(
            sequence=sequence,
            aligned=aligned,
            static=static,
            exists=exists,
            valid=valid,
            past=earlier,
            known=units,
        )

    def empty_batch(self, n: int, length: int) -> Batch:
        """Windows of zeros, for sampling without a condition."""
        rows = self.history_len + length
        return Batch(
            history=np.zeros((n, self.history_len, len(self.columns))),
            future=np.zeros((n, length, len(self.columns))),
            features=np.zeros((n, rows, len(self.known) + len(self.past) + len(self.static))),
            exists=None,
            index=np.arange(n),
            start=self.start.middle(n) if self.start.columns else None,
        )

    def check_step(self, series: Sequence[Series], what: str) -> None:
        """Refuse rows that lie further apart, or closer, than those that the model was trained on.

        Args:
            series: stretches of the data.
            what: they are, for the message: "the history".

        Raises:
            DataError: if they do.
        """
        step = usual_step(series)
        if self.step is None or step is None or not self.step > 0:
            return
        if not 1 / _ALIKE < step / self.step < _ALIKE:
            raise DataError(
                f"{what} has a row every {_in_words(step)}, the model was trained on one every "
                f"{_in_words(self.step)}: resample it"
            )

    def _scaled(self, values: Array, first: int) -> Array:
        columns = slice(first, first + values.shape[-1])
        scaled: Array = (values - np.array(self.location)[columns]) / np.array(self.scale)[columns]
        return scaled


def _in_words(seconds: float) -> str:
    """A step: 1 hour, 2 days."""
    for unit, size in (("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}{'' if seconds == size else 's'}"
    return f"{seconds:.3g} seconds"


def _channels_first(values: Array) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(values)).transpose(1, 2).float()
