"""Shapes as types, and the ranges that parameters are checked against.

Inside the library everything is channels first; the user's arrays are `(N, L, C)` and are
transposed once, in collation. The shapes are enforced in the tests (jaxtyping with beartype) and
cost nothing otherwise.
"""

from __future__ import annotations

__all__ = [
    "ConditionDropout",
    "Fraction",
    "Losses",
    "Mask",
    "Measured",
    "NonNegative",
    "NonNegativeInt",
    "Positive",
    "PositiveInt",
    "Series",
    "Share",
    "Times",
]

from typing import Annotated

from annotated_types import Ge, Gt, Lt
from jaxtyping import Bool, Float
from torch import Tensor

Series = Float[Tensor, "B C L"]
"""A batch of B series of C channels and L time steps."""

Measured = Float[Tensor, "B M K"]
"""What an operator measures of a batch of series."""

Times = Float[Tensor, "B"]
"""A time in [0, 1] for every member of a batch."""

Mask = Bool[Tensor, "B M L"]
"""True where an element exists: one row for all channels (M = 1) or one a channel (M = C)."""

Losses = Float[Tensor, "B"]
"""A loss for every member of a batch."""

Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
PositiveInt = Annotated[int, Gt(0)]
NonNegativeInt = Annotated[int, Ge(0)]
Fraction = Annotated[float, Ge(0), Lt(1)]
Share = Annotated[float, Gt(0), Lt(1)]

ConditionDropout = Fraction | dict[str, Fraction]
"""A probability for every condition part, or one a part by its name; parts that are not named: 0."""
