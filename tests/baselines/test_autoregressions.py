"""VAR and ARIMA: known coefficients and stationary moments come back; histories, stretches, differences."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov
from scipy.signal import lfilter

from undula.baselines._series import integrated
from undula.baselines.arima import ARIMABaseline
from undula.baselines.var import VARBaseline, _lagged
from undula.core.errors import DataError

A = np.array([[0.6, 0.3], [-0.2, 0.5]])
NOISE = np.array([[1.0, 0.6], [0.6, 2.0]])


@pytest.fixture(scope="module")
def var1() -> np.ndarray:
    """x_t = A x_{t−1} + e_t, about (5, −300), the second column in hundreds."""
    rng = np.random.default_rng(0)
    e = rng.normal(size=(20_000, 2)) @ np.linalg.cholesky(NOISE).T
    x = np.zeros_like(e)
    for t in range(1, len(x)):
        x[t] = A @ x[t - 1] + e[t]
    return (x * [1.0, 100.0] + [5.0, -300.0])[100:]


def in_two_stretches(x: np.ndarray) -> list[np.ndarray]:
    return [x[:5000], x[5000:]]


@pytest.mark.parametrize("innovations", ["bootstrap", "gaussian"])
def test_a_var_has_the_stationary_moments(var1: np.ndarray, innovations: str) -> None:
    fitted = VARBaseline(order=1, innovations=innovations).fit(in_two_stretches(var1), 12)
    x = fitted.sample(15_000, 1)
    x = (x - [5.0, -300.0]) / [1.0, 100.0]
    stationary = solve_discrete_lyapunov(A, NOISE)
    assert x.mean((0, 1)) == pytest.approx([0, 0], abs=0.08)
    for t in (0, 11):
        assert np.cov(x[:, t].T) == pytest.approx(stationary, abs=0.12)
    lagged = np.mean(x[:, 5:, :, None] * x[:, 4:-1, None, :], axis=(0, 1))
    assert lagged == pytest.approx(A @ stationary, abs=0.12), "Cov(x_t, x_{t−1}) = A Γ_0"


def test_a_var_is_statsmodels_var(var1: np.ndarray) -> None:
    from statsmodels.tsa.api import VAR

    x = var1[:400] / [1.0, 100.0]
    fitted = VARBaseline(order=2).fit([x], 5)
    reference = VAR(x).fit(2, trend="c").params
    found = fitted._coefficients * fitted._scale
    found[1:] /= np.tile(fitted._scale, 2)[:, None]
    assert found == pytest.approx(reference, abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        chosen = VAR(x).select_order(10, trend="c").selected_orders["aic"]
    assert VARBaseline().fit([x], 5).notes()[0].startswith(f"{chosen} lag")


def test_no_regression_crosses_the_end_of_a_stretch() -> None:
    past, now = _lagged([np.arange(4.0)[:, None], np.arange(10.0, 13.0)[:, None]], 2, 2)
    assert past.tolist() == [[1, 1, 0], [1, 2, 1], [1, 11, 10]] and now.ravel().tolist() == [2, 3, 12]


def test_without_noise_a_window_continues_a_training_history() -> None:
    """x_t = 2 cos(1) x_{t−1} − x_{t−2} is a sine; so is every window, in either spelling."""
    sine = np.sin(np.arange(300.0))[:, None]
    for params in ({}, {"differences": True}):
        x = VARBaseline(order=2, **params).fit([sine], 30).sample(40, 0)
        assert np.abs(x[:, 2:] - 2 * np.cos(1.0) * x[:, 1:-1] + x[:, :-2]).max() < 1e-6
        known = {round(float(v), 6) for v in sine.ravel()}
        assert all(round(float(v), 6) in known for v in x[:, 0].ravel()), (
            "the first row follows a training row"
        )


def test_prices_that_move_together_stay_together() -> None:
    rng = np.random.default_rng(0)
    walk = rng.normal(size=3000).cumsum()
    x = np.stack([walk + 0.1 * rng.normal(size=3000), walk + 0.1 * rng.normal(size=3000)], axis=1)
    apart = {}
    for differences in (False, True):
        y = VARBaseline(differences=differences).fit([x], 200).sample(500, 0)
        apart[differences] = (y[:, -1, 0] - y[:, -1, 1]).std()
    assert apart[False] < 0.2 < 0.3 < apart[True], apart


def test_what_a_var_refuses() -> None:
    growing = 1.1 ** np.arange(200.0)[:, None]
    with pytest.raises(
        DataError, match=r"var with 1 lags grows .*-fold within a window: set differences: true"
    ):
        VARBaseline(order=1).fit([growing], 100)
    with pytest.raises(DataError, match="has 31 coefficients a column, and 35 rows to learn them from"):
        VARBaseline(order=10).fit([np.random.default_rng(0).normal(size=(45, 3))], 5)


PHI, THETA = 0.8, 0.4


@pytest.fixture(scope="module")
def arma() -> np.ndarray:
    """Two ARMA(1, 1) columns about 10 and −2, whose innovations have correlation 0.7."""
    rng = np.random.default_rng(1)
    e = rng.normal(size=(6000, 2)) @ np.linalg.cholesky([[1.0, 0.7], [0.7, 1.0]]).T
    return lfilter([1.0, THETA], [1.0, -PHI], e, axis=0)[200:] * [1.0, 50.0] + [10.0, -2.0]


def test_arima_has_the_moments_of_an_arma_process(arma: np.ndarray) -> None:
    fitted = ARIMABaseline(max_p=1, max_q=1, max_rows=4000).fit([arma[:2500], arma[2500:]], 10)
    assert fitted.notes() == ["column 1: ARIMA(1, 0, 1)", "column 2: ARIMA(1, 0, 1)"]
    assert fitted._ar == pytest.approx(PHI, abs=0.03) and fitted._ma == pytest.approx(THETA, abs=0.05)
    x = (fitted.sample(20_000, 0) - [10.0, -2.0]) / [1.0, 50.0]
    variance = (1 + THETA**2 + 2 * PHI * THETA) / (1 - PHI**2)
    first = (1 + PHI * THETA) * (PHI + THETA) / (1 + THETA**2 + 2 * PHI * THETA)
    for t in (0, 9):
        assert x[:, t].var(0) == pytest.approx(variance, rel=0.1)
    for k in (1, 2, 4):
        rho = [np.corrcoef(x[:, 3, c], x[:, 3 + k, c])[0, 1] for c in range(2)]
        assert np.mean(rho) == pytest.approx(first * PHI ** (k - 1), abs=0.04)
    assert np.corrcoef(x[:, 9].T)[0, 1] == pytest.approx(0.7, abs=0.04), "innovations are of the same rows"


def test_gaussian_innovations_of_columns_are_independent(arma: np.ndarray) -> None:
    fitted = ARIMABaseline(max_p=1, max_q=1, innovations="gaussian", max_rows=500).fit([arma], 60)
    x = fitted.sample(3000, 0)
    assert np.corrcoef(x[:, 59].T)[0, 1] == pytest.approx(0.0, abs=0.06)
    assert x[:, 59].std(0) == pytest.approx(arma.std(0), rel=0.15)


def test_residuals_invert_the_filter() -> None:
    rng = np.random.default_rng(0)
    e = rng.normal(size=(100, 1))
    baseline = ARIMABaseline()
    baseline._means, baseline._ar, baseline._ma = np.array([3.0]), np.array([[PHI]]), np.array([[THETA]])
    assert baseline._residuals_of(lfilter([1.0, THETA], [1.0, -PHI], e, axis=0) + 3.0) == pytest.approx(e)


def test_columns_that_wander_are_summed_up() -> None:
    rng = np.random.default_rng(0)
    e = rng.normal(size=2000)
    x = np.stack([100 + e.cumsum(), e], axis=1)
    assert [integrated([x], c) for c in range(2)] == [True, False]
    fitted = ARIMABaseline(max_p=0, max_q=1).fit([x], 40)
    y = fitted.sample(4000, 0)
    assert [note.split("(")[1] for note in fitted.notes()] == ["0, 1, 0)", "0, 0, 0)"]
    moved = y[:, :, 0] - y[:, :1, 0]
    assert moved[:, 1::10].var(0) == pytest.approx(np.arange(1, 40, 10), rel=0.1), "the variance of a walk"
    assert np.isin((y[:, 0, 0] - y[:, 0, 1]).round(1), x[:, 0].round(1)).mean() > 0.95, (
        "starts at training levels"
    )


def test_what_arima_refuses() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(DataError, match="arima needs 40 training rows, there are 29"):
        ARIMABaseline().fit([rng.normal(size=(30, 1))], 5)
    with pytest.raises(DataError, match="arima needs a training stretch of 4 rows without missing values"):
        ARIMABaseline().fit([rng.normal(size=(3, 1))] * 40, 3)
