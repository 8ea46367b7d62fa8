"""Spreading out forecasts so that their intervals hold what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from undula import DiffusionModel
from undula.evaluation.probabilistic import coverage, crps
from undula.model.origins import calibrated_spread, spread_out


def answers(n: int, width: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Paths of standard deviation `width` and 2 `width` about means from which the truth is 1 and 2 away."""
    rng = np.random.default_rng(seed)
    mean, scale = rng.normal(size=(n, 4, 2)), np.array([1.0, 2.0])
    truth = mean + scale * rng.normal(size=(n, 4, 2))
    return mean + width * scale * rng.normal(size=(400, n, 4, 2)), truth


@pytest.mark.parametrize("method", ["conformal", "temperature"])
@pytest.mark.parametrize("width", [0.5, 1.0, 1.6])
def test_the_factor_is_that_of_the_spreads(method: str, width: float) -> None:
    """Of Gaussians it is the ratio of standard deviations; what was not used for it is covered then."""
    factor = calibrated_spread(*answers(300, width, 0), method)  # type: ignore[arg-type]
    assert factor == pytest.approx(np.full(2, 1 / width), rel=0.1)
    paths, truth = answers(300, width, 1)
    after = spread_out(paths, factor)
    assert coverage(after, truth) == pytest.approx(0.9, abs=0.025)
    assert crps(after, truth).mean() <= 1.005 * crps(paths, truth).mean()


def test_medians_stay_where_they_are() -> None:
    paths, _ = answers(5, 1.0, 2)
    assert np.allclose(np.median(spread_out(paths, np.array([3.0, 0.2])), 0), np.median(paths, 0))


def test_a_model_keeps_what_it_learned(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(size=1600)
    table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=1500, freq="h"),
                          "level": lfilter([1], [1, -0.8], noise)[100:]})  # fmt: skip
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 32, "num_layers": 1}},
        data={"history_len": 4, "predict_len": 4, "split": {"train": 0.6, "val": 0.2, "test": 0.2}},
        training={"num_epochs": 4, "threads": 1},
    ).fit(table)
    plain = model.forecast(table, 4, 50).paths[0]
    factor = model.calibrate(table, num_samples=50)
    assert factor.shape == (1,) and factor[0] > 0
    after = model.forecast(table, 4, 50).paths[0]
    assert np.allclose(after, spread_out(plain, factor))
    model.save(tmp_path)
    assert np.array_equal(DiffusionModel.load(tmp_path).forecast(table, 4, 50).paths[0], after)
    assert np.allclose(model.calibrate(table, num_samples=50), factor), "not of what was calibrated before"
