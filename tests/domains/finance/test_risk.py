"""The figures of a study of scenarios: what they are of, and in which units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from undula.domains.finance.risk import RISKS, realised_volatilities


def test_volatility_by_hand() -> None:
    r = np.array([[0.01, -0.01, 0.02, 0.0], [0.0, 0.0, 0.0, 0.0]])
    assert realised_volatilities(r, 252) == pytest.approx([np.sqrt(252 * 6e-4 / 4), 0.0])
    assert realised_volatilities(r, 12)[0] == pytest.approx(np.sqrt(12 * 6e-4 / 4))


def test_losses_of_normal_returns_have_their_closed_form() -> None:
    """R = e^r − 1 with r ~ N(μ, s²): VaR = 1 − e^{μ + s z}; ES = 1 − e^{μ + s²/2} Φ(z − s)/q."""
    mean, s, q = 0.0004, 0.02, 0.01
    r = np.random.default_rng(0).normal(mean, s, (20_000, 50))
    z = stats.norm.ppf(q)
    assert RISKS["var_1%"](r, 252) == pytest.approx(1 - np.exp(mean + s * z), rel=0.005)
    shortfall = 1 - np.exp(mean + s**2 / 2) * stats.norm.cdf(z - s) / q
    assert RISKS["es_1%"](r, 252) == pytest.approx(shortfall, rel=0.005)
    assert RISKS["es_1%"](r, 252) > RISKS["var_1%"](r, 252) > 0


def test_losses_are_of_simple_returns() -> None:
    """A fall of 70 % is a loss of 0.7, not of 1.2."""
    r = np.full((1, 100), np.log(0.3))
    assert RISKS["var_1%"](r, 252) == pytest.approx(0.7)
    assert RISKS["es_1%"](r, 252) == pytest.approx(0.7)


def test_moments_pool_all_returns() -> None:
    r = np.random.default_rng(0).exponential(size=(4000, 50))
    assert RISKS["skewness"](r, 252) == pytest.approx(2.0, rel=0.05)
    assert RISKS["kurtosis"](r, 252) == pytest.approx(6.0, rel=0.1)


def test_figures_of_sets_are_medians_over_windows_where_they_are_of_windows() -> None:
    r = np.array([[0.01, -0.01], [0.03, -0.03], [0.02, 0.02]])
    assert RISKS["volatility"](r, 252) == pytest.approx(np.sqrt(252) * 0.02)
    assert RISKS["drawdown"](r, 252) == pytest.approx(1 - np.exp(-0.01))
    assert set(RISKS) == {"volatility", "skewness", "kurtosis", "var_1%", "es_1%", "drawdown"}
