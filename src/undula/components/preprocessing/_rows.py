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

_PROBED = 256


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

    def visits(self, values: Tensor) -> Tensor:
        """How often each of a few values is come to, at least once, float64."""
        arrived = self.values[self.arrivals]
        return torch.stack([(arrived == value).sum() for value in values]).clamp(min=1).double()


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

    Window i + 1 continues window i after s steps if x[i + 1, :, :L−s] = x[i, :, s:]. Short or constant
    stretches agree by chance, so s is believed if most windows that change in those steps agree.
    Windows that were thinned out evenly continue after s or s + 1 steps.
    """
    n, _, length = x.shape
    steps = torch.arange(length, device=x.device)
    new = torch.full((n,), length, device=x.device)
    if n > 1:
        probed = torch.arange(0, n - 1, max(1, n // _PROBED), device=x.device)
        before, after = x[probed], x[probed + 1]
        for shift in range(1, length - 1):
            changes = (before[..., shift + 1 :] != before[..., shift:-1]).flatten(1).any(1)
            agree = _continues(before, after, shift) | _continues(before, after, shift + 1)
            if 2 * int((agree & changes).sum()) > int(changes.sum()):
                for found in (shift + 1, shift):
                    new[1:] = torch.where(_continues(x[:-1], x[1:], found), found, new[1:])
                break
    return steps >= length - new[:, None]


def _continues(before: Series, after: Series, shift: int) -> Tensor:
    return (after[..., :-shift] == before[..., shift:]).flatten(1).all(1)
