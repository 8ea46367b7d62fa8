r"""Columns that never cross: each is told by its gap above the columns that it never falls below.

    y_a = x_a − max_{b ∈ U_a} x_b ≥ 0,     x_a = max_{b ∈ U_a} x_b + max(y_a, 0)

U_a are the columns that a is at least as large as in every training row, and moves with. A day's low is
such a base for its open and close, and both for its high: whatever gaps a model generates, no bar has a
close above its high. Columns are taken from the bottom up, so that U_a is known when a is made; the map is
unit triangular, and its log-determinant 0.
"""

from __future__ import annotations

__all__ = ["OrderPreprocessor"]

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.preprocessing import BasePreprocessor
from ...core.registry import register
from ...core.types import Mask, Series

_FEWEST_ROWS = 100
_MOST_SPREAD = 0.5
"""Standard deviation of a gap, in those of its columns, up to which they move together."""


@register("preprocessing", "order")
class OrderPreprocessor(BasePreprocessor):
    """Columns that never cross become gaps; found in the training part, kept by every sample."""

    needs = "series without missing values"
    pointwise = False
    snaps = True

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> OrderPreprocessor:
        """Find which columns never fall below which; see `BasePreprocessor.fit`.

        Attributes:
            below_: True where column b is in U_a, (C, C).
            sequence_: the columns from the bottom up, (C,).
        """
        rows = x.double().transpose(0, 1).flatten(1)  # (C, N)
        gap = rows[:, None] - rows[None]  # (C, C, N): x_a − x_b
        spread = rows.std(1)
        apart = gap.std(2) < _MOST_SPREAD * torch.minimum(spread[:, None], spread)
        differ = (gap > 0).any(2)
        below = (gap >= 0).all(2) & apart & differ & (rows.shape[1] >= _FEWEST_ROWS)
        self.below_ = below
        self.sequence_ = below.sum(1).argsort(stable=True)
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From columns to gaps."""
        return torch.stack([x[:, a] - self._base(x, a) for a in range(x.shape[1])], 1)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From gaps to columns; a gap below 0 counts as 0, and its gradient passes."""
        columns = list(z.unbind(1))
        for a in self.sequence_.tolist():
            if bool(self.below_[a].any()):
                gap = columns[a] + (columns[a].clamp(min=0.0) - columns[a]).detach()
                columns[a] = gap + self._base(torch.stack(columns, 1), a)
        return torch.stack(columns, 1)

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """0: the map is unit triangular; (B,)."""
        return x.new_zeros(len(x))

    def notes(self) -> list[str]:
        """Which columns never fall below which."""
        names = self.columns or [f"column {c + 1}" for c in range(len(self.below_))]
        return [
            f"{name}: never below {', '.join(names[b] for b in row.nonzero().flatten().tolist())}"
            for name, row in zip(names, self.below_, strict=True)
            if bool(row.any())
        ]

    def _base(self, x: Series, a: int) -> Tensor:
        """The largest of the columns below a; 0 without one; (B, L)."""
        under = self.below_[a].nonzero().flatten().to(x.device)
        return x.index_select(1, under).amax(1) if len(under) else x.new_zeros(x.shape[0], x.shape[2])
