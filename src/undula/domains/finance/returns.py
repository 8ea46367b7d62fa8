"""Which columns hold log returns, or prices that make some."""

from __future__ import annotations

__all__ = ["OTHERWISE", "finance_figures", "log_returns", "price_columns", "return_columns"]

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import ConfigError
from ...evaluation.field import FieldFigures
from .statistics import FINANCE, FINANCE_WORDS

Array = NDArray[np.floating[Any]]

_RETURNS = ("log_return", "logret")
OTHERWISE = ("_difference", "_log", "_rolling_volatility")
"""Ends of names of columns that hold neither returns nor prices."""
_PRICES = {"open", "high", "low", "close", "price", "prices"}


def return_columns(columns: Sequence[str]) -> list[str]:
    """The columns that hold log returns, by their names: those for which `FINANCE` has a meaning."""
    return [name for name in columns if name.endswith(_RETURNS)]


def price_columns(columns: Sequence[str]) -> list[str]:
    """The columns that hold prices, by a word in their names: open, high, low, close or price."""
    return [
        name
        for name in columns
        if not name.endswith((*_RETURNS, *OTHERWISE)) and _PRICES & set(re.split(r"[^a-z]+", name.lower()))
    ]


def log_returns(prices: Array) -> Array:
    """Log returns (N, L − 1) within windows of prices (N, L); all NaN if one is not positive."""
    if (prices <= 0).any():
        return np.full((len(prices), prices.shape[1] - 1), np.nan)
    returns: Array = np.diff(np.log(prices), axis=1)
    return returns


def finance_figures(columns: Sequence[str], windows: Array) -> FieldFigures:
    """`FINANCE` for a judge: of the columns that hold log returns, and of the returns of prices.

    Args:
        columns: names of the C columns.
        windows: real windows, (N, L, C).

    Raises:
        ConfigError: if no column holds returns or prices, or prices are not positive.
    """
    returns, prices = return_columns(columns), price_columns(columns)
    notes = []
    if not returns and not prices:
        returns = _unnamed(columns, windows)
        notes.append(
            f"finance: {', '.join(returns)} taken for log returns, as no name says what a column holds"
        )
    places = tuple(i for i, name in enumerate(columns) if name in (*returns, *prices))
    made = {i: log_returns for i in places if columns[i] in prices}
    for i in made:
        if (windows[:, :, i] <= 0).any():
            raise ConfigError(
                f"domain finance: {columns[i]!r} is called a price and has values that are not positive: "
                "rename it, or leave the domain out"
            )
    if prices:
        notes.append(f"finance: figures are of the log returns of {', '.join(prices)} within a window")
    others = [name for i, name in enumerate(columns) if i not in places]
    if others:
        notes.append(
            f"finance: figures are of {', '.join(columns[i] for i in places)} alone; {', '.join(others)} "
            f"{'holds' if len(others) == 1 else 'hold'} neither log returns nor prices"
        )
    return FieldFigures(
        about=FINANCE_WORDS,
        statistics=FINANCE,
        columns=places,
        names=tuple(columns[i] for i in places),
        made=made,
        same={"volatility_clustering": "acf_squared", "sizes_clustering": "acf_abs"},
        notes=tuple(notes),
    )


def _unnamed(columns: Sequence[str], windows: Array) -> list[str]:
    """Columns whose names say nothing and that have both signs, as returns have and prices have not."""
    found = [
        name
        for i, name in enumerate(columns)
        if not name.endswith(OTHERWISE) and (windows[:, :, i] < 0).any() and (windows[:, :, i] > 0).any()
    ]
    if not found:
        raise ConfigError(
            f"domain finance: {', '.join(columns)} {'holds' if len(columns) == 1 else 'hold'} neither log "
            "returns (…_log_return) nor prices (open, high, low, close, price) by name: use transform "
            "log_return on prices, rename the columns, or leave the domain out (evaluation.domain: null, "
            "no --domain)"
        )
    return found
