"""What `undula data check` says of a data set: shapes, dates, moments, missing values, repeats, gaps.

Moments are of the rows that the windows of a part cover, each counted once; kurtosis is excess
kurtosis. Windows that share no row are counted too: overlapping ones are not independent.
"""

from __future__ import annotations

__all__ = ["DataCheck", "PartCheck", "check_data"]

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ..data.prepare import PreparedData
from ..data.stretches import Changes
from ..data.windows import WindowDataset

Array = NDArray[np.floating[Any]]

_MOST = 50_000_000
_PLACES = ("count", "mean", "sd", "skewness", "kurtosis", "min", "max", "missing")


@dataclass(frozen=True)
class PartCheck:
    """One part.

    Args:
        shape: windows, steps, columns; no steps where lengths vary.
        disjoint: windows that share no row, at most.
        first: first time stamp or row number, as text.
        last: likewise.
        moments: by column: count, mean, sd, skewness, kurtosis, min, max, missing.
    """

    shape: tuple[int, int | None, int]
    disjoint: int
    first: str
    last: str
    moments: dict[str, dict[str, float]]


@dataclass(frozen=True)
class DataCheck:
    """A data set.

    Args:
        title: what the data are, in words.
        rows: clean rows.
        columns: names of the columns to generate.
        missing: values that are missing.
        duplicates: repeated rows that were dropped.
        gaps: first and last time stamp around each gap, as text.
        parts: by name, in order.
        notes: what was found and done, a sentence each.
    """

    title: str
    rows: int
    columns: list[str]
    missing: int
    duplicates: int
    gaps: list[tuple[str, str]]
    parts: dict[str, PartCheck]
    notes: list[str]

    def as_json(self) -> dict[str, Any]:
        """Everything, as plain values."""
        return asdict(self)

    def as_text(self, shown: Sequence[str]) -> str:
        """The tables, with the moments of some parts.

        Args:
            shown: names of the parts whose moments are wanted.
        """
        lines = [f"{self.title}: {self.rows:,} rows of {', '.join(self.columns)}", *self.notes, ""]
        lines += [
            f"missing values {self.missing:,}   repeated rows {self.duplicates:,}   gaps in time "
            f"{len(self.gaps):,}{_longest(self.gaps)}",
            "",
        ]
        head = ["part", "windows (N, L, C)", "sharing no row", "from", "to"]
        lines += _table([head, *(_row(name, part) for name, part in self.parts.items())])
        moments = [
            [name, column, *(_number(place, values[place]) for place in _PLACES)]
            for name, part in self.parts.items()
            if name in shown
            for column, values in part.moments.items()
        ]
        titles = ["excess kurtosis" if place == "kurtosis" else place for place in _PLACES]
        return "\n".join([*lines, "", *_table([["part", "column", *titles], *moments])])


def check_data(prepared: PreparedData, title: str, missing_refused: bool = False) -> DataCheck:
    """Count and compute.

    Args:
        prepared: the data, cut into parts.
        title: what to call them.
        missing_refused: whether missing values were let through to be counted, and a run refuses them.
    """
    panel, changes = prepared.panel, prepared.panel.changes
    parts = {
        name: _part(part, panel.columns)
        for name, part in (
            ("train", prepared.parts.train),
            ("val", prepared.parts.val),
            ("test", prepared.parts.test),
        )
        if part is not None
    }
    missing = changes.missing
    if panel.independent:
        missing = int(sum(np.isnan(series.values).sum() for series in panel.series))
    notes = list(panel.notes)
    if missing_refused and missing:
        masked = Changes(missing=changes.missing).notes(prepared.options, None, 1)
        notes = [note for note in notes if note not in masked]
        notes.append("a run refuses missing values until data.missing says interpolate, drop or mask")
    return DataCheck(
        title=title,
        rows=sum(len(series.values) for series in panel.series),
        columns=panel.columns,
        missing=missing,
        duplicates=changes.duplicates,
        gaps=[(_day(start), _day(end)) for start, end in changes.gaps],
        parts=parts,
        notes=notes,
    )


def _part(part: WindowDataset, columns: list[str]) -> PartCheck:
    rows = part.stretches(_MOST)
    first, last = part.ends()
    size = part.history_len + int(part.lengths.max())
    fixed = bool((part.lengths == part.lengths[0]).all())
    values = np.concatenate(rows)
    return PartCheck(
        shape=(len(part), int(part.lengths[0]) if fixed else None, part.channels),
        disjoint=sum(len(stretch) // size for stretch in rows) if fixed else len(part),
        first=first,
        last=last,
        moments={name: _moments(values[:, j]) for j, name in enumerate(columns)},
    )


def _moments(x: Array) -> dict[str, float]:
    given = x[~np.isnan(x)]
    return {
        "count": len(given),
        "mean": float(given.mean()),
        "sd": float(given.std()),
        "skewness": float(stats.skew(given)),
        "kurtosis": float(stats.kurtosis(given)),
        "min": float(given.min()),
        "max": float(given.max()),
        "missing": len(x) - len(given),
    }


def _day(stamp: Any) -> str:
    text = str(stamp)
    return text.removesuffix(" 00:00:00")


def _longest(gaps: list[tuple[str, str]]) -> str:
    if not gaps:
        return ""
    shown = ", ".join(f"{start} to {end}" for start, end in gaps[:3])
    return f" ({shown}{', …' if len(gaps) > 3 else ''})"


def _row(name: str, part: PartCheck) -> list[str]:
    windows, length, channels = part.shape
    steps = "of various lengths" if length is None else f"{length}"
    return [name, f"({windows:,}, {steps}, {channels})", f"{part.disjoint:,}", part.first, part.last]


def _number(place: str, value: float) -> str:
    return f"{value:,.0f}" if place in ("count", "missing") else f"{value:.4g}"


def _table(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
