"""`undula.evaluate` with a field: finance on prices, energy by the clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import undula
from undula.core.errors import ConfigError
from undula.domains.finance import FINANCE

RNG = np.random.default_rng(0)
DAYS = pd.bdate_range("2015-01-01", periods=700)
HOURS = pd.date_range("2021-03-01", periods=24 * 28, freq="h")


def price_table(seed: int) -> pd.DataFrame:
    returns = 0.01 * np.random.default_rng(seed).standard_t(4, 700)
    return pd.DataFrame(
        {"date": DAYS, "close": 100 * np.exp(np.cumsum(returns)), "volume": 1e6 + RNG.random(700)}
    )


def load_table(shift: float = 0.0, periods: int = 24 * 28) -> pd.DataFrame:
    load = 3000 + 500 * np.sin(2 * np.pi * (np.arange(periods) + shift) / 24) + RNG.normal(0, 30, periods)
    return pd.DataFrame({"time": HOURS[:periods], "load": load})


def assess(real: object, synthetic: object, **options: object) -> object:
    return undula.evaluate(real, synthetic, baselines=(), metrics=["domain"], bootstrap=5, **options)  # type: ignore[arg-type]


def test_risk_of_prices_is_that_of_their_returns(tmp_path: Path) -> None:
    real, made = price_table(0), price_table(1)
    real.to_csv(tmp_path / "real.csv", index=False)
    made[["volume", "close", "date"]].to_csv(tmp_path / "made.csv", index=False)
    found = assess(
        tmp_path / "real.csv", tmp_path / "made.csv", transform="log_return", domain="finance", length=20
    )
    assert found.columns == ["close_log_return", "volume_log_return"]
    alone = assess(real, made, transform="log_return", domain="finance", length=20, columns=["close"])
    assert alone.columns == ["close_log_return"] and set(alone.judgement.figures) == set(FINANCE)
    numbers = alone.judgement.figures["es_1%"].statistic
    for k, table in (("held_out", real), ("generated", made)):
        log_returns = np.diff(np.log(table["close"]))
        windows = np.lib.stride_tricks.sliding_window_view(log_returns, 20)
        assert numbers[k] == pytest.approx(FINANCE["es_1%"](windows))
    as_prices = assess(real, made, domain="finance", length=21, columns=["close"])
    assert as_prices.judgement.figures["es_1%"].statistic["held_out"] == pytest.approx(numbers["held_out"])
    assert "log returns of close within a window" in as_prices.as_json()["data"]["notes"][-1]


def test_columns_without_returns_are_left_out_and_said() -> None:
    found = assess(price_table(0), price_table(1), domain="finance", length=20)
    assert "volume holds neither log returns nor prices" in " ".join(found.judgement.notes)
    assert (
        found.judgement.figures["var_1%"].words == "value at risk 1 % of a step (share of the price) (close)"
    )
    with pytest.raises(ConfigError, match="volume holds neither"):
        assess(price_table(0), price_table(1), domain="finance", columns=["volume"])
    with pytest.raises(ConfigError, match="the field alone, and no domain is given"):
        assess(price_table(0), price_table(1))


def test_days_shifted_by_six_hours_have_the_right_windows_and_the_wrong_profile(tmp_path: Path) -> None:
    """Two sines a quarter of a day apart: the gap is 500."""
    found = assess(load_table(), load_table(6.0), domain="energy", stride=5)
    figure = found.judgement.figures["daily_profile"]
    assert figure.value == pytest.approx(500, rel=0.03) and figure.floor < 20
    assert list(found.judgement.figures)[-1] == "weekly_profile"
    assert [profile.name for profile in found.profiles] == ["daily profile", "weekly profile"]
    written = {path.name for path in found.write(tmp_path)}
    assert "profiles.png" in written
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "chart-profiles" in page and "daily profile: root mean square gap over 24 hours" in page


def test_without_stamps_it_says_why_there_is_no_profile() -> None:
    values = load_table()["load"].to_numpy()[:, None]
    found = assess(load_table().drop(columns="time"), values, domain="energy")
    assert "REAL and SYNTHETIC have no time stamps" in found.judgement.notes[-1]
    assert "daily_profile" not in found.judgement.figures
    assert [profile.name for profile in found.profiles] == ["course of a window"]


def test_a_training_part_gives_the_shift_floor() -> None:
    found = assess(load_table(), load_table(1.0), train=load_table(2.0), domain="energy")
    figure = found.judgement.figures["daily_profile"]
    assert figure.floors["shift"] == pytest.approx(2 * figure.value, rel=0.2)
    assert list(found.profiles[0].sets) == ["held-out", "synthetic", "training part"]
