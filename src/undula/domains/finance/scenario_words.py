"""What a study of scenarios says: verdicts in words, and the rows of its tables."""

from __future__ import annotations

__all__ = ["HEADINGS", "as_json", "cell", "flat_rows", "sentences", "table_rows", "yes_or_no"]

import math
from typing import Any

from ...evaluation.intervals import Estimate
from .risk import RISKS
from .scenarios import Row, ScenarioStudy

HEADINGS = {
    "volatility": "volatility, %",
    "skewness": "skewness",
    "kurtosis": "kurtosis",
    "var_1%": "VaR 1 %, %",
    "es_1%": "ES 1 %, %",
    "drawdown": "drawdown, %",
}
"""Names of the figures in tables for the eye; those in % are shares times 100."""


def sentences(study: ScenarioStudy) -> list[str]:
    """What the study found, a sentence each."""
    found = []
    for guidance, rows in study.by_guidance().items():
        rises = study.monotone(guidance)
        monotone = {True: "rises with the level;", False: "does not rise from level to level;", None: ""}[
            rises
        ]
        found.append(
            f"guidance {guidance:g}: the samples' median volatility {monotone} it lies in the range of "
            f"90 % of the matched windows at {_of([study.inside(row) for row in rows])} levels, and in the "
            f"90 % interval of their median at {_of([study.agrees(row) for row in rows])}"
        )
    for guidance, rows in study.by_guidance(stress=True).items():
        for row in rows:
            real = study.matched(row)
            found.append(
                f"guidance {guidance:g}, {study.column} {row.scenario.label}: median volatility "
                f"{cell('volatility', row.risks['volatility'])} %, of {real.windows:,} real windows "
                f"{cell('volatility', real.risks['volatility'])} %"
            )
    few = [f"{r.scenario.label} ({_windows(r)})" for r in study.real if r.blocks < 5]
    if few:
        found.append(f"few independent real windows, whose intervals mean little, at {', '.join(few)}")
    return [*found, *study.notes]


def _windows(row: Row) -> str:
    if not row.windows:
        return "none"
    windows = "1 window" if row.windows == 1 else f"{row.windows:,} windows"
    return f"{windows} in {'1 block' if row.blocks == 1 else f'{row.blocks} blocks'}"


def _of(answers: list[bool | None]) -> str:
    known = [a for a in answers if a is not None]
    missing = len(answers) - len(known)
    without = f" ({missing} without enough real windows)" if missing else ""
    return f"{sum(known)} of {len(known)}{without}"


def cell(name: str, estimate: Estimate) -> str:
    """A figure with its interval, times 100 where the heading says so."""
    if math.isnan(estimate.value):
        return "–"
    scale = 100.0 if HEADINGS[name].endswith(", %") else 1.0
    value, low, high = (scale * v for v in (estimate.value, estimate.low, estimate.high))
    decimals = 1 if scale > 1 else 2
    interval = "" if math.isnan(low) else f" [{low:.{decimals}f}, {high:.{decimals}f}]"
    return f"{value:.{decimals}f}{interval}"


def yes_or_no(answer: bool | None) -> str:
    """In a table."""
    return "–" if answer is None else "yes" if answer else "no"


def table_rows(study: ScenarioStudy) -> list[tuple[Row, list[str]]]:
    """Rows for the eye: of each scenario the real windows first, then the samples by guidance.

    Returns:
        The row, and its cells: level, what, windows, the figures, in range, median agrees.
    """
    found = []
    for real in study.real:
        count = f"{real.windows:,} in {real.blocks}" if real.windows else "none"
        cells = [
            real.scenario.label,
            "real",
            count,
            *(cell(name, real.risks[name]) for name in RISKS),
            "",
            "",
        ]
        found.append((real, cells))
        for row in study.rows:
            if row.scenario != real.scenario:
                continue
            figures = [cell(name, row.risks[name]) for name in RISKS]
            verdicts = [yes_or_no(study.inside(row)), yes_or_no(study.agrees(row))]
            found.append((row, ["", f"guidance {row.guidance:g}", f"{row.windows:,}", *figures, *verdicts]))
    return found


def flat_rows(study: ScenarioStudy) -> list[dict[str, Any]]:
    """A row for every scenario and guidance scale and for the real windows; numbers in full."""
    lines = []
    for row in [*study.real, *study.rows]:
        line: dict[str, Any] = {
            "column": study.column,
            "level": row.scenario.level,
            "stress": row.scenario.stress,
            "what": "real" if row.guidance is None else "samples",
            "guidance": row.guidance,
            "windows": row.windows,
            "blocks": row.blocks if row.guidance is None else None,
            "mean_at_start": row.told,
        }
        for name, risk in row.risks.items():
            line |= {name: risk.value, f"{name}_low": risk.low, f"{name}_high": risk.high}
        line |= {"volatility_q05": row.range[0], "volatility_q95": row.range[1]}
        if row.guidance is not None:
            line |= {"in_range": study.inside(row), "median_agrees": study.agrees(row)}
        lines.append(line)
    return lines


def as_json(study: ScenarioStudy) -> dict[str, Any]:
    """Everything, for a machine; what is unknown is null."""
    rows = [
        {name: None if isinstance(v, float) and math.isnan(v) else v for name, v in line.items()}
        for line in flat_rows(study)
    ]
    return {
        "column": study.column,
        "target": study.target,
        "part": study.part,
        "period": study.period,
        "match": study.match,
        "length": study.length,
        "per_year": study.per_year,
        "interval": 0.9,
        "monotone": {f"{w:g}": study.monotone(w) for w in study.by_guidance()},
        "rows": rows,
        "notes": study.notes,
    }
