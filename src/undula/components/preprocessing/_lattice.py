r"""Steps that are no multiple of a power of ten, rounded to one: °F in °C, what a sensor resolves.

A column's distinct values are whole numbers u_i, in units of its last decimal. They are a rounded lattice if

    |u_i − (o + k_i g)| ≤ ½     with whole k_i, a real o and a real g > 2.

1/g is the lowest frequency at which their spectrum |Σ exp(2πi f u_i)| is as high as anywhere. It sees all of
them at once, however many of the lattice's values are absent. Least squares say which k_i are meant; of all
(o, g) with these k_i the one is taken whose greatest deviation is least, or a simple fraction g (25/2, 50/9)
and o = 0 if they fit as well, since these are exact where halves are rounded and where nothing was seen.

Evidence: n values are on a given lattice by chance with probability g⁻ⁿ. In a range of R units there are R g
lattices that differ by a unit somewhere, n² R g that differ by 1/n. One value in a hundred may be off, such
as what was filled into a gap: m of them cost a factor nᵐ, the ways to choose them. A lattice is claimed where

    n² R g · nᵐ · g⁻⁽ⁿ⁻ᵐ⁾ < 10⁻¹⁰.
"""

from __future__ import annotations

__all__ = ["Lattice", "lattice"]

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_DIGITS = 10.0
_FEWEST, _ODD = 10, 0.01
_NUMERICS, _VAGUE = 1e-6, 0.25
_BINS, _PADDING, _AS_HIGH = 2**18, 8, 0.96
_SIMPLE, _DENOMINATORS = 16, range(1, 1001)

Values = NDArray[np.float64]


class Lattice(NamedTuple):
    """The values o + k g, rounded to whole numbers, for all whole k.

    Args:
        step: g.
        offset: o, in [−½, g − ½).
        odd: True for the values that are not among them, (n,).
    """

    step: float
    offset: float
    odd: NDArray[np.bool_]


def lattice(units: Values, precision: float) -> Lattice | None:
    """The rounded lattice that values lie on, None if nothing speaks for one.

    Args:
        units: distinct whole numbers, rising, (n,).
        precision: how far off they may have been before they were rounded, beside g's multiples.
    """
    if len(units) < _FEWEST or precision > _VAGUE:
        return None
    span = float(units[-1] - units[0])
    fold = 1 + int(span) // _BINS
    gap = float(np.quantile(np.diff(units), 2 * _ODD, method="higher"))  # g is at most one unit more
    if gap < 2 * fold:
        return None
    step, offset = _peak(units, gap + 1, fold)
    for near in (math.inf, step / 8, 1.0):
        k = np.round((units - offset) / step)
        on = np.abs(units - offset - k * step) <= max(near, 1.0)
        if on.mean() < 1 - _ODD:
            return None
        step, offset = (float(value) for value in np.polyfit(k[on], units[on], 1))
    seen = units[on]
    step, k = _common(step, k[on])
    step = _narrowest(seen, k, step)
    off = seen - k * step
    room = 0.5 + _NUMERICS + precision - float(np.ptp(off)) / 2
    if step <= 2 or room < 0:
        return None
    odd = len(units) - len(seen)
    choices = (odd + 2) * math.log10(len(units)) + math.log10(span * step)
    if len(seen) * math.log10(step / (1 + 2 * precision)) - choices < _DIGITS:
        return None
    offset = float(off.max() + off.min()) / 2
    offset -= step * math.floor((offset + 0.5) / step)
    return Lattice(step, 0.0 if abs(offset) <= room else round(offset, 6), ~on)


def _peak(units: Values, longest: float, fold: int) -> tuple[float, float]:
    """Step and offset from the spectrum's first peak that is as high as any, with `fold` units in a bin.

    The padding leaves an error of at most 1/32 of a step at either end.
    """
    counts = np.bincount(((units - units[0]) // fold).astype(np.int64))
    size = 1 << (_PADDING * len(counts) - 1).bit_length()
    height = np.abs(np.fft.rfft(counts, size))
    height[: math.ceil(size * fold / longest) - 1] = 0.0
    first = int((height >= _AS_HIGH * height.max()).argmax())
    frequency = (first + int(height[first : first + _PADDING].argmax())) / (size * fold)
    middle = 0.5 * (units[0] + units[-1])
    phase = float(np.angle(np.exp(2j * np.pi * frequency * (units - middle)).sum()))
    return 1 / frequency, middle + phase / (2 * math.pi * frequency)


def _common(step: float, k: Values) -> tuple[float, Values]:
    """The longest step: the peak may have been one at a multiple of 1/g."""
    k = k - k[0]
    common = int(np.gcd.reduce(k.astype(np.int64)))
    return step * common, k / common


def _narrowest(units: Values, k: Values, step: float) -> float:
    """The g for which u_i − k_i g lie in the least interval, or a simple fraction that is as good.

    A lattice of step p/q leaves multiples of 1/q, in an interval of 1 − 1/q if halves go one way.
    """

    def width(step: float) -> float:
        return float(np.ptp(units - k * step))

    reach = 2 / float(k[-1])
    low, high = step - reach, step + reach
    for _ in range(80):  # the width is convex in g
        third = (high - low) / 3
        low, high = (low, high - third) if width(low + third) < width(high - third) else (low + third, high)
    least = width(low)
    for q in _DENOMINATORS:
        enough = max(least, 1 - 1 / q) if q <= _SIMPLE else least
        if width(round(low * q) / q) <= enough + _NUMERICS:
            return round(low * q) / q
    return low
