r"""One level of a discrete wavelet transform on a finite window, exactly orthonormal.

    low_i = Σ_j h_j x_{2i+j},   high_i = Σ_j g_j x_{2i+j}        wherever the N taps lie within the window

These rows are orthonormal; two ways to complete them to a basis:

`Periodic` lets the taps run on from the window's end to its start (an even number of steps alone).

`Bounded` keeps each end to itself. The vectors orthogonal to all rows fall into a few at the left end and
a few at the right (the ranges of two exact projectors). Of these, the images of the polynomials of lowest
degree span the boundary's scaling functions, half of the dimensions; the rest are its wavelets, which are
hence blind to these polynomials: a constant or a trend leaves no trace in the details, not even at the
ends. Within each half the functions are those of a definite place (eigenvectors of the position), which
makes them unique. Any number of steps will do. At the next level boundary coefficients are treated as
steps that no inner filter touches.

`Whole` is a level so short that its ends would meet: half of the dimensions, spanned by the polynomials
and, beyond the filter's vanishing moments, cosines, are its scaling functions, the rest its wavelets.

References:
    Cohen, Daubechies, Vial (1993). Wavelets on the interval and fast wavelet transforms.
        doi:10.1006/acha.1993.1005
    Jensen, la Cour-Harbo (2001). Ripples in Mathematics, ch. 10. doi:10.1007/978-3-642-56702-5
"""

from __future__ import annotations

__all__ = ["Bounded", "Filtered", "Level", "Periodic", "Whole", "bounded_levels", "periodic_levels"]

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


class Level(ABC):
    """From n numbers to low and high ones, n together, over the last axis of (B, C, n)."""

    @abstractmethod
    def analyse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Low and high coefficients."""

    @abstractmethod
    def synthesise(self, low: Tensor, high: Tensor) -> Tensor:
        """The inverse and transpose of `analyse`."""


@dataclass(frozen=True, kw_only=True)
class Filtered(Level):
    """A level with filters.

    Args:
        taps: h and g, (2, N).
        start: the first step that the first inner filter touches.
        count: inner filters.
        first: number of the first inner coefficient, where 0 is the first that touches step 0 or later.
    """

    taps: Tensor
    start: int
    count: int
    first: int = 0

    @property
    def span(self) -> int:
        """Steps from the first inner filter's start to the last one's end."""
        return 2 * (self.count - 1) + self.taps.shape[-1]

    def _inner(self, x: Tensor) -> Tensor:
        """(B, C, span) → (B, C, 2, count)."""
        rows = F.conv1d(x.flatten(0, 1)[:, None], self.taps[:, None].to(x), stride=2)
        return rows.unflatten(0, x.shape[:2])

    def _inner_back(self, rows: Tensor) -> Tensor:
        """(B, C, 2, count) → (B, C, span)."""
        x = F.conv_transpose1d(rows.flatten(0, 1), self.taps[:, None].to(rows), stride=2)
        return x[:, 0].unflatten(0, rows.shape[:2])


@dataclass(frozen=True, kw_only=True)
class Periodic(Filtered):
    """The window as one turn of a circle."""

    def analyse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Low and high coefficients."""
        index = self.start + torch.arange(self.span, device=x.device)
        low, high = self._inner(x[..., index % x.shape[-1]]).unbind(2)
        return low, high

    def synthesise(self, low: Tensor, high: Tensor) -> Tensor:
        """The inverse and transpose of `analyse`."""
        size = 2 * self.count
        long = self._inner_back(torch.stack((low, high), dim=2))
        turns = F.pad(long, (0, -self.span % size)).unflatten(-1, (-1, size))
        return turns.sum(-2).roll(self.start, -1)


@dataclass(frozen=True, kw_only=True)
class Bounded(Filtered):
    """The window with functions of its own at each end.

    Args:
        size: n.
        left: scaling functions and wavelets of the left end, rows over the first steps, (·, w).
        right: those of the right end, rows over the last steps, (·, w).
    """

    size: int
    left: tuple[Tensor, Tensor]
    right: tuple[Tensor, Tensor]

    def analyse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Low and high coefficients."""
        inner = self._inner(x[..., self.start : self.start + self.span]).unbind(2)
        low, high = (
            torch.cat((_rows(x, left, 0), own, _rows(x, right, self.size)), dim=-1)
            for left, own, right in zip(self.left, inner, self.right, strict=True)
        )
        return low, high

    def synthesise(self, low: Tensor, high: Tensor) -> Tensor:
        """The inverse and transpose of `analyse`."""
        parts = [
            z.split((len(left), self.count, len(right)), dim=-1)
            for z, left, right in zip((low, high), self.left, self.right, strict=True)
        ]
        x = self._inner_back(torch.stack([part[1] for part in parts], dim=2))
        x = F.pad(x, (self.start, self.size - self.start - self.span))
        for part, left, right in zip(parts, self.left, self.right, strict=True):
            x = x + F.pad(part[0] @ left.to(x), (0, self.size - left.shape[1]))
            x = x + F.pad(part[2] @ right.to(x), (self.size - right.shape[1], 0))
        return x


@dataclass(frozen=True, kw_only=True)
class Whole(Level):
    """Functions of all n steps.

    Args:
        low: scaling functions as rows.
        high: wavelets as rows.
    """

    low: Tensor
    high: Tensor

    def analyse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Low and high coefficients."""
        return x @ self.low.mT.to(x), x @ self.high.mT.to(x)

    def synthesise(self, low: Tensor, high: Tensor) -> Tensor:
        """The inverse and transpose of `analyse`."""
        return low @ self.low.to(low) + high @ self.high.to(high)


def periodic_levels(taps: Tensor, length: int, number: int) -> list[Level]:
    """So many levels on a circle of `length` steps, a multiple of 2^number."""
    start = 1 - taps.shape[1] // 2
    return [Periodic(taps=taps, start=start, count=length >> (j + 1)) for j in range(number)]


def bounded_levels(taps: Tensor, moments: int, length: int, number: int) -> list[Level]:
    """So many levels, or fewer if one number is left before.

    Args:
        taps: h and g, (2, N).
        moments: vanishing moments of the wavelet.
        length: steps of the window.
        number: of levels at the most.
    """
    levels: list[Level] = []
    n, left, right, first = length, 0, 0, 0  # numbers at this level, its boundary ones, first inner one
    reach = taps.shape[1] - 2
    steps = torch.arange(length, dtype=torch.float64) / taps.shape[1]
    from_left = steps ** torch.arange(moments)[:, None]
    from_right = from_left.flip(-1)
    while len(levels) < number and n > 1:
        start = left + first % 2  # on the grid of the unbounded transform
        count = (n - right - start - reach) // 2
        rest = n - start - 2 * count - reach
        level: Level
        if count < 1 or start + rest + 2 * reach > n:
            level, left, right = _whole(from_left), n, 0
        else:
            first = (first + first % 2 + reach) // 2
            at_left = _end(taps, from_left, start)
            at_right = _end(taps.flip(-1), from_right.flip(-1), rest)
            left, right = len(at_left[0]), len(at_right[0])
            level = Bounded(
                taps=taps, start=start, count=count, first=first, size=n,
                left=at_left, right=(at_right[0].flip(0, 1), at_right[1].flip(0, 1)),
            )  # fmt: skip
        levels.append(level)
        from_left, from_right = (level.analyse(p[None])[0][0] for p in (from_left, from_right))
        n = from_left.shape[1]
    return levels


def _end(taps: Tensor, polynomials: Tensor, begin: int) -> tuple[Tensor, Tensor]:
    """Scaling functions and wavelets of the end at step 0, when the first inner filter starts at `begin`.

    Args:
        taps: of the inner filters, (2, N).
        polynomials: by rising degree, (K, n).
        begin: steps before the first inner filter.
    """
    reach = taps.shape[1] - 2
    width = begin + reach
    rows = torch.zeros(2, reach // 2, width + reach + 2, dtype=taps.dtype)
    for i in range(reach // 2):
        rows[:, i, begin + 2 * i : begin + 2 * i + reach + 2] = taps
    rows = rows.flatten(0, 1)[:, :width]
    free = begin + reach // 2
    _, vectors = torch.linalg.eigh(torch.eye(width, dtype=taps.dtype) - rows.mT @ rows)
    vectors = vectors[:, width - free :]  # the projector's eigenvalues are 0 and 1
    number = min((free + 1) // 2, len(polynomials))
    smooth, _ = torch.linalg.qr(polynomials[:number, :width].mT)
    turned, _ = torch.linalg.qr(vectors.mT @ smooth, mode="complete")
    return _placed(vectors @ turned[:, :number]), _placed(vectors @ turned[:, number:])


def _whole(polynomials: Tensor) -> Whole:
    """The level of n numbers whose ends meet; polynomials (K, n) by rising degree."""
    n = polynomials.shape[1]
    number = (n + 1) // 2
    degree = torch.arange(len(polynomials), max(number, len(polynomials)), dtype=polynomials.dtype)
    cosines = torch.cos(torch.pi * degree[:, None] * (torch.arange(n) + 0.5) / n)
    smooth = torch.cat((polynomials, cosines))[:number]
    functions, _ = torch.linalg.qr(smooth.mT, mode="complete")
    return Whole(low=_placed(functions[:, :number]), high=_placed(functions[:, number:]))


def _placed(functions: Tensor) -> Tensor:
    """The orthonormal functions of definite place that span the columns, as rows, nearest first.

    Their signs are those of their products with numbers that no vanishing moment makes zero.
    """
    place = torch.arange(len(functions), dtype=functions.dtype)
    _, turn = torch.linalg.eigh(functions.mT @ (place[:, None] * functions))
    rows = (functions @ turn).mT
    return rows * torch.where(rows @ torch.cos(1.0 + place**2) < 0, -1.0, 1.0)[:, None]


def _rows(x: Tensor, rows: Tensor, end: int) -> Tensor:
    """Products with rows over the first steps (end = 0) or over the last ones before `end`."""
    width = rows.shape[1]
    return x[..., max(0, end - width) : end or width] @ rows.mT.to(x)
