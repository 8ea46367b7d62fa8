r"""Which values a column can take at all: its steps, its levels, its bounds.

Prices have two decimals, counts are whole numbers, a switch is on or off, rain is never negative.
A model of real numbers knows none of this, so what it returns is rounded to what is possible.

A claim needs evidence, because a wrong one spoils good samples and a missed one costs little:

* *decimals* d: every value lies within its rounding of a multiple of 10^−d, and n values that could
  be anything would do so with a probability Π 2 tol_i/10^−d below 10⁻¹⁰;
* *step* g: all differences are multiples of g, which n integers are by chance with g^−(n−1) < 10⁻⁹; or all
  values (but for one in a hundred, if it was there once) are o + k g, rounded to the decimals, for a real g
  (°F in °C, what a sensor resolves): see `_lattice`;
* *levels*: at most 32 different values, each visited 5 times or more, that leave most of their grid
  (or the real line) free; two values that are both visited so often are levels always;
* *bounds*: the data come to their extreme value as to a wall. With visits c₀, c₁, c₂ of the extreme
  level and its neighbours, a distribution whose tail goes on as it came (log-quadratic) would visit
  the next level c₀ · min(1, c₀/c₁) · min(1, c₀c₂/c₁²) times; a bound is where that is 20 or more, and
  none was seen. The extreme of a sample as such is no bound.
* *twins*: two columns that are equal in every row, and change their value 20 times or more;
* *sign*: a grid whose extreme is exactly 0, visited 3 times or more, ends there; a grid without a 0 ends
  one step before it if a Gaussian of its mean and spread, drawn as often as the column crosses its
  mean, would have crossed 0 6 times or more.

Steps of values that were not rounded to decimals are not looked for. Values that once were in single
precision and show it (5.827000141143799) are returned so: they are the ones that the data have.
"""

from __future__ import annotations

__all__ = ["Snap", "ValueGrid"]

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from ...core.component import Component
from ...core.errors import DataError
from ...core.types import Mask, Series
from ._lattice import lattice
from ._rows import Column, columns_of

Snap = Literal["auto"] | bool

_DECIMALS = range(11)
_FEWEST_ROWS = 20
_PROBED = 1000
_DIGITS, _STEP_DIGITS = 10.0, 9.0
_MOST_LEVELS, _LEVEL_VISITS = 32, 5
_WALL, _ZEROS, _CROSSINGS = 20.0, 3, 6.0
_FEWEST_CHANGES = 20


class ValueGrid(Component):
    """The values that each channel can take, found in training series; a part of a preprocessor.

    Attributes:
        decimals_: d of each channel, −1 without a grid, (C,).
        step_: in units of 10^−d, to which multiples of a step that is not whole are rounded, (C,).
        offset_: of the grid from 0, in the same units, (C,).
        low_: the least value, −inf without a bound, (C,).
        high_: the greatest, (C,).
        single_: whether the values were written in double precision after single (5.827000141143799), (C,).
        levels_: the only values, if there are few, else nothing; NaN at the end, (C, K).
        twin_: the first channel that each one always equals; its own number without one, (C,).
    """

    decimals_: Tensor
    step_: Tensor
    offset_: Tensor
    low_: Tensor
    high_: Tensor
    single_: Tensor
    levels_: Tensor
    twin_: Tensor

    def fit(
        self, x: Series, valid: Mask | None = None, snap: Snap = "auto", columns: Sequence[str] = ()
    ) -> ValueGrid:
        """Find each channel's values.

        Args:
            x: training series.
            valid: True where x has a value.
            snap: auto; true, if every channel must have some; false, if none is wanted.
            columns: names of the channels, for messages.

        Raises:
            DataError: if `snap` is true and a channel can take any value.
        """
        columns_ = columns_of(x, valid) if snap else [None] * x.shape[1]
        found = [_Found(column) for column in columns_]
        self.decimals_ = torch.tensor([f.decimals for f in found])
        self.step_ = torch.tensor([f.step for f in found], dtype=torch.float64)
        self.offset_ = torch.tensor([f.offset for f in found], dtype=torch.float64)
        self.low_ = torch.tensor([f.low for f in found], dtype=torch.float64)
        self.high_ = torch.tensor([f.high for f in found], dtype=torch.float64)
        self.single_ = torch.tensor([x.dtype == torch.float64 and f.single for f in found])
        width = max(len(f.levels) for f in found)
        rows = [[*f.levels, *[math.nan] * (width - len(f.levels))] for f in found]
        self.levels_ = torch.tensor(rows, dtype=torch.float64).reshape(len(found), width)
        self.twin_ = torch.tensor([_twin(columns_, c) for c in range(len(found))])
        if snap is True and not bool(self.found.all()):
            free = int(self.found.logical_not().nonzero()[0])
            name = repr(columns[free]) if columns else f"number {free + 1}"
            raise DataError(
                f"snap: true, and in column {name} the training data show neither a grid nor bounds: use "
                "snap: auto, or leave the column out"
            )
        return self

    @property
    def found(self) -> Tensor:
        """Whether anything is known of each channel, bool (C,)."""
        bounded = torch.isfinite(self.low_) | torch.isfinite(self.high_)
        twins = self.twin_ != torch.ones_like(self.twin_).cumsum(0) - 1
        return (self.decimals_ >= 0) | bounded | (~self.levels_.isnan()).any(1) | twins

    def snap(self, x: Series) -> Series:
        """The nearest possible values; gradients pass as if nothing had happened."""
        if not bool(self.found.any()):
            return x
        exact = x.detach().double()
        decimals, step, offset, low, high = (
            values.to(x.device)[:, None]
            for values in (self.decimals_, self.step_, self.offset_, self.low_, self.high_)
        )
        unit = torch.pow(torch.tensor(10.0, dtype=torch.float64, device=x.device), decimals.clamp(min=0))
        step, offset = step / unit, offset / unit  # halves are rounded as numpy rounds k·step + offset
        nearest = ((exact - offset) / step).round() * step + offset
        nearest = (nearest * unit).round() / unit
        nearest = torch.where(self.single_.to(x.device)[:, None], nearest.float().double(), nearest)
        nearest = torch.where(decimals >= 0, nearest, exact).clamp(low, high)
        if self.levels_.shape[1]:
            nearest = self._at_levels(exact, nearest)
        possible = nearest.to(x.dtype) + (x - x.detach())
        return possible.index_select(1, self.twin_.to(x.device))

    def _at_levels(self, x: Series, other: Series) -> Series:
        """The nearest level in channels that have levels, else `other`."""
        levels = self.levels_.to(x.device)
        few = ~levels[:, :1].isnan()  # (C, 1), for (B, C, L)
        middles = (0.5 * (levels[:, 1:] + levels[:, :-1])).nan_to_num(math.inf)
        rows = x.transpose(0, 1).flatten(1).contiguous()
        nearest = levels.gather(1, torch.searchsorted(middles, rows))
        return torch.where(few, nearest.unflatten(1, (x.shape[0], x.shape[2])).transpose(0, 1), other)

    def words(self, columns: Sequence[str] = ()) -> list[str]:
        """What was found, a sentence a channel: "price: 2 decimals, not below 0"."""
        names = columns or [f"column {number + 1}" for number in range(len(self.decimals_))]
        told = [(name, self._of_channel(number)) for number, name in enumerate(names)]
        for (_, parts), twin, name in zip(told, self.twin_.tolist(), names, strict=True):
            if names[twin] != name:
                parts.append(f"always equal to {names[twin]}")
        return [f"{name}: {', '.join(parts)}" for name, parts in told if parts]

    def _of_channel(self, c: int) -> list[str]:
        decimals, step, offset = int(self.decimals_[c]), float(self.step_[c]), float(self.offset_[c])

        def number(value: float) -> str:
            return f"{round(value, decimals):.12g}" if decimals >= 0 else f"{value:.6g}"

        levels = self.levels_[c][~self.levels_[c].isnan()].tolist()
        if levels:
            named = [f"{level:.6g}" for level in levels]
            return [f"{', '.join(named[:-1])} or {named[-1]}"]
        parts = []
        if decimals >= 0:
            usual = "whole numbers" if decimals == 0 else f"{decimals} decimal{'s' * (decimals > 1)}"
            start = f" from {number(round(offset) / 10**decimals)}" if round(offset) else ""
            real = f"steps of {step / 10**decimals:.4g}{start} ({usual})"
            whole = usual if step == 1 else f"steps of {number(step / 10**decimals)}{start}"
            parts.append(whole if step.is_integer() else real)
        low, high = float(self.low_[c]), float(self.high_[c])
        if math.isfinite(low):
            first = low == _beside_0(decimals, step, offset, 1) != 0
            parts.append("above 0" if first else f"not below {number(low)}")
        if math.isfinite(high):
            last = high == _beside_0(decimals, step, offset, -1) != 0
            parts.append("below 0" if last else f"not above {number(high)}")
        return parts


class _Found:
    """What is known of one channel; see the module's claims."""

    def __init__(self, column: Column | None) -> None:
        self.decimals, self.step, self.offset = -1, 1.0, 0.0
        self.low, self.high = -math.inf, math.inf
        self.levels: list[float] = []
        self.single = column is not None and column.single
        if column is None or len(column.values) < _FEWEST_ROWS:
            return
        values = torch.unique(column.values)
        self.decimals = _decimals(values, column.single)
        occupied = 0.0
        if self.decimals >= 0:
            exact = (column.values * 10**self.decimals).round() / 10**self.decimals
            column = Column(exact, column.arrivals, column.single)
            values = torch.unique(exact)
            self.step, self.offset = _step(column, values, self.decimals)
            span = float(values[-1] - values[0]) * 10**self.decimals
            occupied = len(values) / (1 + round(span / self.step))
        few = 2 <= len(values) <= _MOST_LEVELS and (len(values) == 2 or occupied <= 0.5)
        if few and float(column.visits(values).min()) >= _LEVEL_VISITS:
            self.levels = values.tolist()
        elif len(values) > 1:
            above, below = (_beside_0(self.decimals, self.step, self.offset, way) for way in (1, -1))
            self.low = _low(column, values[:3], above)
            mirrored = Column(-column.values, column.arrivals, column.single)
            self.high = -_low(mirrored, -values.flip(0)[:3], -below)


def _step(column: Column, values: Tensor, decimals: int) -> tuple[float, float]:
    """Step and offset of distinct values, in units of 10^−decimals; 1 and 0 if nothing speaks for any."""
    units = (values * 10**decimals).round()
    common = int(np.gcd.reduce(np.diff(units.long().numpy()))) if len(units) > 1 else 1
    if (len(units) - 1) * math.log10(common) >= _STEP_DIGITS:
        return float(common), float(units[0]) % common
    found = lattice(units.numpy(), float(units.abs().max()) * _precision(column.single))
    if found is None:
        return 1.0, 0.0
    odd = values[torch.from_numpy(found.odd)]
    seen_once = len(odd) == 0 or float(column.visits(odd).max()) == 1
    return (found.step, found.offset) if seen_once else (1.0, 0.0)


def _beside_0(decimals: int, step: float, offset: float, way: int) -> float:
    """The grid's value next to 0, above or below (1, −1); 0 where any is possible or 0 is not on the grid."""
    return round(offset + way * step) / 10**decimals if decimals >= 0 and round(offset) == 0 else 0.0


def _precision(single: bool) -> float:
    """How far off values may be in comparison with themselves."""
    return torch.finfo(torch.float32).eps if single else 4.0 * torch.finfo(torch.float64).eps


def _decimals(values: Tensor, single: bool) -> int:
    """The number of decimals of distinct values, −1 if nothing speaks for any."""
    precision = _precision(single)

    def tolerance(some: Tensor, unit: float) -> Tensor:
        return (some.abs() * precision).clamp(min=1e-6 / unit)

    for decimals in _DECIMALS:
        unit = 10.0**decimals
        for some in (values[:: 1 + len(values) // _PROBED], values):  # most columns fail at once
            off = (some - (some * unit).round() / unit).abs()
            fits = bool((off <= tolerance(some, unit)).all())
            if not fits:
                break
        if fits:
            chance = (2.0 * tolerance(values, unit) * unit).clamp(max=1.0)[values != 0]
            return decimals if float(-chance.log10().sum()) >= _DIGITS else -1
    return -1


def _low(column: Column, least: Tensor, tick: float) -> float:
    """The lower bound of a channel, −inf if nothing speaks for one.

    Args:
        column: all rows.
        least: its two or three least values, rising.
        tick: the grid's first value above 0, 0 without a grid.
    """
    visits = column.visits(least)
    growth = visits[:-1] / visits[1:]
    bend = growth[0] / growth[-1] if len(growth) > 1 else growth[0]
    if float(visits[0] * growth[0].clamp(max=1.0) * bend.clamp(max=1.0)) >= _WALL:
        return float(least[0])
    if not tick or least[0] < 0:
        return -math.inf
    if least[0] == 0:
        return 0.0 if visits[0] >= _ZEROS else -math.inf
    above = column.values > column.values.mean()
    crossings = int((above[1:] != above[:-1]).sum())
    distance = float(column.values.mean() / column.values.std())
    return tick if crossings * math.erfc(distance / math.sqrt(2)) / 2 >= _CROSSINGS else -math.inf


def _twin(columns: Sequence[Column | None], c: int) -> int:
    """The first channel that this one equals in every row; itself without one."""
    column = columns[c]
    if column is None or int((column.values[1:] != column.values[:-1]).sum()) < _FEWEST_CHANGES:
        return c
    for earlier in range(c):
        other = columns[earlier]
        if other is not None and torch.equal(other.values, column.values):
            return earlier
    return c
