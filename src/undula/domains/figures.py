"""The figures of a field, for a judge: those that the real windows allow."""

from __future__ import annotations

__all__ = ["domain_figures"]

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation.field import FieldFigures
from ..evaluation.names import Domain

Array = NDArray[np.floating[Any]]


def domain_figures(domain: Domain | None, columns: Sequence[str], windows: Array) -> FieldFigures:
    """The figures of a field; none without one.

    Args:
        domain: finance or energy.
        columns: names of the C columns.
        windows: real windows, (N, L, C), in the data's units; statistics that are not defined for them are
            left out, and said.

    Raises:
        ConfigError: if no column holds what the field measures.
    """
    if domain is None:
        return FieldFigures()
    found = _of_field(domain, columns, windows)
    measured = [found.windows(windows, c) for c in found.columns]
    undefined = [
        name
        for name, statistic in found.statistics.items()
        if any(np.isnan(statistic(one)) for one in measured)
    ]
    if not undefined:
        return found
    words = "; ".join(found.about[name].words for name in undefined)
    note = f"{domain}: not defined for {len(windows):,} windows of {windows.shape[1]} steps: {words}"
    kept = {name: s for name, s in found.statistics.items() if name not in undefined}
    return replace(found, statistics=kept, notes=(*found.notes, note))


def _of_field(domain: Domain, columns: Sequence[str], windows: Array) -> FieldFigures:
    if domain == "finance":
        from .finance.returns import finance_figures

        return finance_figures(columns, windows)
    from .energy.statistics import energy_figures

    return energy_figures(columns)
