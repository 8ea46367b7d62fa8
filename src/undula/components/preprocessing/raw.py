r"""The values themselves, each feature on a common scale.

    none          z = x
    standardise   z = (x − mean)/sd
    minmax        z = 2 (x − min)/(max − min) − 1
    robust        z = (x − median)/(1.349⁻¹ IQR)
    quantile      z = Φ⁻¹(F̂(x)): the component `quantile` with its defaults

The inverse rounds to the values that a column can take, its grid, levels and bounds, where the
training data speak for one; `_grid` says what counts as evidence.
"""

from __future__ import annotations

__all__ = ["RawPreprocessor"]

from typing import Literal

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.preprocessing import BasePreprocessor
from ...core.registry import register
from ...core.types import Mask, Series
from ._grid import Snap, ValueGrid
from ._quantile import NormalScores, quantiles

Method = Literal["none", "standardise", "minmax", "robust", "quantile"]

_IQR_OF_NORMAL = 1.3489795003921634


@register("preprocessing", "raw")
class RawPreprocessor(BasePreprocessor):
    """Each feature on a common scale, fitted on the training part; inverts to possible values.

    Args:
        method: standardise, minmax (to [-1, 1]), robust (median and quartiles), quantile (marginals
            become standard normal), or none (as a pipeline's first step it rounds what the others
            return).
        snap: whether the inverse rounds to the values that a column can take: auto where the
            training data speak for it, true in every column or refused, false nowhere.
    """

    def __init__(self, method: Method = "standardise", snap: Snap = "auto") -> None:
        self.method, self.snap = method, snap
        self.normal = NormalScores()
        self.grid = ValueGrid()
        self.snaps = snap is not False or method == "quantile"

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> RawPreprocessor:
        """Learn each feature's scale and values; see `BasePreprocessor.fit`."""
        self.grid.fit(x, valid, self.snap, self.columns)
        if self.method == "quantile":
            self.normal.fit(x, valid)
            return self
        x = x.double()
        rows = x.transpose(0, 1).flatten(1)  # (C, N·L)
        given = torch.ones_like(rows, dtype=torch.bool)
        if valid is not None:
            given = valid.expand_as(x).transpose(0, 1).flatten(1)
        pairs = [_location_and_scale(row[mask], self.method) for row, mask in zip(rows, given, strict=True)]
        self.location_ = torch.stack([location for location, _ in pairs])[:, None]
        self.scale_ = torch.stack([scale for _, scale in pairs])[:, None]
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to a common scale."""
        if self.method == "quantile":
            return self.normal.transform(x)
        return (x - self.location_.to(x)) / self.scale_.to(x)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From the common scale to the user's units, in which only possible values occur."""
        if self.method == "quantile":
            return self.grid.snap(self.normal.inverse_transform(z))
        return self.grid.snap(z * self.scale_.to(z) + self.location_.to(z))

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Log |det ∂z/∂x| of each member, (B,)."""
        if self.method == "quantile":
            return self.normal.log_det(x)
        return -x.shape[-1] * torch.log(self.scale_).sum().to(x).expand(len(x))

    def notes(self) -> list[str]:
        """What values the features can take."""
        return self.grid.words(self.columns)


def _location_and_scale(column: Tensor, method: Method) -> tuple[Tensor, Tensor]:
    if method == "none":
        return torch.zeros_like(column[0]), torch.ones_like(column[0])
    if method == "minmax":
        low, high = column.min(), column.max()
        return 0.5 * (low + high), 0.5 * (high - low)
    if method == "robust":
        low, middle, high = quantiles(column, [0.25, 0.5, 0.75])
        spread = (high - low) / _IQR_OF_NORMAL
        return middle, spread if spread > 0 else column.std(correction=0)
    return column.mean(), column.std(correction=0)
