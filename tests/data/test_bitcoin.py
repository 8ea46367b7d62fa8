"""The data set that reads the user's file or a download: names, cache, messages; the preset runs."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula.config.loading import load_config, preset_text
from undula.config.yaml12 import parse_yaml
from undula.core.errors import DataError
from undula.core.registry import Registry
from undula.data.cache import cache_file
from undula.data.options import DataOptions
from undula.data.prepare import prepare
from undula.experiments.runner import ExperimentRunner

REFERENCE = """
experiment: {name: blocks, description: "Exchangeable blocks"}
components:
  preprocessing: {type: "wavelet", params: {wavelet: "db4", level: 3}}
  architecture: {type: "transformer", params: {model_dim: 256, num_heads: 8, num_layers: 6}}
  noise: {type: "standard", params: {schedule: "linear"}}
  sde: {type: "vpsde", params: {beta_min: 0.1, beta_max: 20.0}}
  objective: {type: "score_matching", params: {loss_weight: "uniform"}}
  sampler: {type: "euler", params: {num_steps: 1000}}
data: {dataset: "bitcoin", history_len: 252, predict_len: 21}
training: {batch_size: 32, learning_rate: 1e-4, num_epochs: 100}
"""

VARIANTS = {
    "as it stands": {},
    "multi_scale": {"preprocessing": {"type": "multi_scale", "params": {"scales": [1, 7, 30]}}},
    "ensemble": {
        "architecture": {
            "type": "ensemble",
            "params": {"models": ["transformer", "cnn", "rnn"], "aggregation": "weighted_mean"},
        }
    },
    "cross_attention": {
        "architecture": {
            "type": "transformer",
            "params": {"conditioning": "cross_attention", "condition_dropout": 0.1},
        }
    },
}


def prices(rows: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    close = 300 * np.exp(np.cumsum(rng.normal(0.0005, 0.03, rows)))
    start = np.r_[300.0, close[:-1]]
    return pd.DataFrame(
        {
            "Date": pd.date_range("2012-01-01", periods=rows).strftime("%Y-%m-%d"),
            "Open": start,
            "High": np.maximum(start, close) * (1 + rng.uniform(0, 0.02, rows)),
            "Low": np.minimum(start, close) * (1 - rng.uniform(0, 0.02, rows)),
            "Close": close,
            "Volume": rng.integers(10**6, 10**9, rows),
        }
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("UNDULA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fake_yfinance(monkeypatch: pytest.MonkeyPatch, answer: object) -> list[dict[str, object]]:
    """A module `yfinance` that answers or raises; the calls are listed."""
    calls: list[dict[str, object]] = []

    def download(symbol: str, **options: object) -> object:
        calls.append({"symbol": symbol, **options})
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setitem(sys.modules, "yfinance", types.SimpleNamespace(download=download))
    return calls


# -- the file --------------------------------------------------------------------------------------


@pytest.mark.parametrize("date", ["Date", "date", "Start", "timestamp"])
def test_a_file_in_any_spelling(tmp_path: Path, date: str) -> None:
    table = prices(400).rename(columns={"Date": date, "Volume": "Market Cap"}).assign(End="x")
    table[::-1].to_csv(tmp_path / "b.csv", index=False)
    prepared = prepare(
        DataOptions(dataset="bitcoin", path=str(tmp_path / "b.csv"), history_len=20, predict_len=5)
    )
    assert prepared.panel.columns == ["open", "high", "low", "close", "market_cap"]
    assert prepared.options.roles.time == "date"
    assert np.allclose(prepared.panel.series[0].values[:, 3], table["Close"])


def test_a_file_with_other_columns_is_refused(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1.0], "b": [2.0]}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match=r"has not a column with the date \(it has a, b\)"):
        Registry.get("dataset", "bitcoin", path=str(tmp_path / "b.csv")).load()
    pd.DataFrame({"date": ["2020-01-01"], "b": [2.0]}).to_csv(tmp_path / "b.csv", index=False)
    with pytest.raises(DataError, match="has not any of the columns open, high, low, close, volume"):
        Registry.get("dataset", "bitcoin", path=str(tmp_path / "b.csv")).load()


def test_only_a_source_that_reads_files_takes_a_path() -> None:
    with pytest.raises(
        DataError,
        match=r"'sp500' reads no file \(those that do: bitcoin, gefcom2014, sp500_logret, vix_sp500\)",
    ):
        prepare(DataOptions(dataset="sp500", path="x.csv"))


# -- the download ----------------------------------------------------------------------------------


def test_a_download_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = prices(300).set_index("Date")
    calls = fake_yfinance(monkeypatch, table)
    source = Registry.get("dataset", "bitcoin")
    first, second = source.load(), source.load()
    assert len(calls) == 1 and calls[0]["symbol"] == "BTC-USD" and calls[0]["period"] == "max"
    assert first.equals(second)
    assert list(first.columns) == ["date", "open", "high", "low", "close", "volume"]
    assert cache_file("bitcoin").parent == cache


@pytest.mark.parametrize("answer", [None, pd.DataFrame(), OSError("no route")])
def test_an_empty_answer_is_an_error_with_both_remedies(
    cache: Path, monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    fake_yfinance(monkeypatch, answer)
    with pytest.raises(DataError, match=r"undula data download bitcoin.*data\.path=bitcoin\.csv"):
        Registry.get("dataset", "bitcoin").load()
    assert not cache.exists()


def test_without_file_and_package_both_ways_are_told(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yfinance", None)
    with pytest.raises(DataError, match=r"data\.path=bitcoin\.csv.*pip install 'undula\[download\]'"):
        prepare(load_config("bitcoin").data)


# -- the preset ------------------------------------------------------------------------------------


def test_the_preset_is_the_reference() -> None:
    preset, reference = parse_yaml(preset_text("bitcoin"), "p"), parse_yaml(REFERENCE, "r")
    assert {k: v for k, v in preset.items() if k not in ("experiment", "evaluation")} == {
        k: v for k, v in reference.items() if k != "experiment"
    }


SMALL = {"model_dim": 16, "num_heads": 2, "num_layers": 1}


@pytest.mark.parametrize(
    ("name", "small"),
    [
        ("as it stands", True),
        ("cross_attention", True),
        *(pytest.param(name, False, marks=pytest.mark.slow) for name in VARIANTS),
    ],
)
def test_the_reference_and_its_variants_run(tmp_path: Path, name: str, small: bool) -> None:
    """With few steps; the quick ones with a small network and one column, and nothing else changed."""
    tree = parse_yaml(REFERENCE, "reference")
    tree["components"] |= VARIANTS[name]
    if small:
        tree["components"]["architecture"]["params"] |= SMALL
    columns = ["close"] if small else ["open", "high", "low", "close", "volume"]
    prices()[["Date", *(c.title() for c in columns)]].to_csv(tmp_path / "bitcoin.csv", index=False)
    tree["data"]["path"] = str(tmp_path / "bitcoin.csv")
    tree["training"] |= {"max_steps": 2, "sample_every": None, "threads": 1}
    tree["components"]["sampler"]["params"]["num_steps"] = 5
    tree["evaluation"] = {"num_samples": 100, "bootstrap": 5, "metrics": ["std"]}
    outcome = ExperimentRunner.from_config(tree, out=tmp_path, quiet=True).run()
    assert outcome is not None
    results = json.loads((outcome.folder / "results.json").read_text())
    assert results["data"]["columns"] == columns
    page = (outcome.folder / "report.html").read_text()
    assert 'id="chart-fans"' in page and 'id="chart-rolling"' in page


@pytest.mark.data
def test_the_shared_prices_have_three_parts(shared_data: Path) -> None:
    path = shared_data / "bitcoin" / "bitcoin_daily.parquet"
    parts = prepare(load_config("bitcoin", [f"data.path={path}"]).data).parts
    assert min(len(parts.train), len(parts.val or []), len(parts.test or [])) > 100
