"""Reading and cutting of real files; skipped where the shared data sets are absent."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula.config.starter import starter_config
from undula.core.registry import Registry
from undula.data.options import DataOptions
from undula.data.prepare import prepare

pytestmark = pytest.mark.data

TABLES = (
    "appliances_energy/appliances_energy.parquet",
    "batadal/batadal_dataset03_normal.parquet",
    "bitcoin/bitcoin_daily.parquet",
    "ett/etth1.parquet",
    "exchange_rate/exchange_rate.parquet",
    "gefcom2014/gefcom2014_e.parquet",
    "google_stock/google_stock.parquet",
    "iso_ne_zones/iso_ne_zones.parquet",
    "sp500_vix/sp500_vix_daily.parquet",
)


@pytest.mark.parametrize("name", TABLES)
def test_a_starter_config_fits_every_table(shared_data: Path, name: str) -> None:
    file = shared_data / name
    text, notes = starter_config(file)
    assert any(note.startswith("train:") for note in notes)
    assert str(file) in text


@pytest.mark.parametrize("name", TABLES)
def test_windows_are_the_tables_rows(shared_data: Path, name: str) -> None:
    """Every part's windows are rows of the file, in order, and no row of one part is in another."""
    table = pd.read_parquet(shared_data / name)
    numeric = [c for c in table.select_dtypes("number").columns if table[c].nunique() > 50][:3]
    prepared = prepare(DataOptions(columns=numeric, predict_len=24, missing="drop"), table)
    values = table[numeric].to_numpy(float)
    rows = []
    for part in (prepared.parts.train, prepared.parts.val, prepared.parts.test):
        assert part is not None
        for i in (0, len(part) // 2, len(part) - 1):
            start = int(part.starts[i])
            assert np.allclose(part.futures(np.array([i]))[0], values[start : start + 24], rtol=1e-6)
        rows.append((int(part.starts.min()), int(part.starts.max()) + 24))
    for (_, end), (start, _) in itertools.pairwise(rows):
        assert start >= end + 24


def test_our_sp500_is_the_others(shared_data: Path) -> None:
    """Two records of the same index agree, but for a few revised days."""
    ours = Registry.get("dataset", "sp500").load().set_index("date")["close"]
    other = pd.read_parquet(shared_data / "sp500_vix/sp500_vix_daily.parquet").set_index("date")[
        "sp500_close"
    ]
    both = pd.concat([ours, other], axis=1, join="inner")
    assert len(both) > 5000
    difference = (both.iloc[:, 0] / both.iloc[:, 1] - 1).abs()
    assert difference.max() < 1e-3
    assert (difference > 1e-4).sum() < 20
