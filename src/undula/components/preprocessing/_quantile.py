r"""The map of a marginal to the standard normal, with atoms.

    z = Φ⁻¹(F(x)),  F the empirical distribution, linear in (x, z) between its values

A value of probability p > 0, an atom, has no single image: it owns the interval
[Φ⁻¹(F(a−)), Φ⁻¹(F(a))] of normal scores. The inverse maps the whole interval to exactly a, so a model
of a smooth density in z gives the atom the mass it has. The transform puts a at the interval's middle,
Φ⁻¹(F(a−) + p/2): the same value always has the same image, so a series that rests on an atom rests in
z, and nothing is added that the model would have to learn.

Gradients are those of the line through the middles of neighbouring values: exact where the marginal is
continuous, and inside an atom's interval a slope that guidance can follow.

Every row's own value bends the map. Where a series lingers at some levels and leaps over others, as a price
does, that is the path's shape rather than the marginal's, and small steps in z become large ones in x: few
`knots` keep the map smooth, and leave the rest to the model. Even a smooth one bends: where steps are small
beside the spread of a column that wanders, they become as large as the path was dense there. Such columns
(root mean square step below the share `wander` of the standard deviation) keep to a straight line.

Beyond the outermost values the map goes on with the mean slope of the outer part (`linear`: x is
locally Gaussian there), or the outer part is described by a generalised Pareto law (`gpd`),

    P(x > u + y | x > u) = (1 + ξ y/β)^(−1/ξ),   ξ, β from probability-weighted moments, ξ ∈ [0, 0.45],

in place of the empirical distribution, unless there are atoms in it. What lies beyond a column's bounds is
cut off by its grid.

References:
    Bogachev, Kolesnikov, Medvedev (2005). Triangular transformations of measures.
    Hosking, Wallis (1987). Parameter and quantile estimation for the generalized Pareto distribution.
    doi:10.1080/00401706.1987.10488243
    McNeil, Frey (2000). Estimation of tail-related risk measures. doi:10.1016/S0927-5398(00)00012-8
"""

from __future__ import annotations

__all__ = ["KNOTS", "NormalScores", "Tails", "quantiles"]

import math
from typing import Literal

import torch
from torch import Tensor

from ...core.component import Component
from ...core.errors import DataError
from ...core.types import Mask, Series
from ._rows import Column, columns_of

Tails = Literal["linear", "gpd"]

KNOTS = 2001
_FEWEST_OF_ATOM, _FEWEST_IN_TAIL = 3, 20
_LARGEST_SHAPE = 0.45
_REACH = 8.0
_EDGE = 1e-5
"""Share of an atom's mass at either edge that joins it to its neighbours, so that a value between two
atoms has an image that inverts."""


class NormalScores(Component):
    """Marginals to standard normal, fitted on training series; a part of a preprocessor.

    Attributes:
        knots_: of each channel, rising, +inf at the end of shorter ones, (C, K, 4): a value, the middle of
            its interval in z, where that begins and where it ends (the middle, if it is no atom).

    Args:
        tails: linear or gpd.
        tail: the outer share of the rows on either side, which says how the map goes on.
        atom: the least share of the rows that makes a value an atom.
        knots: the most knots besides atoms; few make a smooth map.
        wander: the step, as a share of the spread, below which a column keeps to a straight line.
    """

    knots_: Tensor

    def __init__(
        self,
        tails: Tails = "linear",
        tail: float = 0.02,
        atom: float = 0.005,
        knots: int = KNOTS,
        wander: float = 0.0,
    ) -> None:
        self.tails, self.tail, self.atom, self.knots, self.wander = tails, tail, atom, knots, wander

    def fit(self, x: Series, valid: Mask | None = None) -> NormalScores:
        """Learn each channel's distribution.

        Args:
            x: training series.
            valid: True where x has a value; None: everywhere.
        """
        wanders = step_share(x, valid) < self.wander
        knots = [
            _straight(column.values) if wandering else self._knots(column)
            for column, wandering in zip(columns_of(x, valid), wanders.tolist(), strict=True)
        ]
        longest = max(k.shape[1] for k in knots)
        padded = [torch.nn.functional.pad(k, (0, longest - k.shape[1]), value=math.inf) for k in knots]
        self.knots_ = torch.stack(padded).mT.contiguous()
        return self

    def transform(self, x: Series, tolerance: float = 0.0) -> Series:
        """The normal scores of x.

        Args:
            x: series.
            tolerance: within which a value is a knot's own; at least rounding.
        """
        exact = _rows(x)
        left, right = self._around(exact, 0, tolerance)
        z = left[3] + (exact - left[0]) / (right[0] - left[0]) * (right[2] - left[3])
        rounding = 4.0 * torch.finfo(x.dtype).eps
        for value, middle, _, _ in (left, right):
            near = (exact - value).abs() <= (rounding * value.abs()).clamp(min=tolerance)
            z = torch.where(near, middle, z)
        return _as_series(z, x) + (x - x.detach()) / _as_series(_slope(left, right), x)

    def inverse_transform(self, z: Series) -> Series:
        """The values whose normal scores are z."""
        exact = _rows(z)
        left, right = self._around(exact, 1)
        x = left[0] + (exact - left[3]) / (right[2] - left[3]) * (right[0] - left[0])
        for value, _, low, high in (left, right):
            x = torch.where((low <= exact) & (exact <= high), value, x)
        return _as_series(x, z) + (z - z.detach()) * _as_series(_slope(left, right), z)

    def log_det(self, x: Series, tolerance: float = 0.0) -> Tensor:
        """Log |det ∂z/∂x| of each member, (B,); for atoms, of the line through the middles."""
        return -_as_series(_slope(*self._around(_rows(x), 0, tolerance)).log(), x).sum((1, 2))

    def _around(
        self, rows: Tensor, by: int, tolerance: float = 0.0
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """The knots on either side of rows (C, n), found by their values (0) or their middles (1)."""
        knots = self.knots_.to(rows.device)
        sought = knots[..., by].contiguous()
        last = (~torch.isinf(sought)).sum(1, keepdim=True) - 2
        index = (torch.searchsorted(sought, rows + tolerance, right=True) - 1).clamp(min=0).minimum(last)
        channels = torch.arange(len(knots), device=rows.device)[:, None]
        return knots[channels, index].unbind(-1), knots[channels, index + 1].unbind(-1)

    def _knots(self, column: Column) -> Tensor:
        """Value, middle, low and high of a channel's knots, (4, K)."""
        values, counts = torch.unique(column.values, return_counts=True)
        total = int(counts.sum())
        upper = counts.cumsum(0) / total
        lower = upper - counts / total
        middle = torch.special.ndtri(0.5 * (lower + upper))
        atom = counts >= max(_FEWEST_OF_ATOM, self.atom * total)
        edge = _EDGE * (upper - lower)
        least = 0.5 / total
        low = torch.special.ndtri((lower + edge).clamp(min=least))
        high = torch.special.ndtri((upper - edge).clamp(max=1.0 - least))
        knots = torch.stack((values, middle, torch.where(atom, low, middle), torch.where(atom, high, middle)))
        knots = self._with_upper_tail(_thinned(knots, atom, self.knots), column.values)
        return _mirrored(self._with_upper_tail(_mirrored(knots), -column.values))

    def _with_upper_tail(self, knots: Tensor, rows: Tensor) -> Tensor:
        """The knots, going on above their last one."""
        cut = -float(torch.special.ndtri(torch.tensor(self.tail, dtype=torch.float64)))
        outer = knots[3] > cut
        if self.tails == "gpd" and not bool((knots[2] < knots[3])[outer].any()):
            return _with_pareto_tail(knots, rows, self.tail, cut)
        if knots.shape[1] == 1:
            slope = torch.ones_like(knots[0, 0])
        else:
            start = int(torch.searchsorted(knots[1], cut).clamp(0, knots.shape[1] - 2))
            slope = (knots[0, -1] - knots[0, start]) / (knots[1, -1] - knots[1, start])
        beyond = knots[3, -1] + _REACH
        value = knots[0, -1] + slope * _REACH
        return torch.cat((knots, torch.stack((value, beyond, beyond, beyond))[:, None]), dim=1)


def step_share(x: Series, valid: Mask | None = None) -> Tensor:
    """Root mean square step of each channel over its standard deviation, (C,); 1 for a constant one."""
    exists = torch.ones_like(x, dtype=torch.bool) if valid is None else valid.expand_as(x)
    both = exists[..., 1:] & exists[..., :-1]
    steps = torch.where(both, x[..., 1:] - x[..., :-1], 0.0).double()
    size = (steps.square().sum((0, 2)) / both.sum((0, 2)).clamp(min=1)).sqrt()
    spread = torch.stack([x[:, c][exists[:, c]].double().std(correction=0) for c in range(x.shape[1])])
    return torch.where(spread > 0, size / torch.where(spread > 0, spread, 1.0), 1.0)


def _straight(values: Tensor) -> Tensor:
    """Two knots of the line through mean and standard deviation, (4, 2)."""
    mean, spread = values.mean(), values.std(correction=0)
    z = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    return torch.stack((mean + spread * z, z, z, z))


def _rows(x: Series) -> Tensor:
    """Series (B, C, L) as rows (C, B·L), float64, without gradient."""
    return x.detach().double().transpose(0, 1).flatten(1).contiguous()


def _as_series(rows: Tensor, like: Series) -> Series:
    """Back again."""
    return rows.unflatten(1, (like.shape[0], like.shape[2])).transpose(0, 1).to(like.dtype)


def _slope(left: tuple[Tensor, ...], right: tuple[Tensor, ...]) -> Tensor:
    """∂x/∂z of the line through the middles."""
    return (right[0] - left[0]) / (right[1] - left[1])


def _thinned(knots: Tensor, atom: Tensor, most: int) -> Tensor:
    """All atoms, and of very many knots some, closer together in the tails."""
    count = knots.shape[1]
    if count <= most:
        return knots
    chosen = torch.linspace(0, count - 1, most, dtype=torch.float64).round().long()
    outer = torch.arange(most // 20)
    chosen = torch.unique(torch.cat((chosen, outer, count - 1 - outer, atom.nonzero()[:, 0])))
    return knots[:, chosen]


def _mirrored(knots: Tensor) -> Tensor:
    """The knots of −x."""
    return -knots.flip(1)[[0, 1, 3, 2]]


def _with_pareto_tail(knots: Tensor, rows: Tensor, share: float, cut: float) -> Tensor:
    """The knots up to the outer share of the rows, and a generalised Pareto law beyond."""
    threshold = quantiles(rows, [1.0 - share])[0]
    excess = (rows[rows > threshold] - threshold).sort().values
    n = len(excess)
    if n < _FEWEST_IN_TAIL:
        raise DataError(
            f"tails: gpd needs {_FEWEST_IN_TAIL} different rows in either tail, and the outer {share:.1%} of "
            f"{len(rows):,} hold {n}: use tails: linear, a larger tail, or more data"
        )
    rank = 1.0 - (torch.arange(1, n + 1, dtype=torch.float64) - 0.35) / n
    mean, weighted = excess.mean(), (rank * excess).mean()
    shape = float((2.0 - mean / (mean - 2.0 * weighted)).clamp(0.0, _LARGEST_SHAPE))
    scale = mean * (1.0 - shape)
    z = torch.linspace(cut, cut + _REACH, 129, dtype=torch.float64)
    log_ratio = math.log(share) - torch.special.log_ndtr(-z)  # −log of the probability within the tail
    value = threshold + scale * (torch.expm1(shape * log_ratio) / shape if shape > 0 else log_ratio)
    inner = knots[:, (knots[1] < cut - 1e-9) & (knots[0] < threshold)]
    return torch.cat((inner, torch.stack((value, z, z, z))), dim=1)


def quantiles(rows: Tensor, q: list[float]) -> Tensor:
    """Linear-interpolated quantiles; torch.quantile refuses more than 2²⁴ values."""
    ordered = rows.sort().values
    position = torch.tensor(q, dtype=rows.dtype, device=rows.device) * (len(rows) - 1)
    low = position.floor().long()
    return torch.lerp(ordered[low], ordered[(low + 1).clamp(max=len(rows) - 1)], position - low)
