"""What a search found: trials.csv, best.yaml, and the page."""

from __future__ import annotations

__all__ = ["write_summary"]

from pathlib import Path

import pandas as pd

from ...config.yaml12 import dump_yaml
from ...core.files import atomic_path, write_text
from ...report.search import Axis, Point, SearchContent, write_search_page
from .space import Space
from .study import TrialRecord


def write_summary(
    folder: Path,
    space: Space,
    records: list[TrialRecord],
    best: TrialRecord,
    importances: dict[str, float],
) -> None:
    """Write all three files.

    Args:
        folder: of the search.
        space: what was varied.
        records: the trials.
        best: of them.
        importances: of the parameters; empty if too few trials were finished.
    """
    config = dump_yaml(space.config(best.params).model_dump(mode="json"))
    write_text(folder / "best.yaml", config)
    with atomic_path(folder / "trials.csv") as temporary:
        _table(records).to_csv(temporary, index=False)
    search = space.search
    axes = [
        Axis(path, given.kind.startswith("log"), given.kind != "choice")
        for path, given in search.parameters.items()
    ]
    counts = {state: sum(r.state == state for r in records) for state in ("finished", "pruned", "failed")}
    content = SearchContent(
        title=space.base.experiment.name,
        metric=search.metric,
        minimize=search.direction == "minimize",
        axes=axes,
        points=[
            Point(r.number, r.state, r.value, space.values(r.params), r.val_losses, r.reason) for r in records
        ],
        best=best.number,
        importances=importances,
        facts=[
            ("trials", ", ".join(f"{n} {state}" for state, n in counts.items() if n)),
            ("sampler, pruner, seed", f"{search.sampler}, {search.pruner}, {search.seed}"),
            ("time of all trials", f"{sum(r.seconds or 0.0 for r in records):,.0f} s"),
        ],
        config=config,
    )
    write_search_page(folder / "search.html", content)


def _table(records: list[TrialRecord]) -> pd.DataFrame:
    rows = [
        {
            "trial": r.number,
            "state": r.state,
            "value": r.value,
            **r.params,
            "seconds": r.seconds,
            "folder": f"trials/{r.folder}",
            "reason": r.reason,
        }
        for r in records
    ]
    return pd.DataFrame(rows)
