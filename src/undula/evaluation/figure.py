"""A figure: a number of the generated windows beside its floors and baselines."""

from __future__ import annotations

__all__ = ["Figure", "Judgement"]

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Figure:
    """One figure of the generated windows.

    Args:
        value: the distance, the difference from the held-out number, or the share of copies.
        sd: its spread over samples, or over repeats where `repeats` says how many there were.
        at_floor_size: the value at the size of the sampling floor: the mean over the two halves of
            the held-out part of the figure against as many samples as the half has windows.
        floor: the larger of the sampling and the shift floor.
        floors: both, by name; the sampling floor is NaN where the held-out part is too short.
        baselines: the same figure of each baseline.
        statistic: for a statistic, the numbers themselves: `generated`, `held_out`, `low` and
            `high` of its interval, `train`, and each baseline's.
        columns: for figures that are means over columns, each column's `value` and `floor`,
            and those numbers where there are any.
        repeats: trainings of the judge behind the value; 1: it has none.
        verdict: a word, for the copying check.
        words: what the data's field calls it; empty where it has no name of its own.
    """

    value: float
    sd: float
    at_floor_size: float
    floor: float
    floors: dict[str, float]
    baselines: dict[str, float]
    statistic: dict[str, float] = field(default_factory=dict)
    columns: dict[str, dict[str, float]] = field(default_factory=dict)
    repeats: int = 1
    verdict: str | None = None
    words: str = ""

    def as_json(self, protocol: str) -> dict[str, Any]:
        """The entry of results.json."""
        entry: dict[str, Any] = {
            "value": self.value,
            "sd": self.sd,
            "at_floor_size": self.at_floor_size,
            "floor": self.floor,
            "floors": self.floors,
            "baselines": self.baselines,
            "protocol": protocol,
            "better": "lower",
        }
        optional: dict[str, Any] = {
            "statistic": self.statistic,
            "columns": self.columns,
            "verdict": self.verdict,
            "words": self.words,
        }
        entry |= {name: value for name, value in optional.items() if value}
        if self.repeats > 1:
            entry["repeats"] = self.repeats
        return {name: _finite(value) for name, value in entry.items()}


@dataclass(frozen=True)
class Judgement:
    """All figures, by metric.

    Args:
        figures: by metric.
        protocol: how they were computed, in words.
        notes: what the figures of the data's field are of, a sentence each.
    """

    figures: dict[str, Figure]
    protocol: str
    notes: list[str] = field(default_factory=list)

    def with_more(self, figures: dict[str, Figure], notes: list[str]) -> Judgement:
        """The same, with figures before the copying check, which is last, and notes."""
        last = {name: figure for name, figure in self.figures.items() if name == "copying"}
        first = {name: figure for name, figure in self.figures.items() if name != "copying"}
        return Judgement({**first, **figures, **last}, self.protocol, [*self.notes, *notes])

    def as_json(self) -> dict[str, Any]:
        """`metrics` of results.json."""
        return {name: figure.as_json(self.protocol) for name, figure in self.figures.items()}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
