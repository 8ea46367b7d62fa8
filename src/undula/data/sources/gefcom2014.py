"""Hourly load and temperature of one zone, the extended load track of GEFCom2014, from the user's file.

The package ships no copy and there is no download: the data are the supplement of the reference
(GEFCom2014-E). The file has Date, Hour (1 to 24), load and T, or time, load_mw and temp_f; in both a row
is stamped with the end of its hour. Here `time` is the hour's beginning, so that a day is its 24 rows.
Hours without a load (2004 and 2005) are left out. Units: MW; degrees Fahrenheit.

References:
    Hong, Pinson, Fan, Zareipour, Troccoli, Hyndman (2016). Probabilistic energy forecasting: Global
    Energy Forecasting Competition 2014 and beyond. doi:10.1016/j.ijforecast.2016.02.001
"""

from __future__ import annotations

__all__ = ["Gefcom2014Source"]

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from ...core.errors import DataError
from ...core.registry import register
from ...core.source import BaseSource
from ..columns import numeric, parsed_time
from ..layouts import with_note
from ..reading import read_file

_SPELLINGS = {"load_mw": ("load_mw", "load"), "temp_f": ("temp_f", "t", "temperature")}
_REMEDY = (
    "give the file of the extended load track (--set data.path=GEFCom2014-E.csv, with the columns Date, "
    "Hour, load, T, or time, load_mw, temp_f), which is in the supplement of "
    "doi:10.1016/j.ijforecast.2016.02.001"
)


@register("dataset", "gefcom2014")
@dataclass(frozen=True, kw_only=True)
class Gefcom2014Source(BaseSource):
    """GEFCom2014 load track, hourly: time (beginning of the hour), load_mw, temp_f; from a file.

    Args:
        path: the user's file, .csv or .parquet.
    """

    roles: ClassVar[dict[str, str]] = {"time": "time"}

    path: str | None = None

    def load(self) -> pd.DataFrame:
        """The whole table; DataError if there is no file, or it has other columns."""
        if self.path is None:
            raise DataError(f"the data set gefcom2014 is not shipped with undula: {_REMEDY}")
        table = read_file(self.path)
        if not isinstance(table, pd.DataFrame):
            raise DataError(
                f"file {self.path!r} holds windows: the data set gefcom2014 needs a table with hours"
            )
        found = {str(column).strip().lower(): str(column) for column in table.columns}
        made = pd.DataFrame({"time": _beginning(table, found, self.path)})
        for name, spellings in _SPELLINGS.items():
            spelling = next((s for s in spellings if s in found), None)
            if spelling is None:
                raise _without(name, table, self.path)
            made[name] = numeric(table[found[spelling]], found[spelling])
        return _with_load(made)


def _beginning(table: pd.DataFrame, found: dict[str, str], path: str) -> pd.Series:
    """The beginning of each row's hour."""
    hour = pd.Timedelta(hours=1)
    if "time" in found:
        return parsed_time(table[found["time"]], found["time"]) - hour
    if not {"date", "hour"} <= set(found):
        raise _without("time", table, path)
    hours = numeric(table[found["hour"]], found["hour"])
    if not hours.between(1, 24).all():
        raise DataError(
            f"file {path!r}: column {found['hour']!r} has {hours[~hours.between(1, 24)].iloc[0]:g}: expected "
            "hours 1 to 24, each the end of its hour"
        )
    return parsed_time(table[found["date"]], found["date"]) + (hours - 1) * hour


def _without(name: str, table: pd.DataFrame, path: str) -> DataError:
    return DataError(
        f"file {path!r} has no column {name} (it has {', '.join(map(str, table.columns))}): {_REMEDY}"
    )


def _with_load(table: pd.DataFrame) -> pd.DataFrame:
    empty = table["load_mw"].isna()
    if not empty.any():
        return table
    return with_note(
        table[~empty].reset_index(drop=True), f"{int(empty.sum()):,} hours without a load left out"
    )
