r"""What is made of the target columns before anything else: logarithms, returns, rolling volatility.

    log         y_t = log x_t
    difference  y_t = x_t − x_{t−1}
    log_return  r_t = log x_t − log x_{t−1}
    rolling_volatility  v_t = √(m · Σ_{i<n} (r_{t−i} − r̄_t)² / (n − 1)),  r̄_t the mean of the n returns

n is `window`; m is `periods_per_year` (252 for trading days: per year), or 1 (per step) without it.
A transform looks back only, and the first rows, which have none of it, are dropped: of all columns
as many as the furthest-looking one needs, so that the columns stay rows of one table.

References:
    Andersen, Bollerslev, Diebold, Labys (2003). Modeling and forecasting realized volatility.
    doi:10.1111/1468-0262.00418
"""

from __future__ import annotations

__all__ = ["ColumnTransforms"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError, did_you_mean
from .options import Transform, TransformSpec, VolatilityParams

Array = NDArray[Any]

_LOGARITHMS = ("log", "log_return", "rolling_volatility")


@dataclass(frozen=True)
class ColumnTransforms:
    """One transform a column.

    Args:
        columns: names of the C target columns.
        specs: of each column.
    """

    columns: tuple[str, ...]
    specs: tuple[TransformSpec, ...]

    @classmethod
    def of(cls, transform: Transform | dict[str, Transform], columns: Sequence[str]) -> ColumnTransforms:
        """The transforms of these columns.

        Args:
            transform: one for all columns, or a transform for each of some columns (the others: none).
            columns: names of the target columns.

        Raises:
            DataError: if a column that is named is not among them.
        """
        if not isinstance(transform, dict):
            return cls(tuple(columns), (_spec(transform),) * len(columns))
        unknown = [name for name in transform if name not in columns]
        if unknown:
            raise DataError(
                f"data.transform names {unknown[0]!r}, which is not among the columns to generate "
                f"({', '.join(columns)}){did_you_mean(unknown[0], columns)}: name one of these, or give one "
                "transform for all of them, such as data.transform=log_return"
            )
        return cls(tuple(columns), tuple(_spec(transform.get(name, "none")) for name in columns))

    @classmethod
    def of_names(cls, transform: Transform | dict[str, Transform], names: Sequence[str]) -> ColumnTransforms:
        """The transforms of columns that are known by the names they have afterwards."""
        if not isinstance(transform, dict):
            suffix = _suffix(_spec(transform))
            return cls.of(transform, [name.removesuffix(suffix) for name in names])
        before = {f"{name}{_suffix(_spec(given))}": name for name, given in transform.items()}
        return cls.of(transform, [before.get(name, name) for name in names])

    @property
    def names(self) -> list[str]:
        """Names of the transformed columns, each with its transform's name."""
        return [f"{name}{_suffix(spec)}" for name, spec in zip(self.columns, self.specs, strict=True)]

    @property
    def lost(self) -> int:
        """Rows at the beginning of a series that have no values after it."""
        return max((_lost(spec) for spec in self.specs), default=0)

    @property
    def notes(self) -> list[str]:
        """What a name does not say: over how many steps, and in which units."""
        found = []
        for name, spec in zip(self.names, self.specs, strict=True):
            if spec.type == "rolling_volatility":
                m = spec.params.periods_per_year
                unit = "per step" if m is None else f"per year of {m:g} steps"
                found.append(
                    f"{name}: standard deviation of the last {spec.params.window} log returns, {unit}"
                )
        return found

    def __call__(self, values: Array) -> Array:
        """Transformed values (..., T − lost, C) of values (..., T, C).

        Raises:
            DataError: if a value has no logarithm.
        """
        if all(spec.type == "none" for spec in self.specs):
            return values
        rows = max(values.shape[-2] - self.lost, 0)
        out = np.empty((*values.shape[:-2], rows, values.shape[-1]))
        for j, (name, spec) in enumerate(zip(self.columns, self.specs, strict=True)):
            column = _transformed(values[..., j], spec, name)
            out[..., j] = column[..., column.shape[-1] - rows :]
        return out

    def back(self, values: Array, last: Array) -> Array:
        """Columns (..., L, C) that follow a row, in the units before the transform, anchored at that row.

        A rolling volatility stays what it is: the values behind it are not known.

        Args:
            values: transformed columns of the rows after it.
            last: the row itself before the transform, (..., C).
        """
        out = np.array(values, dtype=float)
        for j, spec in enumerate(self.specs):
            if spec.type == "log":
                out[..., j] = np.exp(values[..., j])
            elif spec.type == "log_return":
                out[..., j] = last[..., None, j] * np.exp(np.cumsum(values[..., j], axis=-1))
            elif spec.type == "difference":
                out[..., j] = last[..., None, j] + np.cumsum(values[..., j], axis=-1)
        return out

    @property
    def names_back(self) -> list[str]:
        """Names of the columns that `back` gives."""
        pairs = zip(self.columns, self.names, self.specs, strict=True)
        return [new if spec.type == "rolling_volatility" else name for name, new, spec in pairs]


def _spec(transform: Transform) -> TransformSpec:
    return transform if isinstance(transform, TransformSpec) else TransformSpec(type=transform)


def _suffix(spec: TransformSpec) -> str:
    if spec.type == "rolling_volatility":
        return f"_rolling_volatility_{spec.params.window}"
    return "" if spec.type == "none" else f"_{spec.type}"


def _lost(spec: TransformSpec) -> int:
    own = {"log_return": 1, "difference": 1, "rolling_volatility": spec.params.window}
    return own.get(spec.type, 0)


def _transformed(x: Array, spec: TransformSpec, name: str) -> Array:
    """A column (..., T) after its own transform, without the rows that have none."""
    if spec.type in _LOGARITHMS:
        if (x <= 0).any():
            raise DataError(
                f"transform: {spec.type} needs positive values, column {name!r} has {x[x <= 0].flat[0]:g}: "
                f"use difference, leave the column out, or give each column its own transform "
                f"(data.transform: {{{name}: none, …}})"
            )
        x = np.log(x)
    if spec.type in ("none", "log"):
        return x
    steps = np.diff(x, axis=-1)
    return _volatility(steps, spec.params) if spec.type == "rolling_volatility" else steps


def _volatility(returns: Array, params: VolatilityParams) -> Array:
    if returns.shape[-1] < params.window:
        return returns[..., :0]
    windows = np.lib.stride_tricks.sliding_window_view(returns, params.window, axis=-1)
    volatility: Array = np.sqrt(params.periods_per_year or 1.0) * windows.std(axis=-1, ddof=1)
    return volatility
