"""The preset on real data: volatility follows the VIX, in the training years and in the held-out ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from undula import DiffusionModel
from undula.config.loading import load_config
from undula.data.prepare import prepare
from undula.domains.finance.scenarios import run_scenarios


@pytest.mark.data
@pytest.mark.slow
def test_volatility_follows_the_vix(shared_data: Path) -> None:
    file = shared_data / "sp500_vix" / "sp500_vix_daily.parquet"
    config = load_config("vix_scenarios", [f"data.path={file}", "training.num_epochs=20"])
    prepared = prepare(config.data)
    model = DiffusionModel.from_config(config).fit(prepared)
    for part in ("train", "held-out"):
        study = run_scenarios(
            model, prepared, levels=[12, 16, 20, 25, 30, 40], n=500, part=part, draws=20, num_steps=20
        )  # type: ignore[arg-type]
        assert study.monotone(1.0), part
        assert all(study.inside(row) for row in study.rows), part
        assert all(row.windows > 50 for row in study.real), part


@pytest.mark.data
def test_the_return_starts_from_the_close_of_the_vix_that_is_told(shared_data: Path) -> None:
    import numpy as np
    import pandas as pd

    file = shared_data / "sp500_vix" / "sp500_vix_daily.parquet"
    prepared = prepare(load_config("vix_scenarios", [f"data.path={file}"]).data)
    table, train = pd.read_parquet(file), prepared.parts.train
    batch, times = train.batch(np.arange(len(train))), train.times()
    assert times is not None and batch.start is not None
    first = np.searchsorted(table["date"].to_numpy(), [t[0] for t in times])
    assert np.array_equal(batch.start[:, 0], table["vix_close"].to_numpy()[first - 1])
    close = table["sp500_close"].to_numpy()
    assert np.allclose(batch.future[:, 0, 0], np.log(close[first] / close[first - 1]))
