"""Real windows as log returns, with the level at which each begins."""

from __future__ import annotations

__all__ = ["Part", "RealReturns", "as_log_returns", "chosen_column"]

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ...core.errors import ConfigError, DataError, did_you_mean
from ...data.prepare import PreparedData
from ...data.splits import Parts
from ...data.windows import WindowDataset
from ...evaluation.blocks import ScatteredWindows
from .returns import OTHERWISE, log_returns, return_columns

Array = NDArray[np.floating[Any]]
Part = Literal["train", "val", "test", "held-out", "all"]


@dataclass(frozen=True)
class RealReturns:
    """Windows of one part of the data.

    Args:
        windows: log returns, (N, L), in the order of their starts.
        starts: their first rows, (N,).
        levels: the value before each, (N,).
        period: first and last day, in words.
    """

    windows: Array
    starts: NDArray[np.int64]
    levels: Array
    period: str

    @classmethod
    def of(cls, prepared: PreparedData, part: Part, level: int, target: int) -> RealReturns:
        """The windows of a part.

        Args:
            prepared: the data.
            part: which; held-out is validation and test.
            level: place of the column among roles.at_start.
            target: place of the column among those that are generated.

        Raises:
            DataError: if the part is empty, or its values are neither returns nor prices.
        """
        windows = _windows(prepared.parts, part)
        if windows.length is None:
            raise DataError("scenarios need windows of one length: set data.predict_len")
        order = np.argsort(windows.starts, kind="stable")
        told = windows.told(order)
        assert told is not None
        returns = as_log_returns(
            windows.futures(order)[:, :, target].astype(float), prepared.panel.columns[target]
        )
        return cls(returns, windows.starts[order] + windows.history_len, told[:, level], windows.period())

    def matching(self, level: float, match: float | None) -> tuple[ScatteredWindows, Array]:
        """Windows that begin near a level, and their levels.

        Args:
            level: where.
            match: how near, a share of the level; None: at or above it.
        """
        near = self.levels >= level if match is None else _near(self.levels, level, match)
        return ScatteredWindows(self.windows[near], self.starts[near]), self.levels[near]


def as_log_returns(windows: Array, column: str) -> Array:
    """Windows (N, L) of a column as log returns: as they are where its name says so, else of prices.

    Names of transformed columns end with the transform's.

    Raises:
        DataError: if they are other changes, or prices that are not positive.
    """
    if np.isnan(windows).any():
        raise DataError("scenarios need whole windows, these have missing values: use data.missing: drop")
    if return_columns([column]):
        return windows
    why = "has values that are not positive" if (windows <= 0).any() else ""
    why = "is transformed otherwise" if column.endswith(OTHERWISE) else why
    if why:
        raise DataError(
            f"scenarios need prices, or their log returns, and {column!r} {why}: train with data.transform: "
            "log_return on a column of prices"
        )
    return log_returns(windows)


def chosen_column(name: str | None, known: Sequence[str], what: str, role: str) -> str:
    """The column that is asked for, or the only one.

    Raises:
        ConfigError: if there is no such column, or several and none is named.
    """
    if not known:
        raise ConfigError(
            f"{what} no column at the start of a window: train one with data.{role}, such as the preset "
            "vix_scenarios"
        )
    if name is None:
        if len(known) > 1:
            raise ConfigError(f"{what} {', '.join(known)}: name one of them")
        return known[0]
    if name not in known:
        raise ConfigError(f"no column {name!r}{did_you_mean(name, list(known))}: {what} {', '.join(known)}")
    return name


def _near(values: Array, level: float, match: float) -> NDArray[np.bool_]:
    near: NDArray[np.bool_] = np.abs(values - level) <= match * abs(level)
    return near


def _windows(parts: Parts, part: Part) -> WindowDataset:
    """The windows of a part, or of several joined."""
    several: dict[str, list[str]] = {"held-out": ["val", "test"], "all": ["train", "val", "test"]}
    found = [w for name in several.get(part, [part]) if (w := getattr(parts, name)) is not None]
    if not found:
        raise DataError(f"the data have no {part} part: data.split gives it no share, choose another")
    starts = np.concatenate([w.starts for w in found])
    return replace(found[0], starts=starts, lengths=np.concatenate([w.lengths for w in found]))
