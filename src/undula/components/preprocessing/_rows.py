"""What the rows of overlapping windows hold: each row once, and how often a value is come back to.

Windows of stride 1 show a row L times, and a series that rests on a value shows it as long as it
rests. Neither says how sure one may be that the value is special: *visits* do, arrivals at a value
from another one.
"""

from __future__ import annotations

__all__ = ["Column", "columns_of"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.types import Mask, Series

_PROBED = 64


@dataclass(frozen=True)
class Column:
    """The values of one channel, each row once.

    Args:
        values: in the order of the rows, (n,), float64.
        arrivals: True where a value differs from the one before it, (n,).
        single: whether the values have the precision of float32 only.
    """

    values: Tensor
    arrivals: Tensor
    single: bool

    def levels(self) -> tuple[Tensor, Tensor, Tensor]:
        """The distinct values, rising, and each one's rows and visits, integers."""
        values, where, counts = torch.unique(self.values, return_inverse=True, return_counts=True)
        visits = torch.bincount(where[self.arrivals], minlength=len(values))
        return values, counts, visits.clamp(min=1)


def columns_of(x: Series, valid: Mask | None = None) -> list[Column]:
    """The channels of training windows (B, C, L), without what `valid` calls missing."""
    rows = _fresh(x)[:, None].expand_as(x)
    if valid is not None:
        rows = rows & valid
    arrivals = torch.ones_like(rows)
    arrivals[..., 1:] = x[..., 1:] != x[..., :-1]
    double = x.double()
    single = x.dtype == torch.float32
    return [
        Column(
            double[:, c][rows[:, c]],
            arrivals[:, c][rows[:, c]],
            single or bool((double[:, c] == double[:, c].float()).all()),
        )
        for c in range(x.shape[1])
    ]


def _fresh(x: Series) -> Tensor:
    """True for the steps that the window before does not hold already, (B, L).

    Window i + 1 continues window i after s steps if x[i + 1, :, :L−s] = x[i, :, s:]; the smallest
    such s counts. A few pairs say which s occur at all.
    """
    n, _, length = x.shape
    new = torch.full((n,), length, device=x.device)
    probed = torch.linspace(0, n - 2, min(n - 1, _PROBED)).round().long() if n > 1 else torch.arange(0)
    shifts = [s for s in range(1, length) if _continues(x, probed, s).any()]
    every = torch.arange(n - 1)
    for shift in reversed(shifts):
        new[1:] = torch.where(_continues(x, every, shift), shift, new[1:])
    return torch.arange(length, device=x.device) >= length - new[:, None]


def _continues(x: Series, first: Tensor, shift: int) -> Tensor:
    same = x[first + 1, :, :-shift] == x[first, :, shift:]
    return same.flatten(1).all(1)
