"""Figures as a table on the terminal."""

from __future__ import annotations

__all__ = ["print_figures", "terminal"]

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

    from ..evaluation.figure import Judgement


def terminal() -> Console:
    """Standard output, wide enough for a table where it is no terminal."""
    from rich.console import Console

    wide = Console()
    return wide if wide.is_terminal else Console(width=200)


def print_figures(
    console: Console,
    judgement: Judgement,
    baselines: Sequence[str],
    several_columns: bool,
    real: str = "held-out",
    label: str = "generated",
) -> None:
    """A row a figure, the tally, and how to read them.

    Args:
        console: where to.
        judgement: the figures.
        baselines: names of those that stand beside.
        several_columns: whether numbers are means over columns.
        real: what the real windows are called.
        label: what the generated ones are called.
    """
    from rich.table import Table

    from ..report.words import SEVERAL_COLUMNS, rows, tally_in_words

    held_out = real == "held-out"
    table = Table(box=None, pad_edge=False, header_style="bold")
    columns: list[tuple[str, Any]] = [("property", "left"), (label, "right"), (real, "right")]
    columns += [("train", "right")] if held_out else []
    for name, justify in [
        *columns,
        *((b.replace("_", " "), "right") for b in baselines),
        ("verdict", "left"),
    ]:
        table.add_column(name, justify=justify)
    for row in rows(judgement):
        cells = [row.name, row.generated, row.held_out, *([row.train] if held_out else [])]
        cells += [row.baselines.get(b, "") for b in baselines]
        style = "green" if row.good else "yellow"
        table.add_row(*cells, f"[{style}]{row.verdict}[/]")
    console.print(table)
    if judgement.figures.keys() - {"copying"}:
        console.print(tally_in_words(judgement), highlight=False)
    for note in judgement.notes:
        console.print(note, style="dim", highlight=False)
    shift = ", train the shift floor" if held_out else ""
    console.print(
        f"Distances: {real} gives the sampling floor{shift}. Other rows: the number, {real} with its 95 % "
        "block-bootstrap interval." + (f" {SEVERAL_COLUMNS}" if several_columns else ""),
        style="dim",
    )
