r"""A power of each column, on which its increments are as large at every level.

    z = (x^λ − 1)/λ,   λ = 0: z = log x          log |det ∂z/∂x| = Σ (λ − 1) log x

Prices move by shares of themselves: on their own scale a model has to learn how large steps are at each
level, on the logarithm's it has not. With E|x_{t+1} − x_t| ∝ x^b the increments of x^(1−b) have one size
(the variance-stabilising transform); b is the slope of the mean absolute increment over the level, from
ten groups of rows of like level, and λ = 1 − b is rounded to 0, ½ or 1. A column that is not positive stays
as it is.

References:
    Bartlett (1947). The use of transformations. doi:10.2307/3001536
    Box, Cox (1964). An analysis of transformations. doi:10.1111/j.2517-6161.1964.tb00553.x
"""

from __future__ import annotations

__all__ = ["PowerPreprocessor"]

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import DataError
from ...core.preprocessing import BasePreprocessor
from ...core.registry import register
from ...core.types import Mask, Series

_GROUPS, _FEWEST, _SPAN = 10, 100, 1.5
_CHOICES = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)


@register("preprocessing", "power")
class PowerPreprocessor(BasePreprocessor):
    """Each positive column to the power at which its increments do not depend on its level.

    Args:
        exponent: λ of every column, 0 for the logarithm; auto: 0, ½ or 1, as the data say.
    """

    needs = "positive values, for another exponent than 1"
    snaps = True

    def __init__(self, exponent: Literal["auto"] | Annotated[float, Ge(0), Le(1)] = "auto") -> None:
        self.exponent = exponent

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> PowerPreprocessor:
        """Find each column's exponent; see `BasePreprocessor.fit`.

        Attributes:
            exponent_: λ, (C,).
            least_: half of the least value, below which no sample falls where λ < 1, (C,).
        """
        exists = torch.ones_like(x, dtype=torch.bool) if valid is None else valid.expand_as(x)
        values = [x[:, c][exists[:, c]].double() for c in range(x.shape[1])]
        if self.exponent == "auto":
            found = [_stabilising(x[:, c].double(), exists[:, c]) for c in range(x.shape[1])]
        else:
            found = [float(self.exponent)] * x.shape[1]
            self._refuse(values)
        self.exponent_ = torch.tensor(found, dtype=torch.float64)
        self.least_ = torch.stack([0.5 * v.min() for v in values])
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to powers."""
        power = self._column(self.exponent_, x)
        inside = torch.where(power == 1, torch.ones_like(x), torch.maximum(x, self._column(self.least_, x)))
        curved = torch.where(
            power == 0, inside.log(), (inside**power - 1) / torch.where(power == 0, 1.0, power)
        )
        return torch.where(power == 1, x, curved)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From powers to the user's units; not below half the least training value."""
        power, least = self._column(self.exponent_, z), self._column(self.least_, z)
        safe = torch.where(power == 0, 1.0, power)
        root = torch.where(power == 0, z, torch.log(torch.clamp(safe * z + 1, min=1e-12)) / safe)
        curved = torch.maximum(torch.where(power == 1, torch.zeros_like(z), root).exp(), least)
        return torch.where(power == 1, z, curved)

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Σ (λ − 1) log x of each member, (B,)."""
        power = self._column(self.exponent_, x)
        inside = torch.where(power == 1, torch.ones_like(x), x)
        return ((power - 1) * inside.log()).sum((1, 2))

    def notes(self) -> list[str]:
        """Which columns are transformed."""
        names = self.columns or [f"column {c + 1}" for c in range(len(self.exponent_))]
        words = {0.0: "logarithm", 0.5: "square root"}
        return [
            f"{name}: modelled on its {words.get(power, f'power {power:g}')}"
            for name, power in zip(names, self.exponent_.tolist(), strict=True)
            if power != 1
        ]

    def _refuse(self, values: list[Tensor]) -> None:
        if self.exponent == 1:
            return
        for c, column in enumerate(values):
            if float(column.min()) <= 0:
                name = repr(self.columns[c]) if self.columns else f"number {c + 1}"
                raise DataError(
                    f"power: exponent {self.exponent:g} needs positive values, and column {name} has "
                    f"{float(column.min()):g}: use exponent: auto, which leaves such columns as they are"
                )

    @staticmethod
    def _column(values: Tensor, like: Series) -> Tensor:
        return values.to(like)[:, None].expand_as(like)


def _stabilising(x: Tensor, exists: Tensor) -> float:
    """λ of one column (B, L): 0, ½ or 1."""
    level, step = 0.5 * (x[:, 1:] + x[:, :-1]), (x[:, 1:] - x[:, :-1]).abs()
    both = exists[:, 1:] & exists[:, :-1]
    level, step = level[both], step[both]
    if len(level) < _FEWEST or float(x[exists].min()) <= 0:
        return 1.0
    order = level.argsort()
    groups = [(level[part].mean(), step[part].mean()) for part in order.tensor_split(_GROUPS)]
    logs = torch.tensor([[float(a.log()), float(b.clamp(min=1e-300).log())] for a, b in groups])
    across = logs[:, 0] - logs[:, 0].mean()
    if float(across.max() - across.min()) < torch.log(torch.tensor(_SPAN)):
        return 1.0
    slope = float((across * logs[:, 1]).sum() / across.square().sum())
    return float(_CHOICES[(1.0 - slope - _CHOICES).abs().argmin()])
