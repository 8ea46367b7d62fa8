"""Files of prices as they are published: each is read, and what was recognised is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula import DiffusionModel
from undula.core.errors import DataError
from undula.core.registry import Registry
from undula.data.layouts import notes_of, price_table, understood
from undula.data.options import DataOptions
from undula.data.reading import read_file
from undula.data.table import Panel, clean_table

YAHOO = """Date,Open,High,Low,Close,Adj Close,Volume
2019-03-22,2844.52,2846.16,2800.47,2800.71,2800.71,4237200000
2019-03-25,null,null,null,null,null,null
2019-03-26,2812.66,2829.87,2803.99,2818.46,2818.46,3266050000
"""
YFINANCE = """Price,Close,High,Low,Open,Volume
Ticker,^GSPC,^GSPC,^GSPC,^GSPC,^GSPC
Date,,,,,
2019-03-22,2800.71,2846.16,2800.47,2844.52,4237200000
2019-03-25,2798.36,2809.79,2785.02,2796.01,3376580000
"""
TWO_TICKERS = """Price,Close,Close,Open,Open
Ticker,^GSPC,^VIX,^GSPC,^VIX
Date,,,,
2019-03-22,2800.71,16.48,2846.16,17
2019-03-25,2798.36,16.33,2809.79,15
"""
TICKER_FIRST = """Ticker,^VIX,^VIX
Price,Open,Close
Date,,
2019-03-22,14.0,16.48
2019-03-25,17.1,16.33
"""
INVESTING = """"Date","Price","Open","High","Low","Vol.","Change %"
"May 28, 2019","2,802.39","2,830.03","2,840.51","2,801.58","1.23B","-0.84%"
"May 24, 2019","2,826.06","2,832.41","2,841.36","2,820.19","-","0.14%"
"Mar 24, 2019","933.68","2,909.99","2,936.31","2,908.53","12.5M","0.88%"
"""
NASDAQ = """Date,Close/Last,Volume,Open,High,Low
03/26/2019,"$1,233.10",12345,$23.00,$24.00,$22.00
03/22/2019,$99.10,"12,345",$23.00,$24.00,$22.00
"""
FRED = """observation_date,VIXCLS
2019-03-22,16.48
2019-03-25,.
2019-03-26,14.68
"""
KAGGLE = """,Date,Open,High,Low,Close,Volume,Name
0,2019-03-22,1,2,0.5,1.5,"1,000,000",SPX
1,2019-03-25,1,2,0.5,1.25,900,SPX
"""


def read(tmp_path: Path, text: str, **options: object) -> Panel:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    table = read_file(path)
    assert isinstance(table, pd.DataFrame)
    return clean_table(table, DataOptions(**{"missing": "mask", **options}))


def said(panel: Panel, words: str) -> bool:
    return any(words in note for note in panel.notes)


def column(panel: Panel, name: str) -> list[float]:
    return panel.series[0].values[:, panel.columns.index(name)].tolist()


def test_yahoo_of_old_with_null_rows(tmp_path: Path) -> None:
    panel = read(tmp_path, YAHOO)
    assert column(panel, "Adj Close") == [2800.71, 2818.46]
    assert said(panel, "Open, High, Low, Close, Adj Close, Volume: as Yahoo Finance writes prices")
    assert said(panel, "1 row without any value left out")


def test_a_row_with_one_null_stays_and_counts_as_missing(tmp_path: Path) -> None:
    panel = read(
        tmp_path, YAHOO.replace("null,null,null,null,null,null", "2796.01,2809.79,2785.02,null,null,0")
    )
    assert np.isnan(column(panel, "Close")).tolist() == [False, True, False]
    assert said(panel, "2 missing values")


@pytest.mark.parametrize("text", [YFINANCE, TICKER_FIRST])
def test_yfinances_header_of_several_rows(tmp_path: Path, text: str) -> None:
    panel = read(tmp_path, text)
    assert set(panel.columns) <= {"Close", "High", "Low", "Open", "Volume"}
    assert column(panel, "Close")[0] in (2800.71, 16.48)
    assert said(panel, "a header of several rows of ^") and said(panel, "as yfinance writes it")
    assert panel.series[0].time is not None and panel.series[0].time[0] == pd.Timestamp("2019-03-22")


def test_several_tickers_stay_apart(tmp_path: Path) -> None:
    panel = read(tmp_path, TWO_TICKERS)
    assert panel.columns == ["Close_^GSPC", "Close_^VIX", "Open_^GSPC", "Open_^VIX"]
    assert column(panel, "Close_^VIX") == [16.48, 16.33]


def test_a_frame_of_yfinance_is_taken_as_it_is() -> None:
    """Columns of two levels and an index of dates, as `yfinance.download` gives them."""
    days = pd.date_range("2020-01-01", periods=120, name="Date")
    names = pd.MultiIndex.from_product([["Close", "Open"], ["SPY"]], names=["Price", "Ticker"])
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)), index=days, columns=names)
    model = DiffusionModel(
        architecture="mlp", data={"predict_len": 4}, training={"max_steps": 1, "threads": 1}
    ).fit(frame)
    assert model.sample_frame(2).columns.tolist()[-2:] == ["Close", "Open"]


def test_investing_com(tmp_path: Path) -> None:
    panel = read(tmp_path, INVESTING)
    assert column(panel, "Price") == [933.68, 2826.06, 2802.39]
    assert column(panel, "Change %") == [0.88, 0.14, -0.84]
    volume = column(panel, "Vol.")
    assert volume[0] == 12.5e6 and np.isnan(volume[1]) and volume[2] == 1.23e9
    assert said(panel, "as investing.com writes prices; Price is the close")
    assert said(panel, "rows were newest first")
    assert said(panel, "dates such as 'May 28, 2019' are read as 2019-05-28")


def test_nasdaq(tmp_path: Path) -> None:
    panel = read(tmp_path, NASDAQ)
    assert column(panel, "Close/Last") == [99.1, 1233.1] and column(panel, "Volume") == [12345, 12345]
    assert said(panel, "as Nasdaq writes prices") and said(panel, "'03/26/2019' are read as 2019-03-26")


def test_fred(tmp_path: Path) -> None:
    panel = read(tmp_path, FRED)
    assert column(panel, "VIXCLS") == [16.48, 14.68]
    assert said(panel, "as FRED writes series, with a point for a missing value")


def test_a_copy_on_kaggle_with_commas_between_thousands(tmp_path: Path) -> None:
    panel = read(tmp_path, KAGGLE)
    assert panel.columns == ["Open", "High", "Low", "Close", "Volume"]
    assert said(panel, "the first column has no name and holds row numbers: left out")
    assert column(panel, "Volume") == [1e6, 900]
    assert said(panel, "column 'Volume': commas separate thousands ('1,000,000' is 1000000)")


def test_commas_that_separate_no_thousands_stay_text(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"'12,5' is not a number"):
        read(tmp_path, 'date,x\n2020-01-01,"12,5"\n2020-01-02,"1,250"\n', columns=["x"])


def test_other_tables_are_left_alone() -> None:
    table = pd.DataFrame({"date": ["2020-01-01"], "price": [1.0], "note": ["-"]})
    assert understood(table).equals(table) and not notes_of(understood(table))
    sensors = pd.DataFrame({"time": [1, 2], "a": [np.nan, 1.0], "b": [np.nan, 2.0]})
    assert len(understood(sensors)) == 2, "an empty row of a table that holds no prices is a missing value"


@pytest.mark.parametrize("text", [YAHOO, YFINANCE, INVESTING, NASDAQ, KAGGLE])
def test_prices_get_one_set_of_names(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    table = price_table(read_file(path), "the file")
    assert {"date", "open", "high", "low", "close", "volume"} <= set(table.columns)
    assert len(notes_of(table)) == len(set(notes_of(table))) > 0


@pytest.mark.parametrize("text", [YAHOO, YFINANCE, INVESTING, NASDAQ])
def test_returns_of_any_layout(tmp_path: Path, text: str) -> None:
    path = tmp_path / "prices.csv"
    path.write_text(text)
    table = Registry.get("dataset", "sp500_logret", path=str(path)).load()
    panel = read(tmp_path, text)
    close = next(name for name in ("Close", "Price", "Close/Last") if name in panel.columns)
    assert np.allclose(table["close_log_return"], np.diff(np.log(column(panel, close))))
    assert table.columns.tolist() == ["date", "close_log_return"]


def test_the_shipped_returns_are_those_of_the_prices() -> None:
    made = Registry.get("dataset", "sp500_logret").load()
    prices = Registry.get("dataset", "sp500").load()
    assert np.allclose(made["close_log_return"], np.diff(np.log(prices["close"])))
    assert (made["date"].to_numpy() == prices["date"].to_numpy()[1:]).all()


def test_the_shipped_vix_has_no_holes() -> None:
    made = Registry.get("dataset", "vix").load()
    assert len(made) == 1259 and made.notna().all().all() and made["vix"].between(5, 90).all()


def test_sp500_and_vix_of_one_file_or_two(tmp_path: Path) -> None:
    (tmp_path / "both.csv").write_text(TWO_TICKERS)
    both = Registry.get("dataset", "vix_sp500", path=str(tmp_path / "both.csv")).load()
    assert both.columns.tolist() == ["date", "sp500_close", "vix_close"]
    assert both["vix_close"].tolist() == [16.48, 16.33] and both["sp500_close"].tolist() == [2800.71, 2798.36]
    (tmp_path / "spx.csv").write_text(YAHOO)
    (tmp_path / "vix.csv").write_text(YFINANCE.replace("^GSPC", "^VIX"))
    two = Registry.get(
        "dataset", "vix_sp500", path=str(tmp_path / "spx.csv"), vix_path=str(tmp_path / "vix.csv")
    )
    assert two.load()["date"].tolist() == [pd.Timestamp("2019-03-22")]
    assert "1 days that both sp500_close and vix_close have; 1 left out" in notes_of(two.load())
    with pytest.raises(DataError, match=r"has no column vix_close .*vix_path: VIX.csv"):
        Registry.get("dataset", "vix_sp500", path=str(tmp_path / "spx.csv")).load()
    with pytest.raises(DataError, match="vix_path is given without path"):
        Registry.get("dataset", "vix_sp500", vix_path="x.csv").load()
    (tmp_path / "later.csv").write_text(YAHOO.replace("2019", "2021"))
    apart = Registry.get(
        "dataset", "vix_sp500", path=str(tmp_path / "spx.csv"), vix_path=str(tmp_path / "later.csv")
    )
    with pytest.raises(DataError, match="no day in common"):
        apart.load()


def test_load_by_the_beginning_of_its_hour(tmp_path: Path) -> None:
    file = Path(__file__).parents[1] / "files" / "load.csv"
    made = Registry.get("dataset", "gefcom2014", path=str(file)).load()
    assert made.columns.tolist() == ["time", "load_mw", "temp_f"]
    assert (
        made["time"].iloc[0] == pd.Timestamp("2006-01-11 03:00")
        and "3 hours without a load" in notes_of(made)[0]
    )
    named = made.assign(time=made["time"] + pd.Timedelta(hours=1))
    named.to_parquet(tmp_path / "load.parquet")
    again = Registry.get("dataset", "gefcom2014", path=str(tmp_path / "load.parquet")).load()
    assert again.equals(made)
    text = file.read_text()
    for change, message in (
        (("Hour", "Stunde"), "no column time .*supplement"),
        (("load", "demand"), "no column load_mw"),
        (("1/11/2006,1,", "1/11/2006,0,"), "'Hour' has 0: expected hours 1 to 24"),
    ):
        (tmp_path / "wrong.csv").write_text(text.replace(*change))
        with pytest.raises(DataError, match=message):
            Registry.get("dataset", "gefcom2014", path=str(tmp_path / "wrong.csv")).load()
    with pytest.raises(DataError, match=r"not shipped with undula: .*data\.path=GEFCom2014-E\.csv.*doi"):
        Registry.get("dataset", "gefcom2014").load()
