"""Tables from the network: Yahoo Finance by the package yfinance, FRED by its plain CSV.

What goes wrong is one message that says both ways out: the download once more, or a file of the user's.

References:
    Federal Reserve Bank of St. Louis, FRED. https://fred.stlouisfed.org
"""

from __future__ import annotations

__all__ = ["fred_table", "yahoo_table"]

import io
import logging
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

import pandas as pd

from ..core.errors import DataError
from .layouts import price_table

_FRED = "https://fred.stlouisfed.org/graph/fredgraph.csv?id="
_SECONDS = 30


def yahoo_table(symbol: str, name: str, own_file: str) -> pd.DataFrame:
    """The whole daily history of a symbol: date, open, high, low, close, volume; prices adjusted.

    Args:
        symbol: such as ^GSPC.
        name: what `undula data download` calls it.
        own_file: how the user gives a file instead, in words.

    Raises:
        DataError: if yfinance is missing, fails, or has no rows.
    """
    try:
        import yfinance
    except ImportError:
        raise DataError(
            f"the data set {name} is not shipped with undula: {own_file}, or install the download: "
            f"pip install 'undula[download]' and run `undula data download {name}`"
        ) from None
    retry = f"check the connection and repeat `undula data download {name}`, or {own_file}"
    logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # what goes wrong is said below
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table: Any = yfinance.download(
                symbol,
                period="max",
                interval="1d",
                auto_adjust=True,
                progress=False,
                multi_level_index=False,
            )
    except Exception as error:  # yfinance lets through whatever its network library raises
        raise DataError(f"the download of {symbol} from Yahoo Finance failed ({error}): {retry}") from error
    if table is None or not len(table):
        raise DataError(
            f"Yahoo Finance gave no rows for {symbol} (no connection, too many requests, or no such symbol): "
            f"{retry}"
        )
    return price_table(table.reset_index(), "Yahoo Finance's table")


def fred_table(series: str, name: str, own_file: str) -> pd.DataFrame:
    """A series of FRED: date, and the value under its id in small letters; days without one left out.

    Args:
        series: its id, such as VIXCLS.
        name: what `undula data download` calls it.
        own_file: how the user gives a file instead, in words.

    Raises:
        DataError: if FRED cannot be reached, knows no such series, or gives no values.
    """
    retry = f"check the connection and repeat `undula data download {name}`, or {own_file}"
    try:
        text = _read(_FRED + urllib.parse.quote(series))
    except urllib.error.HTTPError as error:
        raise DataError(
            f"FRED has no series {series!r} or refuses it (HTTP {error.code}): check the id at "
            f"fred.stlouisfed.org, {retry}"
        ) from error
    except OSError as error:
        raise DataError(
            f"the download of {series} from FRED failed ({getattr(error, 'reason', error)}): {retry}"
        ) from error
    try:
        table = pd.read_csv(io.StringIO(text), na_values=["."])
    except ValueError:
        table = pd.DataFrame()
    if list(table.columns[1:]) != [series]:
        shown = " ".join(text[:60].split())
        raise DataError(f"FRED's answer for {series} is not its table ({shown!r} …): {retry}")
    table = table.set_axis(["date", series.lower()], axis=1).dropna().reset_index(drop=True)
    if table.empty:
        raise DataError(f"FRED gave no values for {series}: {retry}")
    table["date"] = pd.to_datetime(table["date"])
    return table


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - https, written above
        return str(answer.read().decode("utf-8", errors="replace"))
