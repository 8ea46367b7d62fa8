"""Yahoo Finance and FRED by a name with a colon: the cache, the answers, the messages; nothing is fetched."""

from __future__ import annotations

import sys
import types
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from undula.core.errors import ConfigError, DataError
from undula.core.registry import Registry
from undula.core.source import BaseSource
from undula.data import fetching
from undula.data.cache import cache_file, fetch
from undula.data.options import DataOptions
from undula.data.prepare import prepare
from undula.testing import laws_of

CSV = "observation_date,VIXCLS\n2020-01-01,.\n2020-01-02,12.47\n2020-01-03,14.02\n"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNDULA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def yahoo(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Closes of a hundred days by symbol; the symbols that were asked for are listed."""
    asked: list[str] = []

    def download(symbol: str, **options: object) -> pd.DataFrame:
        asked.append(symbol)
        days = pd.date_range("2020-01-01", periods=100, name="Date")
        return pd.DataFrame({"Close": [10.0 + i for i in range(100)], "Open": 9.0}, index=days)

    monkeypatch.setitem(sys.modules, "yfinance", types.SimpleNamespace(download=download))
    return asked


def answers(monkeypatch: pytest.MonkeyPatch, answer: str | Exception) -> list[str]:
    """FRED's answer; the addresses that were asked for are listed."""
    asked: list[str] = []

    def read(url: str) -> str:
        asked.append(url)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(fetching, "_read", read)
    return asked


def test_a_symbol_is_fetched_once_and_kept_under_its_name(cache: Path, yahoo: list[str]) -> None:
    options = DataOptions(dataset="yahoo:^GSPC", columns=["close"], transform="log_return", predict_len=4)
    panel = prepare(options).panel
    prepare(options.model_copy(update={"dataset": {"type": "yahoo", "params": {"symbol": "^GSPC"}}}))
    assert yahoo == ["^GSPC"] and panel.columns == ["close_log_return"]
    BaseSource.of("yahoo:BRK/B").load()
    assert sorted(p.name for p in cache.iterdir()) == ["yahoo_BRK_B.parquet", "yahoo_^GSPC.parquet"]


def test_fred_leaves_out_days_without_a_value(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answers(monkeypatch, CSV)
    source = BaseSource.of("fred:VIXCLS")
    for _ in range(2):
        table = source.load()
        assert table.columns.tolist() == ["date", "vixcls"] and table["vixcls"].tolist() == [12.47, 14.02]
    assert len(asked) == 1 and asked[0].endswith("?id=VIXCLS")
    assert cache_file("fred:VIXCLS").name == "fred_VIXCLS.parquet"


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (urllib.error.URLError("no route"), r"download of VIXCLS from FRED failed \(no route\)"),
        (TimeoutError("timed out"), r"failed \(timed out\)"),
        (
            urllib.error.HTTPError("u", 404, "Not Found", None, None),
            r"no series 'VIXCLS' or refuses it \(HTTP 404\)",
        ),
        ("observation_date,VIXCLS\n2020-01-01,.\n", "gave no values for VIXCLS"),
        ("observation_date,VIXCLS\n", "gave no values for VIXCLS"),
        ("", "not its table"),
        ("<html>busy</html>", r"not its table \('<html>busy</html>' …\)"),
    ],
)
def test_freds_failures_say_both_ways_out(
    cache: Path, monkeypatch: pytest.MonkeyPatch, answer: str | Exception, message: str
) -> None:
    answers(monkeypatch, answer)
    with pytest.raises(
        DataError, match=message + r".*undula data download fred:VIXCLS.*data\.path=series\.csv"
    ):
        BaseSource.of("fred:VIXCLS").load()
    assert not cache.exists()


def test_a_failed_download_keeps_what_was_there(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, CSV)
    source = BaseSource.of("fred:VIXCLS")
    fetch(source)
    answers(monkeypatch, OSError("gone"))
    with pytest.raises(DataError, match="gone"):
        fetch(source)
    assert len(source.load()) == 2


def test_without_yfinance_both_ways_are_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    for name in ("yahoo:^VIX", "vix_sp500"):
        with pytest.raises(
            DataError,
            match=r"data\.path=.*pip install 'undula\[download\]'.*data download " + name.replace("^", r"\^"),
        ):
            BaseSource.of(name).load()


def test_both_indices_are_joined(cache: Path, yahoo: list[str]) -> None:
    table = BaseSource.of("vix_sp500").load()
    assert yahoo == ["^GSPC", "^VIX"] and table.columns.tolist() == ["date", "sp500_close", "vix_close"]
    assert len(table) == 100


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sp500:x", r"sp500 takes nothing after a colon \(those that do: fred:SERIES, yahoo:SYMBOL\)"),
        ("yahoo:", "yahoo needs its symbol after the colon"),
        ("yahooo:x", "did you mean 'yahoo'"),
        ("yahoo", "needs the parameter 'symbol'"),
    ],
)
def test_mistakes(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        BaseSource.of(name)


@pytest.mark.parametrize("name", ["yahoo:^GSPC", "fred:VIXCLS", "vix_sp500"])
def test_the_laws_of_sources(
    cache: Path, yahoo: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    answers(monkeypatch, CSV)
    for law in laws_of("dataset"):
        law(BaseSource.of(name))


def test_specs_make_the_same_source() -> None:
    check: Callable[[str], BaseSource] = BaseSource.of
    assert BaseSource.of(Registry.spec(check("fred:DGS10"))) == check("fred:DGS10")
    assert check("fred:DGS10").title == "fred:DGS10" and check("sp500").title == "sp500"
