"""Which columns the figures of finance are of, and what is said of the others."""

from __future__ import annotations

import numpy as np
import pytest

from undula.core.errors import ConfigError
from undula.domains.figures import domain_figures
from undula.domains.finance import (
    FINANCE,
    FINANCE_WORDS,
    finance_figures,
    log_returns,
    price_columns,
    prices,
    return_columns,
)

RNG = np.random.default_rng(0)
RETURNS = RNG.standard_t(4, (200, 30)) * 0.01


def test_names_say_what_columns_hold() -> None:
    names = [
        "sp500_close_log_return",
        "vix_close_log",
        "Adj Close",
        "open",
        "volume",
        "close_difference",
        "logret",
    ]
    assert return_columns(names) == ["sp500_close_log_return", "logret"]
    assert price_columns(names) == ["Adj Close", "open"]
    assert price_columns(["closeness", "lowland", "oil_price"]) == ["oil_price"]


def test_figures_of_prices_are_those_of_their_returns() -> None:
    of_prices = finance_figures(["close"], prices(RETURNS, 80.0)[:, :, None])
    assert of_prices.notes == ("finance: figures are of the log returns of close within a window",)
    measured = of_prices.windows(prices(RETURNS, 80.0)[:, :, None], 0)
    assert np.allclose(measured, RETURNS)
    assert of_prices.known_as(1) == {}, "autocorrelations of prices are not those of returns"
    assert finance_figures(["close_log_return"], RETURNS[:, :, None]).known_as(1) == {
        "acf_squared": "volatility_clustering",
        "acf_abs": "sizes_clustering",
    }


def test_the_judges_own_clustering_is_the_fields() -> None:
    from undula.evaluation.statistics import STATISTICS

    for own, name in finance_figures(["r_logret"], RETURNS[:, :, None]).known_as(1).items():
        assert STATISTICS[own](RETURNS) == pytest.approx(FINANCE[name](RETURNS), abs=1e-12)


def test_a_set_with_a_price_that_is_not_positive_has_no_returns() -> None:
    bad = prices(RETURNS)
    bad[3, 4] = 0.0
    assert np.isnan(log_returns(bad)).all() and log_returns(bad).shape == RETURNS.shape


def test_other_columns_are_named() -> None:
    windows = np.stack([RETURNS, RETURNS**2, -RETURNS], axis=2)
    found = finance_figures(["spx_log_return", "vix_log", "oil"], windows)
    assert found.columns == (0,) and found.names == ("spx_log_return",)
    assert found.notes == (
        "finance: figures are of spx_log_return alone; vix_log, oil hold neither log returns nor prices",
    )


def test_names_that_say_nothing_are_taken_for_returns_only_with_both_signs() -> None:
    found = finance_figures(["x1", "x2"], np.stack([RETURNS, RETURNS**2], axis=2))
    assert found.columns == (0,) and "x1 taken for log returns" in found.notes[0]
    with pytest.raises(
        ConfigError, match=r"x1 holds neither log returns .* nor prices .* by name: use transform"
    ):
        finance_figures(["x1"], RETURNS[:, :, None] ** 2)
    with pytest.raises(ConfigError, match="close_difference holds neither"):
        finance_figures(["close_difference"], RETURNS[:, :, None])
    with pytest.raises(ConfigError, match="'close' is called a price and has values that are not positive"):
        finance_figures(["close"], RETURNS[:, :, None])


def test_what_short_windows_do_not_define_is_left_out_and_said() -> None:
    found = domain_figures("finance", ["r_logret"], RETURNS[:, :6, None])
    assert "kurtosis_20_steps" not in found.statistics and "kurtosis_5_steps" in found.statistics
    assert found.notes == (
        "finance: not defined for 200 windows of 6 steps: excess kurtosis of returns over 20 steps",
    )
    assert domain_figures(None, ["r"], RETURNS[:, :, None]).statistics == {}
    assert set(FINANCE_WORDS) == set(FINANCE)
