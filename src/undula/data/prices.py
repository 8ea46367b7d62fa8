"""Prices from the user's file or a download, made into what studies begin with: returns, joined closes."""

from __future__ import annotations

__all__ = ["closes", "joined", "log_returns"]

import pandas as pd

from ..core.errors import DataError
from .layouts import notes_of, price_table
from .options import DataOptions, Roles
from .reading import read_file
from .stretches import Changes
from .table import clean_table


def closes(path: str, use: str) -> pd.DataFrame:
    """The table of a file of prices: date, close, and its other columns.

    Args:
        path: .csv or .parquet, in any of the usual layouts.
        use: the data set that needs it, for messages.

    Raises:
        DataError: if the file has no date or no close.
    """
    table = read_file(path)
    if not isinstance(table, pd.DataFrame):
        raise DataError(f"file {path!r} holds windows: the data set {use} needs a table with dates")
    table = price_table(table, f"file {path!r}")
    if "close" not in table.columns:
        raise DataError(
            f"file {path!r} has no column close (it has {', '.join(table.columns)}): rename the column "
            f"of the price at the close, or take the file as it is, without the data set {use}"
        )
    return table


def log_returns(table: pd.DataFrame) -> pd.DataFrame:
    """Log returns of the closes from row to row, in the order of time: date, close_log_return.

    Args:
        table: date and close, in any order; the return over days without trading is among them.

    Raises:
        DataError: naming the row that is wrong.
    """
    options = DataOptions(
        columns=["close"], transform="log_return", gaps="ignore", roles=Roles(time="date"), predict_len=None
    )
    panel = clean_table(table, options)
    series = panel.series[0]
    made = pd.DataFrame({"date": series.time, panel.columns[0]: series.values[:, 0]})
    of_gaps = Changes(gaps=panel.changes.gaps).notes(options, "date", 1)  # nothing is lost over a gap here
    made.attrs = {"notes": [note for note in panel.notes if note not in of_gaps]}
    return made


def joined(left: pd.DataFrame, right: pd.DataFrame, names: tuple[str, str]) -> pd.DataFrame:
    """The closes of two tables on the days that both have: date, and one column each.

    Args:
        left: date and close.
        right: likewise.
        names: of the two columns.

    Raises:
        DataError: if they have no day in common.
    """
    options = DataOptions(
        columns=["close"], gaps="ignore", missing="mask", roles=Roles(time="date"), predict_len=None
    )
    panels = [clean_table(table, options) for table in (left, right)]
    columns = [
        pd.Series(panel.series[0].values[:, 0], index=panel.series[0].time, name=name).dropna()
        for panel, name in zip(panels, names, strict=True)
    ]
    both = pd.concat(columns, axis=1, join="inner")
    if both.empty:
        spans = ", ".join(f"{c.name} from {c.index[0]} to {c.index[-1]}" for c in columns if len(c))
        raise DataError(f"the two tables have no day in common ({spans}): give tables of the same period")
    most = max(len(column) for column in columns)
    made = both.rename_axis("date").reset_index()
    notes = [*notes_of(left), *notes_of(right)]
    if len(both) < most:
        notes.append(
            f"{len(both):,} days that both {names[0]} and {names[1]} have; {most - len(both):,} left out"
        )
    made.attrs = {"notes": notes}
    return made
