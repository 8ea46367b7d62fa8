"""Rolling origins of a process whose best forecast is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from undula import DiffusionModel
from undula.core.errors import DataError
from undula.experiments.backtest import backtest

PHI, H = 0.8, 6


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    noise = np.random.default_rng(0).normal(0, (1 - PHI**2) ** 0.5, 4100)
    level = 50 + 10 * lfilter([1], [1, -PHI], noise)[100:]
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=4000, freq="h"), "level": level})


def fitted(table: pd.DataFrame, **data: object) -> DiffusionModel:
    return DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 64, "num_layers": 2}},
        sampler={"type": "dpm", "params": {"num_steps": 10}},
        data={"predict_len": H, **data},
        training={"num_epochs": 20, "batch_size": 128, "learning_rate": 3e-3, "threads": 1},
    ).fit(table)


@pytest.mark.parametrize("data", [{"history_len": H}, {"predict_len": 2 * H}], ids=["told", "guided"])
def test_scores_beside_forecasters(table: pd.DataFrame, data: dict[str, int]) -> None:
    """Of a few origins as good as a linear autoregression on linear data; intervals cover."""
    model = fitted(table, **data)
    found = backtest(model, table, 25, 60, ("naive", "residual_bootstrap"), seed=1)
    assert found.truth.shape == (25, H, 1) and set(found.paths) == {"undula", "naive", "residual_bootstrap"}
    assert all(paths.shape == (60, 25, H, 1) for paths in found.paths.values())
    scores = found.scores()
    assert scores["undula"]["crps"] < 1.15 * scores["residual_bootstrap"]["crps"]
    assert scores["undula"]["crps"] < 1.1 * scores["naive"]["crps"]
    assert scores["undula"]["wql"] < 1.15 * scores["residual_bootstrap"]["wql"]
    assert scores["undula"]["coverage"]["0.9"] == pytest.approx(0.9, abs=0.08)
    low, high = scores["undula"]["joint_coverage_90_interval"]
    assert low < scores["undula"]["joint_coverage_90"] <= high


def test_origins_are_of_the_test_part_and_share_no_row(table: pd.DataFrame) -> None:
    model = fitted(table, history_len=H)
    found = backtest(model, table, 10_000, 2, ())
    rows = {tuple(window[:, 0]) for window in found.truth}
    places = [
        int(np.flatnonzero(table["level"].to_numpy() == window[0])[0]) for window in found.truth[:, :, 0]
    ]
    assert len(rows) == len(found.truth) and np.diff(sorted(places)).min() >= H
    assert min(places) >= 0.9 * len(table)
    with pytest.raises(DataError, match="no data: give data"):
        backtest(model)


def test_a_forecaster_that_cannot_is_left_out_and_named(table: pd.DataFrame) -> None:
    model = fitted(table, history_len=H)
    found = backtest(model, table, 3, 2, [
        {"type": "seasonal_naive", "params": {"period": 24}},
        "naive",
    ])  # fmt: skip
    assert "naive" in found.paths and "seasonal_naive" not in found.paths
    assert any(note.startswith("seasonal_naive: left out") for note in found.notes)
