"""GARCH-t: unconditional variance, kurtosis and the autocorrelation of squares have closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from undula.baselines.garch import GARCHBaseline
from undula.core.errors import DataError

OMEGA, ALPHA, BETA, NU = 0.1, 0.15, 0.75, 12.0
UNIT = 0.01


def garch(n: int, gamma: float = 0.0, seed: int = 0) -> np.ndarray:
    """Two columns with the same volatility parameters; their z have correlation 0.8."""
    rng = np.random.default_rng(seed)
    normal = rng.normal(size=(n, 2)) @ np.linalg.cholesky([[1.0, 0.8], [0.8, 1.0]]).T
    z = normal / np.sqrt(rng.chisquare(NU, size=(n, 1)) / (NU - 2))
    e, variance = np.zeros((n, 2)), np.ones(2)
    for t in range(1, n):
        variance = OMEGA + (ALPHA - gamma / 2 + gamma * (e[t - 1] < 0)) * e[t - 1] ** 2 + BETA * variance
        e[t] = np.sqrt(variance) * z[t]
    return e[100:] * UNIT


@pytest.fixture(scope="module")
def drawn() -> tuple[GARCHBaseline, np.ndarray]:
    fitted = GARCHBaseline().fit([garch(25_000)], 12)
    return fitted, fitted.sample(25_000, 1) / UNIT


def test_coefficients_are_found(drawn: tuple[GARCHBaseline, np.ndarray]) -> None:
    fitted, _ = drawn
    assert fitted._alpha == pytest.approx(ALPHA, abs=0.02) and fitted._beta == pytest.approx(BETA, abs=0.04)
    assert fitted._omega / UNIT**2 == pytest.approx(OMEGA, abs=0.03)
    assert fitted._nu == pytest.approx(NU, rel=0.2)
    assert fitted.notes()[0].startswith("column 1: α 0.1") and "differences" not in fitted.notes()[0]


def test_moments_are_those_of_the_process(drawn: tuple[GARCHBaseline, np.ndarray]) -> None:
    _, x = drawn
    kurtosis_z = 3 * (NU - 2) / (NU - 4)
    persistence = ALPHA + BETA
    kurtosis = kurtosis_z * (1 - persistence**2) / (1 - persistence**2 - (kurtosis_z - 1) * ALPHA**2)
    first = ALPHA * (1 - ALPHA * BETA - BETA**2) / (1 - 2 * ALPHA * BETA - BETA**2)
    for t in (0, 11):
        assert x[:, t].var(0) == pytest.approx(OMEGA / (1 - persistence), rel=0.1)
    assert (x**4).mean((0, 1)) / x.var((0, 1)) ** 2 == pytest.approx(kurtosis, rel=0.2)
    for k in (1, 3, 6):
        rho = [np.corrcoef(x[:, 2, c] ** 2, x[:, 2 + k, c] ** 2)[0, 1] for c in range(2)]
        assert np.mean(rho) == pytest.approx(first * persistence ** (k - 1), abs=0.06)
        assert abs(np.corrcoef(x[:, 2, 0], x[:, 2 + k, 0])[0, 1]) < 0.03
    assert np.corrcoef(x[:, 11].T)[0, 1] == pytest.approx(0.8, abs=0.03), "days are the same for all columns"


def test_leverage_is_an_option() -> None:
    series = [garch(8000, gamma=0.2)]
    effect = {}
    for leverage in (False, True):
        x = GARCHBaseline(leverage=leverage).fit(series, 6).sample(20_000, 1)[:, :, 0]
        effect[leverage] = np.corrcoef(x[:, 2], x[:, 3] ** 2)[0, 1]
    assert effect[True] < -0.08 and abs(effect[False]) < 0.05


def test_the_mean_may_be_an_autoregression_and_columns_that_wander_are_summed_up() -> None:
    returns = garch(4000)
    x = np.zeros_like(returns)
    for t in range(1, len(x)):
        x[t] = 0.6 * x[t - 1] + returns[t]
    y = GARCHBaseline(lags=1).fit([x], 5).sample(20_000, 0)[:, :, 0]
    assert np.corrcoef(y[:, 2], y[:, 3])[0, 1] == pytest.approx(0.6, abs=0.05)
    prices = 100 + returns.cumsum(0)
    fitted = GARCHBaseline().fit([prices], 30)
    assert fitted.notes()[0].endswith("in differences")
    moved = fitted.sample(5000, 0)
    assert np.diff(moved, axis=1).std() == pytest.approx(returns.std(), rel=0.1)
    assert moved.min() > 90 and moved.max() < 110


def test_what_garch_refuses() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="garch needs 200 training rows, there are 99"):
        GARCHBaseline().fit([rng.normal(size=(100, 1))], 5)
    still = np.stack([rng.normal(size=300), np.ones(300)], axis=1)
    with pytest.raises(DataError, match="garch: column 2 does not move"):
        GARCHBaseline().fit([still], 5)
