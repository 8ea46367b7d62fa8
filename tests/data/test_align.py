"""Windows that begin with an hour, day, week or month, in every part and after gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from undula.core.errors import DataError
from undula.data.options import DataOptions
from undula.data.prepare import prepare


def hourly(start: str = "2021-03-01 05:00", rows: int = 24 * 60) -> pd.DataFrame:
    time = pd.date_range(start, periods=rows, freq="h")
    return pd.DataFrame({"time": time, "x": np.arange(rows, dtype=float)})


def firsts(options: DataOptions, table: pd.DataFrame) -> list[pd.DatetimeIndex]:
    parts = prepare(options, table).parts
    return [
        pd.DatetimeIndex([times[0] for times in part.times() or []])
        for part in (parts.train, parts.val, parts.test)
        if part is not None
    ]


@pytest.mark.parametrize("history", [0, 5])
def test_every_part_has_whole_days(history: int) -> None:
    options = DataOptions(predict_len=24, stride=24, align="day", history_len=history)
    found = firsts(options, hourly())
    assert len(found) == 3
    for part in found:
        assert (part == part.normalize()).all()
        assert (np.diff(part) == np.timedelta64(1, "D")).all()
    assert found[0][0] == pd.Timestamp("2021-03-02")


def test_a_stride_counts_steps_between_the_beginnings_that_are_taken() -> None:
    whole = {"train": 1, "val": 0, "test": 0}
    every = firsts(DataOptions(predict_len=24, align="day", split=whole), hourly())[0]
    third = firsts(DataOptions(predict_len=24, align="day", stride=60, split=whole), hourly())[0]
    assert (np.diff(every) == np.timedelta64(1, "D")).all()
    assert third.tolist() == every[::3].tolist()


@pytest.mark.parametrize(("align", "check"), [("week", "day_of_week"), ("month", "day"), ("hour", "minute")])
def test_other_periods(align: str, check: str) -> None:
    frame = hourly(rows=24 * 120)
    if align == "hour":
        frame["time"] = pd.date_range("2021-03-01 05:10", periods=len(frame), freq="10min")
    found = firsts(DataOptions(predict_len=12, align=align, split={"train": 1, "val": 0, "test": 0}), frame)[
        0
    ]
    assert len(found) > 2
    assert (getattr(found, check) == (1 if align == "month" else 0)).all()
    assert align == "hour" or (found.hour == 0).all()


def test_after_a_gap_a_day_that_had_begun_is_not_one() -> None:
    frame = hourly().drop(index=range(30, 60))
    found = firsts(DataOptions(predict_len=24, align="day", split={"train": 1, "val": 0, "test": 0}), frame)[
        0
    ]
    assert (found.hour == 0).all()
    assert pd.Timestamp("2021-03-03") not in found and pd.Timestamp("2021-03-04") in found


def test_trading_days_begin_with_their_first_row() -> None:
    days = pd.bdate_range("2021-03-01", periods=30)
    time = [day + pd.Timedelta(hours=9.5) + pd.Timedelta(minutes=30 * i) for day in days for i in range(14)]
    frame = pd.DataFrame({"time": time, "x": np.arange(len(time), dtype=float)})
    options = DataOptions(predict_len=14, align="day", gaps="ignore", split={"train": 1, "val": 0, "test": 0})
    found = firsts(options, frame)[0]
    assert len(found) == 29  # of the very first day nothing says that it begins with this row
    assert ((found.hour == 9) & (found.minute == 30)).all()


def test_mistakes() -> None:
    numbers = hourly().assign(time=np.arange(24 * 60))
    with pytest.raises(DataError, match="align: day needs a time column of dates, this one has numbers"):
        prepare(DataOptions(align="day", predict_len=24), numbers)
    with pytest.raises(DataError, match="align: day needs a time column of dates: name it"):
        prepare(DataOptions(align="day", predict_len=24), numbers[["x"]])
    with pytest.raises(ValidationError, match="align needs windows of one length"):
        DataOptions(align="day", predict_len=None)
    with pytest.raises(DataError, match="align needs series"):
        prepare(DataOptions(align="day"), np.zeros((50, 24, 1)))
    with pytest.raises(DataError, match="no window that begins with a row of a new month"):
        prepare(DataOptions(align="month", predict_len=24), hourly(rows=240))
