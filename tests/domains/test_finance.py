"""Statistics of returns against closed forms, on exact samples where there are any."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from undula.core.errors import DataError
from undula.data.options import DataOptions
from undula.data.prepare import prepare
from undula.domains.finance import (
    FINANCE,
    aggregated_kurtosis,
    clustering,
    expected_shortfall,
    finance_facts,
    first_passage,
    gain_loss_asymmetry,
    hill,
    leverage,
    losses,
    maximum_drawdown,
    prices,
    return_columns,
    value_at_risk,
)

RNG = np.random.default_rng(0)
WALKS = np.array(list(itertools.product([-1.0, 1.0], repeat=9)))
"""Every walk of nine steps ±1, each once: averages over them are expectations."""
GRID = (np.arange(200_000) + 0.5) / 200_000
"""Probabilities: a quantile function of them is an exact sample."""


# -- tails -----------------------------------------------------------------------------------------


def test_hill_by_hand() -> None:
    """log(8·4·2 / 1³)/3 = 2 log 2 above the threshold 1."""
    found = hill(np.array([2.0, 8.0, 1.0, 4.0, -7.0, np.nan]), "upper", k=3)
    assert np.isclose(found.alpha, 1 / (2 * np.log(2))) and found.threshold == 1.0 and found.k == 3
    assert np.isclose(found.standard_error, found.alpha / np.sqrt(3))
    assert hill(-np.array([2.0, 8.0, 1.0, 4.0]), "lower", k=3).alpha == found.alpha


@pytest.mark.parametrize("alpha", [1.5, 3.0])
def test_hill_of_a_pareto_law_is_its_index_for_every_k(alpha: float) -> None:
    x = GRID ** (-1.0 / alpha)
    for k in (100, 1_000, 50_000):
        assert abs(hill(x, k=k).alpha / alpha - 1) < 3 / k + 1e-3
    drawn = stats.pareto(alpha).rvs(20_000, random_state=1)
    found = hill(drawn)
    assert found.k == 1_000 and abs(found.alpha - alpha) < 4 * found.standard_error


def test_hill_of_student_t_is_its_degrees_of_freedom_far_out() -> None:
    x = stats.t(3).ppf(GRID)
    for tail in ("lower", "upper"):
        assert abs(hill(x, tail, k=200).alpha / 3 - 1) < 0.03
    normal = stats.norm.ppf(GRID)
    assert hill(normal).alpha > 1.5 * hill(x).alpha


def test_hill_refuses_a_tail_that_is_not_there() -> None:
    with pytest.raises(DataError, match="k = 3 values in the lower tail, of 2 values of that sign"):
        hill(np.array([-1.0, -2.0, 3.0]), "lower", k=3)
    assert np.isnan(hill(np.ones(100)).alpha) and np.isnan(hill(np.arange(1.0, 50.0)).alpha)


@pytest.mark.parametrize("q", [0.01, 0.05])
def test_risk_of_normal_log_returns(q: float) -> None:
    """VaR = 1 − e^{μ+σz}, ES = 1 − e^{μ+σ²/2} Φ(z − σ)/q, z the q quantile."""
    mu, sigma = 0.001, 0.02
    loss = losses((mu + sigma * stats.norm.ppf(GRID))[:, None])
    z = stats.norm.ppf(q)
    assert np.isclose(value_at_risk(loss, q), -np.expm1(mu + sigma * z), rtol=1e-4)
    shortfall = 1 - np.exp(mu + sigma**2 / 2) * stats.norm.cdf(z - sigma) / q
    assert np.isclose(expected_shortfall(loss, q), shortfall, rtol=1e-3)


@pytest.mark.parametrize("q", [0.01, 0.05])
def test_risk_of_student_t_losses(q: float) -> None:
    """ES = f(t_q)/q · (ν + t_q²)/(ν − 1)."""
    nu = 4.0
    loss = stats.t(nu).ppf(GRID)
    t = stats.t(nu).ppf(1 - q)
    assert np.isclose(value_at_risk(loss, q), t, rtol=1e-3)
    exact = stats.t(nu).pdf(t) / q * (nu + t**2) / (nu - 1)
    assert np.isclose(expected_shortfall(loss, q), exact, rtol=3e-3)


def test_expected_shortfall_counts_the_boundary_in_part() -> None:
    loss = np.array([3.0, 1.0, 5.0, 2.0, 4.0])
    assert np.isclose(expected_shortfall(loss, 0.3), (5 + 0.5 * 4) / 1.5)
    assert expected_shortfall(loss, 0.05) == 5.0 and np.isclose(expected_shortfall(loss, 1.0), 3.0)


def test_gains_beyond_all_numbers_are_no_losses() -> None:
    """A price that rises by e^2000 and halves: a generator that fails must not stop the judge."""
    returns = np.tile([1000.0, 1000.0, np.log(0.5), 0.0], (50, 1))
    assert np.isclose(value_at_risk(losses(returns), 0.05), 0.5) and np.isfinite(losses(returns, 4)).all()
    assert np.allclose(maximum_drawdown(returns), 0.5)


def test_losses_are_those_of_the_price_over_the_horizon() -> None:
    returns = RNG.normal(0, 0.1, (4, 6))
    path = prices(returns)
    assert np.allclose(losses(returns, 2), 1 - path[:, 2:] / path[:, :-2])
    assert losses(returns, 6).shape == (4, 1)
    with pytest.raises(DataError, match="a horizon of 7 steps in windows of 6"):
        losses(returns, 7)


# -- prices on the way -----------------------------------------------------------------------------


def test_prices_have_these_returns() -> None:
    returns = RNG.normal(0, 0.1, (3, 8))
    path = prices(returns, start=50.0)
    assert np.allclose(np.diff(np.log(path), axis=1), returns) and (path[:, 0] == 50.0).all()


def test_drawdown_of_a_path_made_by_hand() -> None:
    path = np.array([[100, 120, 60, 90, 150, 80], [100, 90, 80, 85, 100, 101], [1, 2, 3, 4, 5, 6]], float)
    assert np.allclose(maximum_drawdown(np.diff(np.log(path), axis=1)), [0.5, 0.2, 0.0])
    assert np.isclose(maximum_drawdown(np.log(np.array([[0.25, 2.0]])))[0], 0.75), "the first price is a high"


def test_windows_padded_at_their_ends_have_the_drawdown_of_what_is_there() -> None:
    returns = RNG.normal(0, 0.1, (5, 10))
    padded = returns.copy()
    padded[:, 7:] = np.nan
    assert np.allclose(maximum_drawdown(padded), maximum_drawdown(returns[:, :7]))
    assert np.isnan(losses(padded, 2)[:, 6:]).all() and not np.isnan(losses(padded, 2)[:, :6]).any()


def test_first_passage_of_the_simple_walk_is_known() -> None:
    """P(T = 1, 3, 5, 7, 9) = 1/2, 1/8, 1/16, 5/128, 7/256 for the level 1 (Feller, III.7)."""
    for level in (1.0, -1.0):
        steps = first_passage(WALKS, level)
        shares = [float((steps == t).mean()) for t in (1, 3, 5, 7, 9)]
        assert np.allclose(shares, [1 / 2, 1 / 8, 1 / 16, 5 / 128, 7 / 256])
        assert np.isinf(steps).mean() == 1 - sum(shares)


def test_a_symmetric_walk_has_no_asymmetry_and_sudden_losses_have_one() -> None:
    assert gain_loss_asymmetry(WALKS) == 0.0
    assert abs(gain_loss_asymmetry(RNG.normal(0.001, 0.01, (20_000, 24)))) < 0.01
    sudden = np.where(RNG.random((60_000, 24)) < 0.1, -9.0, 1.0) / 100
    found = gain_loss_asymmetry(sudden)
    assert found > 0.01 and np.isclose(gain_loss_asymmetry(-sudden), -found, atol=1e-12)
    assert np.isnan(gain_loss_asymmetry(np.zeros((3, 4))))


def test_a_drift_is_no_asymmetry() -> None:
    noise = RNG.normal(0, 0.01, (5_000, 24))
    assert np.isclose(gain_loss_asymmetry(noise), gain_loss_asymmetry(noise + 0.01))


# -- dynamics --------------------------------------------------------------------------------------


def garch(alpha: float, beta: float, count: int, length: int, burn: int = 100) -> np.ndarray:
    """Windows of a GARCH(1, 1) with normal innovations and variance 1."""
    rng = np.random.default_rng(1)
    variance, r, found = np.ones(count), np.zeros(count), []
    for step in range(burn + length):
        variance = (1 - alpha - beta) + alpha * r**2 + beta * variance if step else variance
        r = np.sqrt(variance) * rng.standard_normal(count)
        found.append(r)
    return np.stack(found[burn:], axis=1)


def test_squares_of_a_garch_have_their_known_autocorrelation() -> None:
    """ρ_1 = α (1 − αβ − β²)/(1 − 2αβ − β²), ρ_k = ρ_1 (α + β)^{k−1} (Bollerslev 1986)."""
    alpha, beta = 0.15, 0.6
    rho = alpha * (1 - alpha * beta - beta**2) / (1 - 2 * alpha * beta - beta**2)
    exact = rho * (alpha + beta) ** np.arange(10)
    returns = garch(alpha, beta, 20_000, 50)
    assert np.abs(clustering(returns, "squares") - exact).max() < 0.012
    assert (clustering(returns, "sizes")[:5] > 0.04).all()
    assert np.abs(clustering(RNG.normal(size=(5_000, 50)))).max() < 0.01
    assert np.isnan(clustering(returns[:, :6])[5:]).all()


def test_leverage_of_a_process_with_a_known_one() -> None:
    """|r| is a after a loss and b after a gain: L_1 = (a + b)(b² − a²)/(a² + b²)², the rest 0."""
    a, b = 2.0, 1.0
    signs = np.where(RNG.random((20_000, 40)) < 0.5, -1.0, 1.0)
    sizes = np.where(np.roll(signs, 1, axis=1) < 0, a, b)
    found = leverage(signs * sizes)
    exact = (a + b) * (b**2 - a**2) / (a**2 + b**2) ** 2
    assert abs(found[0] - exact) < 0.01 and np.abs(found[1:]).max() < 0.01
    assert np.isclose(leverage(-signs * sizes)[0], -found[0])


def test_kurtosis_of_sums_falls_as_one_over_their_length() -> None:
    for steps in (1, 2, 5):
        assert np.isclose(aggregated_kurtosis(WALKS, steps), -2 / steps)
    assert np.isnan(aggregated_kurtosis(WALKS, 10))


# -- all of them -----------------------------------------------------------------------------------


def test_all_facts_of_the_index_are_finite_and_of_the_known_sign() -> None:
    prepared = prepare(DataOptions(dataset="sp500_logret", predict_len=50, stride=5))
    part = prepared.parts.train
    assert return_columns([*prepared.panel.columns, "vix_close_log"]) == ["close_log_return"]
    facts = finance_facts(part.futures(), part.starts, draws=20)
    assert set(facts) == set(FINANCE)
    for name, fact in facts.items():
        assert fact.low <= fact.high and np.isfinite([fact.value, fact.low, fact.high]).all(), name
    assert facts["volatility_clustering"].low > 0.1 and facts["leverage_effect"].high < 0
    assert (
        2 < facts["hill_lower"].value < 4
        and facts["kurtosis_20_steps"].value < facts["kurtosis_5_steps"].value
    )
    assert facts["es_1%"].value > facts["var_1%"].value > facts["var_5%"].value > 0


def test_mistakes() -> None:
    with pytest.raises(DataError, match=r"shape \(4, 5, 2\): expected \(N, L\), one column"):
        finance_facts(np.zeros((4, 5, 2)))
    with pytest.raises(DataError, match=r"\(3,\) starts for 4 windows"):
        finance_facts(np.zeros((4, 5)), np.arange(3))
