r"""The values themselves, each feature on a common scale.

    standardise   z = (x − mean)/sd
    minmax        z = 2 (x − min)/(max − min) − 1
    robust        z = (x − median)/(1.349⁻¹ IQR)
    quantile      z = Φ⁻¹(F̂(x)), F̂ the empirical distribution, piecewise linear between its knots

`quantile` makes every marginal standard normal. Equal values share one knot at the middle of their
step, and beyond the outermost knots the map goes on with the mean slope of the outer hundredth, so
that it inverts everywhere.

References:
    Bogachev, Kolesnikov, Medvedev (2005). Triangular transformations of measures (the quantile map
    as optimal transport in one dimension)
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

Method = Literal["standardise", "minmax", "robust", "quantile"]

_KNOTS = 2001
_TAIL = 0.01
_IQR_OF_NORMAL = 1.3489795003921634


@register("preprocessing", "raw")
class RawPreprocessor(BasePreprocessor):
    """Each feature on a common scale, fitted on the training part; inverts to rounding.

    Args:
        method: standardise, minmax (to [-1, 1]), robust (median and quartiles) or quantile
            (marginals become standard normal).
    """

    def __init__(self, method: Method = "standardise") -> None:
        self.method = method

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> RawPreprocessor:
        """Learn each feature's scale; see `BasePreprocessor.fit`."""
        x = x.double()
        rows = x.transpose(0, 1).flatten(1)  # (C, N·L)
        given = torch.ones_like(rows, dtype=torch.bool)
        if valid is not None:
            given = valid.expand_as(x).transpose(0, 1).flatten(1)
        columns = [row[mask] for row, mask in zip(rows, given, strict=True)]
        if self.method == "quantile":
            knots = [_quantile_knots(column) for column in columns]
            longest = max(len(values) for values, _ in knots)
            self.values_ = torch.stack([_padded(values, longest) for values, _ in knots])
            self.scores_ = torch.stack([_padded(scores, longest) for _, scores in knots])
            return self
        pairs = [_location_and_scale(column, self.method) for column in columns]
        self.location_ = torch.stack([location for location, _ in pairs])[:, None]
        self.scale_ = torch.stack([scale for _, scale in pairs])[:, None]
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to a common scale."""
        if self.method == "quantile":
            return _interpolate(x, self.values_, self.scores_)
        return (x - self.location_.to(x)) / self.scale_.to(x)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From the common scale to the user's units."""
        if self.method == "quantile":
            return _interpolate(z, self.scores_, self.values_)
        return z * self.scale_.to(z) + self.location_.to(z)

    def log_det(self, x: Series) -> Tensor:
        """Log |det ∂z/∂x| of each member, (B,)."""
        if self.method == "quantile":
            return torch.log(_slopes(x, self.values_, self.scores_)).sum((1, 2))
        return -x.shape[-1] * torch.log(self.scale_).sum().to(x).expand(len(x))


def _location_and_scale(column: Tensor, method: Method) -> tuple[Tensor, Tensor]:
    if method == "minmax":
        low, high = column.min(), column.max()
        return 0.5 * (low + high), 0.5 * (high - low)
    if method == "robust":
        low, middle, high = _quantiles(column, torch.tensor([0.25, 0.5, 0.75], dtype=column.dtype))
        spread = (high - low) / _IQR_OF_NORMAL
        return middle, spread if spread > 0 else column.std(correction=0)
    return column.mean(), column.std(correction=0)


def _quantiles(column: Tensor, q: Tensor) -> Tensor:
    """Linear-interpolated quantiles; torch.quantile refuses more than 2²⁴ values."""
    ordered = column.sort().values
    position = q * (len(ordered) - 1)
    low = position.floor().long().clamp(max=len(ordered) - 1)
    return torch.lerp(ordered[low], ordered[(low + 1).clamp(max=len(ordered) - 1)], position - low)


def _quantile_knots(column: Tensor) -> tuple[Tensor, Tensor]:
    """Increasing values and their normal scores, with one knot beyond each end."""
    values, counts = torch.unique(column, return_counts=True)
    middle = (counts.cumsum(0) - 0.5 * counts) / counts.sum()
    scores = torch.special.ndtri(middle)
    if len(values) > _KNOTS:
        chosen = torch.linspace(0, len(values) - 1, _KNOTS, dtype=torch.float64).round().long()
        tails = torch.arange(_KNOTS // 20)
        chosen = torch.unique(torch.cat((chosen, tails, len(values) - 1 - tails)))
        values, scores = values[chosen], scores[chosen]
    low_slope, high_slope = _tail_slopes(values, scores)
    step = torch.tensor([8.0], dtype=scores.dtype)
    values = torch.cat((values[:1] - low_slope * step, values, values[-1:] + high_slope * step))
    return values, torch.cat((scores[:1] - step, scores, scores[-1:] + step))


def _tail_slopes(values: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Mean dx/dz of the outer hundredth on each side."""
    if len(values) == 1:
        return torch.ones_like(values[0]), torch.ones_like(values[0])
    cut = torch.special.ndtri(torch.tensor(_TAIL, dtype=scores.dtype))
    low = int(torch.searchsorted(scores, cut).clamp(1, len(scores) - 1))
    high = int(torch.searchsorted(scores, -cut).clamp(0, len(scores) - 2))
    return (
        (values[low] - values[0]) / (scores[low] - scores[0]),
        (values[-1] - values[high]) / (scores[-1] - scores[high]),
    )


def _padded(knots: Tensor, length: int) -> Tensor:
    """Repeat the last segment's slope, so that all features have equally many knots."""
    missing = length - len(knots)
    step = knots[-1] - knots[-2]
    return torch.cat((knots, knots[-1] + step * torch.arange(1, missing + 1, dtype=knots.dtype)))


def _segments(x: Series, knots: Tensor) -> Tensor:
    """Index of the segment that holds each value, (B, C, L)."""
    rows = x.detach().transpose(0, 1).flatten(1).contiguous()
    found = torch.searchsorted(knots, rows.to(knots.dtype), right=True) - 1
    found = found.clamp(0, knots.shape[1] - 2)
    return found.unflatten(1, (x.shape[0], x.shape[2])).transpose(0, 1)


def _interpolate(x: Series, knots: Tensor, images: Tensor) -> Series:
    """Piecewise linear map of each feature, differentiable, extrapolated at both ends."""
    knots, images = knots.to(x.device), images.to(x.device)
    segment = _segments(x, knots)
    start, end = _pick(knots, segment), _pick(knots, segment + 1)
    low, high = _pick(images, segment), _pick(images, segment + 1)
    return (low + (x - start) * ((high - low) / (end - start))).to(x.dtype)


def _slopes(x: Series, knots: Tensor, images: Tensor) -> Tensor:
    knots, images = knots.to(x.device), images.to(x.device)
    segment = _segments(x, knots)
    rise = _pick(images, segment + 1) - _pick(images, segment)
    return rise / (_pick(knots, segment + 1) - _pick(knots, segment))


def _pick(table: Tensor, index: Tensor) -> Tensor:
    """table[c, index[b, c, l]]."""
    channels = torch.arange(table.shape[0], device=index.device)[:, None]
    return table[channels, index]
