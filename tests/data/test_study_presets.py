"""The presets whose data are not shipped: what they cut, that they run, what they say without a file."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula.config.loading import load_config
from undula.core.errors import DataError
from undula.data.prepare import prepare
from undula.experiments.runner import ExperimentRunner

SHORT = {"max_steps": 2, "sample_every": None, "threads": 1}
EVALUATION = {"num_samples": 100, "bootstrap": 2, "metrics": ["std"], "baselines": ["gaussian"]}


def vix_file(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    days = pd.bdate_range("2000-01-03", periods=1200)
    vix = np.exp(3 + 0.3 * np.sin(np.arange(1200) / 40) + 0.05 * rng.normal(size=1200))
    sp500 = 1000 * np.exp(np.cumsum(vix / 1600 * rng.normal(size=1200)))
    pd.DataFrame({"date": days, "sp500_close": sp500, "vix_close": vix}).to_csv(folder / "v.csv", index=False)
    return folder / "v.csv"


def load_file(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    days, hours = np.divmod(np.arange(24 * 120), 24)
    dates = pd.Timestamp("2006-01-01") + pd.to_timedelta(days, unit="D")
    load = 3000 + 500 * np.sin((hours - 9) / 24 * 2 * np.pi) + rng.normal(0, 50, len(hours))
    table = pd.DataFrame(
        {"Date": dates.strftime("%m/%d/%Y"), "Hour": hours + 1, "load": load, "T": load / 60}
    )
    table.to_csv(folder / "l.csv", index=False)
    return folder / "l.csv"


def prices_file(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    close = 50 * np.exp(np.cumsum(0.01 * rng.normal(size=900))).round(4)
    low, high = close - rng.exponential(0.4, 900).round(2), close + rng.exponential(0.4, 900).round(2)
    days = pd.bdate_range("2000-01-03", periods=900)
    pd.DataFrame({"date": days, "low": low, "high": high, "close": close}).to_csv(
        folder / "p.csv", index=False
    )
    return folder / "p.csv"


@pytest.mark.parametrize(
    ("preset", "file", "columns"),
    [
        ("windows", prices_file, ["low", "high", "close"]),
        ("vix_sp500", vix_file, ["sp500_close_log_return", "vix_close_log"]),
        ("gefcom2014", load_file, ["load_mw", "temp_f"]),
    ],
)
def test_presets_run(tmp_path: Path, preset: str, file: object, columns: list[str]) -> None:
    changes = [
        f"data.path={file(tmp_path)}",
        f"training={json.dumps(SHORT)}",
        f"evaluation={json.dumps(EVALUATION)}",
    ]
    if preset == "windows":  # its network is large
        changes.append("components.architecture.params={model_dim: 16, num_layers: 1, activation: swiglu}")
    outcome = ExperimentRunner.from_config(preset, changes, out=tmp_path, quiet=True).run()
    assert outcome is not None
    results = json.loads((outcome.folder / "results.json").read_text())
    assert results["data"]["columns"] == columns
    samples = pd.read_parquet(outcome.folder / "samples.parquet")
    assert np.isfinite(samples[columns].to_numpy()).all()
    if preset == "windows":
        assert (samples["low"] <= samples["close"]).all() and (samples["close"] <= samples["high"]).all()


def test_days_of_load_are_days(tmp_path: Path) -> None:
    parts = prepare(load_config("gefcom2014", [f"data.path={load_file(tmp_path)}"]).data).parts
    for part in (parts.train, parts.val, parts.test):
        assert part is not None
        for times in part.times() or []:
            stamps = pd.DatetimeIndex(times)
            assert stamps.hour.tolist() == list(range(24)) and len(set(stamps.normalize())) == 1
        assert part.features.shape[1] == 4


@pytest.mark.parametrize(
    ("preset", "message"),
    [
        ("vix_sp500", r"data\.path=FILE.*pip install 'undula\[download\]'.*undula data download vix_sp500"),
        ("gefcom2014", r"data\.path=GEFCom2014-E\.csv.*doi:10\.1016"),
        ("windows", r"no data: give data\.path \(your own file\)"),
    ],
)
def test_without_a_file_the_ways_out_are_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, preset: str, message: str
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "yfinance", None)
    monkeypatch.setenv("UNDULA_CACHE", str(tmp_path))
    with pytest.raises(DataError, match=message):
        prepare(load_config(preset).data)


@pytest.mark.data
def test_the_shared_files_have_three_parts(shared_data: Path) -> None:
    for preset, file in (
        ("vix_sp500", "sp500_vix/sp500_vix_daily.parquet"),
        ("gefcom2014", "gefcom2014/gefcom2014_e.parquet"),
    ):
        parts = prepare(load_config(preset, [f"data.path={shared_data / file}"]).data).parts
        assert min(len(parts.train), len(parts.val or []), len(parts.test or [])) > 300
