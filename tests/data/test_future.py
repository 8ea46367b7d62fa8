"""Rows to come: their times, and what is known of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from undula.data.future import with_future
from undula.data.options import DataOptions


@pytest.mark.parametrize(
    ("stamps", "expected"),
    [
        (pd.date_range("2024-01-01", periods=30, freq="h"), ["2024-01-02 06:00", "2024-01-02 07:00"]),
        (pd.bdate_range("2024-01-01", periods=30), ["2024-02-12", "2024-02-13"]),
        (pd.bdate_range("2024-01-01", periods=30).delete([3, 17]), ["2024-02-12", "2024-02-13"]),
        (pd.date_range("2024-01-01", periods=30), ["2024-01-31", "2024-02-01"]),
        (pd.date_range("2022-01-01", periods=24, freq="MS"), ["2024-01-01", "2024-02-01"]),
        (pd.date_range("2022-01-31", periods=25, freq="ME"), ["2024-02-29", "2024-03-31"]),
        (
            pd.date_range("2024-01-01", periods=30, freq="15min").delete([5]),
            ["2024-01-01 07:30", "2024-01-01 07:45"],
        ),
    ],
)
def test_times_go_on_in_their_own_steps(stamps: pd.DatetimeIndex, expected: list[str]) -> None:
    """With holidays, and with a row that is missing, too."""
    table = pd.DataFrame({"time": stamps, "x": np.arange(len(stamps), dtype=float)})
    ahead = with_future(table, DataOptions(), ["x"], 2)
    assert list(ahead.table["time"][-2:]) == [pd.Timestamp(word) for word in expected]
    assert ahead.table["x"][-2:].isna().all() and ahead.given == 0
    assert ahead.last[""].tolist() == [len(stamps) - 1.0]


def test_rows_that_are_there_keep_what_is_known() -> None:
    table = pd.DataFrame({"t": [1, 2, 3, 4], "x": [5.0, 6.0, np.nan, np.nan], "known": [1.0, 2.0, 3.0, 4.0]})
    options = DataOptions(roles={"time": "t", "target": ["x"], "known_covariates": ["known"]})
    ahead = with_future(table, options, ["x"], 3)
    assert ahead.table["known"].tolist() == [1, 2, 3, 4, 4] and ahead.table["t"].tolist() == [1, 2, 3, 4, 5]
    assert ahead.given == 2
    fewer = with_future(table, options, ["x"], 1)
    assert len(fewer.table) == 3 and fewer.table["known"].tolist() == [1, 2, 3]
