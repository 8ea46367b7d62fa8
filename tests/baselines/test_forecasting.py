"""Forecasters: exact on what they describe, and as sure as they may be on processes with closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from scipy import stats
from scipy.signal import lfilter

from undula.baselines.forecasting._windows import Numbers, Training
from undula.baselines.forecasting.ets import _Filter, _Form
from undula.baselines.forecasting.quantile_regression import LEVELS, _inverse, _pit, regression_quantiles
from undula.baselines.forecasting.residual_bootstrap import _ridge
from undula.core.errors import DataError
from undula.core.forecaster import BaseForecaster
from undula.core.registry import Registry
from undula.evaluation.probabilistic import coverage, crps

PHI = 0.8
HISTORY, HORIZON = 24, 12


def nothing(*shape: int) -> np.ndarray:
    return np.zeros((*shape, 0))


def fitted(
    name: str, series: list[np.ndarray], history: int = HISTORY, horizon: int = HORIZON, **params: object
) -> BaseForecaster:
    forecaster = Registry.get("forecaster", name, **params)
    return forecaster.fit(series, [nothing(len(s)) for s in series], history, horizon)


def forecast(forecaster: BaseForecaster, history: np.ndarray, n: int, horizon: int = HORIZON) -> np.ndarray:
    return forecaster.forecast(history, nothing(len(history), history.shape[1] + horizon), n, seed=1)


def ar1(n: int, seed: int) -> np.ndarray:
    """Two columns of unit innovations of correlation 0.6, the second in hundreds about 500."""
    e = np.random.default_rng(seed).normal(size=(n + 100, 2)) @ np.linalg.cholesky([[1, 0.6], [0.6, 1]]).T
    return lfilter([1.0], [1.0, -PHI], e, axis=0)[100:] * [1.0, 100.0] + [0.0, 500.0]


@pytest.fixture(scope="module")
def ar1_series() -> list[np.ndarray]:
    return [ar1(2500, 0), ar1(1500, 1)]


@pytest.fixture(scope="module")
def ar1_windows() -> np.ndarray:
    """600 windows that do not depend on one another."""
    return sliding_window_view(ar1(600 * 50, 2), HISTORY + HORIZON, axis=0).swapaxes(1, 2)[::50]


def test_forecasters_are_no_baselines_and_the_other_way_round() -> None:
    assert "forecasting" not in Registry.list("baseline")
    assert {"naive", "deepar"} <= set(Registry.list("forecaster"))


def test_numbers_go_with_histories() -> None:
    history = np.random.default_rng(0).normal(size=(300, 4, 1))
    u = Numbers(0, history).uniform("x", 40, 3)
    assert stats.kstest(u.ravel(), "uniform").pvalue > 0.01
    assert np.abs(np.corrcoef(u.reshape(300, -1)) - np.eye(300)).max() < 0.5, "of different histories"
    assert np.abs(np.corrcoef(u.reshape(-1, 3).T) - np.eye(3)).max() < 0.05
    z = Numbers(0, history).normal("x", 40, 3)
    assert stats.kstest(z.ravel(), "norm").pvalue > 0.01
    assert (Numbers(0, history[::-1]).uniform("x", 9, 3) == u[::-1, :9]).all()


def test_fewer_windows_are_of_all_phases() -> None:
    x = np.arange(2400.0 + 7)[:, None] % 24
    series = Training(
        series=[x[:1000], x[1000:]],
        features=[nothing(1000), nothing(1407)],
        history_len=5,
        horizon=3,
        who="x",
    )
    found = series.windows(100)
    assert len(np.unique(found.future[:, 0, 0])) == 24, "as many phases as there are, at a distance of 24 too"
    assert ((found.future[:, 0] - found.history[:, -1]) % 24 == 1).all()
    assert len(series.windows(10_000).history) == 2407 - 2 * 7


# -- naive, drift, seasons, climatology --------------------------------------------------------


def test_the_spread_of_a_walk_grows_like_the_root_of_time() -> None:
    walk = np.random.default_rng(0).normal(size=(6000, 1)).cumsum(0)
    history = np.array([3.0, -100.0])[:, None, None].repeat(HISTORY, 1)
    paths = forecast(fitted("naive", [walk]), history, 5000)[..., 0]
    assert paths.mean(1) == pytest.approx(np.array([3.0, -100.0])[:, None].repeat(HORIZON, 1), abs=0.2)
    assert paths.std(1)[0] == pytest.approx(np.sqrt(np.arange(1, HORIZON + 1)), rel=0.08)
    moves = np.diff(paths, axis=2)
    assert np.corrcoef(moves[0, :, 2], moves[0, :, 7])[0, 1] == pytest.approx(0.0, abs=0.05), "whole paths"


def test_errors_keep_their_sign() -> None:
    rising = np.random.default_rng(0).exponential(size=(3000, 1)).cumsum(0)
    moved = forecast(fitted("naive", [rising]), np.zeros((1, HISTORY, 1)), 3000)[0, :, :, 0]
    assert moved.min() >= 0.0 and moved.mean(0) == pytest.approx(np.arange(1, HORIZON + 1), rel=0.1)


def test_drift_goes_on_with_a_line() -> None:
    line = 2.0 + 0.5 * np.arange(100.0)[:, None] * [1.0, -4.0]
    paths = forecast(fitted("drift", [line]), line[None, 20 : 20 + HISTORY], 7)
    assert paths == pytest.approx(np.broadcast_to(line[44 : 44 + HORIZON], paths.shape))
    steep = forecast(fitted("drift", [line]), 3.0 * line[None, 20 : 20 + HISTORY], 1)
    assert steep[0, 0] == pytest.approx(3.0 * line[44 : 44 + HORIZON]), "training errors are 0"
    with pytest.raises(DataError, match="drift needs histories of 2 rows, they have 1"):
        fitted("drift", [line], history=1)


@pytest.mark.parametrize("horizon", [3, 12])
def test_the_seasonal_naive_forecast_is_exact_on_a_periodic_series(horizon: int) -> None:
    season = np.random.default_rng(0).normal(size=(5, 2))
    x = np.tile(season, (40, 1))
    paths = forecast(fitted("seasonal_naive", [x], 9, horizon, period=5), x[None, 3:12], 6, horizon)
    assert paths == pytest.approx(np.broadcast_to(x[12 : 12 + horizon], paths.shape))
    with pytest.raises(DataError, match="with period 24 needs histories of 24 rows, they have 9"):
        fitted("seasonal_naive", [x], 9)


def by_phase(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Gaussian columns whose location and scale depend on the phase of 6, and the phase."""
    phase = np.arange(rows) % 6
    z = np.random.default_rng(seed).normal(size=(rows, 2))
    return (3.0 * phase[:, None] + (1.0 + phase[:, None]) * z) * [1.0, 50.0], phase


def test_climatology_has_the_quantiles_of_each_phase() -> None:
    x, _ = by_phase(12_000, 0)
    series = [x[:9000], x[9002:]]  # the second begins at phase 2
    told = by_phase(200, 1)[0][4:]  # begins at phase 4
    paths = forecast(fitted("climatology", series, period=6), told[None, :HISTORY], 4000)[0]
    for h in range(HORIZON):
        phase = (4 + HISTORY + h) % 6
        expected = stats.norm.ppf([0.05, 0.5, 0.95], 3.0 * phase, 1.0 + phase)
        for c, unit in enumerate((1.0, 50.0)):
            found = np.quantile(paths[:, h, c], [0.05, 0.5, 0.95]) / unit
            assert found == pytest.approx(expected, abs=0.15 * (1 + phase)), (h, c)


def test_features_tell_the_phase_where_the_history_does_not() -> None:
    x, phase = by_phase(6000, 0)
    clock = np.stack([np.sin(phase * np.pi / 3), np.cos(phase * np.pi / 3)], axis=1)
    clock = np.concatenate((clock, np.random.default_rng(2).normal(size=(6000, 1))), axis=1)
    forecaster = Registry.get("forecaster", "climatology", period=6).fit([x], [clock], 2, 1)
    starts = np.arange(2, 302)
    known = np.stack([clock[t - 2 : t + 1] for t in starts])
    paths = forecaster.forecast(np.zeros((300, 2, 2)) + starts[:, None, None], known, 300)
    of_phase = np.stack([paths[(starts % 6) == p, :, 0, 0].mean() for p in range(6)])
    assert of_phase == pytest.approx(3.0 * np.arange(6), abs=0.3)


def test_a_phase_may_be_known_by_its_spread() -> None:
    scale = np.array([1.0, 6.0])
    x = np.random.default_rng(0).normal(size=(6000, 1)) * scale[np.arange(6000) % 2, None]
    history = np.array([0.5, 10.0]).reshape(2, 1, 1)
    spread = forecast(fitted("climatology", [x], 1, 1, period=2), history, 3000, 1).std((1, 2, 3))
    assert spread == pytest.approx([6.0, 1.0], rel=0.1), "a small value is of the calm phase: the next is not"


def test_climatology_leaves_out_holes_and_keeps_the_phase() -> None:
    x = np.arange(5000.0)[:, None] % 6
    x[100:5000:91] = np.nan
    paths = forecast(
        fitted("climatology", [x], 6, 3, period=6), np.array([2, 3, 4, 5, 0, 1.0])[None, :, None], 50, 3
    )
    assert (paths[0, :, :, 0] == [2, 3, 4]).all()
    with pytest.raises(DataError, match="each of the 6 phases on, 4 phases have none"):
        fitted("climatology", [x[:4]], 6, 3, period=6)


# -- an autoregression ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["residual_bootstrap", "arima", "quantile_regression"])
def test_intervals_of_an_autoregression_hold_what_they_say(
    name: str, ar1_series: list[np.ndarray], ar1_windows: np.ndarray
) -> None:
    params = {"arima": {"max_p": 1, "max_q": 0}, "quantile_regression": {"lags": 1, "period": 1}}.get(
        name, {}
    )
    forecaster = fitted(name, ar1_series, **params)
    history, truth = ar1_windows[:, :HISTORY], ar1_windows[:, HISTORY:]
    samples = forecast(forecaster, history, 200).swapaxes(0, 1)
    for c, unit in enumerate((1.0, 100.0)):
        x, y = samples[..., c] / unit, truth[..., c] / unit
        assert coverage(x, y, 0.9) == pytest.approx(0.9, abs=0.025)
        assert coverage(x[:, :, 0], y[:, 0], 0.9) == pytest.approx(0.9, abs=0.04)
        spread = np.sqrt((1 - PHI ** (2 * np.arange(1, HORIZON + 1))) / (1 - PHI**2))
        assert x.std(0).mean(0) == pytest.approx(spread, rel=0.1), "σ² (1 − φ^2h) / (1 − φ²)"
        mean = PHI ** np.arange(1, HORIZON + 1) * (history[:, -1:, c] - (0.0, 500.0)[c]) / unit
        off = x.mean(0) - (0.0, 5.0)[c] - mean
        assert np.sqrt((off**2).mean()) < 0.25, "φ^h x"
        naive = history[:, -1:, c] / unit + np.zeros_like(y)
        assert crps(x, y).mean() < 0.85 * np.abs(naive - y).mean()
    paths = samples - samples.mean(0)
    assert np.corrcoef(paths[..., 3, 0].ravel(), paths[..., 3, 1].ravel())[0, 1] == pytest.approx(
        0.6, abs=0.1
    )
    expected = PHI * np.sqrt((1 - PHI**10) / (1 - PHI**12))  # of steps 5 and 6
    found = np.corrcoef(paths[..., 4, 0].ravel(), paths[..., 5, 0].ravel())[0, 1]
    assert found == pytest.approx(expected, abs=0.06)


def test_an_autoregression_beats_the_naive_forecast_and_climatology(
    ar1_series: list[np.ndarray], ar1_windows: np.ndarray
) -> None:
    scores = {}
    for name in ("residual_bootstrap", "naive", "climatology"):
        params = {"period": 1} if name == "climatology" else {}
        samples = forecast(fitted(name, ar1_series, **params), ar1_windows[:, :HISTORY], 100).swapaxes(0, 1)
        scores[name] = crps(samples, ar1_windows[:, HISTORY:])[..., 0].mean(0)
    own = scores.pop("residual_bootstrap")
    assert own.mean() < 0.85 * scores["naive"].mean() and own.mean() < 0.97 * scores["climatology"].mean()
    assert own[0] < 0.7 * scores["climatology"][0], "the first step"


def test_the_ridge_is_its_normal_equations_and_spares_the_first_columns() -> None:
    rng = np.random.default_rng(0)
    x, y = np.c_[np.ones(50), rng.normal(size=(50, 4))], rng.normal(size=(50, 2))
    penalties = np.array([0.1, 1e9])
    found = _ridge(x, y, penalties, 2)
    expected = np.linalg.solve(x.T @ x + 0.1 * 50 * np.diag([0, 0, 1, 1, 1]), x.T @ y)
    assert found[0] == pytest.approx(expected)
    assert found[1, :2] == pytest.approx(np.linalg.lstsq(x[:, :2], y, rcond=None)[0])
    assert found[1, 2:] == pytest.approx(0.0, abs=1e-8)


def test_the_last_row_bears_no_penalty_and_errors_are_those_of_windows_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    white = np.random.default_rng(0).normal(size=(160, 1))
    assert fitted("residual_bootstrap", [white], lags=20)._errors.std() > white.std(), (
        "no windows it has seen"
    )
    monkeypatch.setattr("undula.baselines.forecasting.residual_bootstrap._PENALTIES", np.array([1e9]))
    forecaster = fitted("residual_bootstrap", [white])
    windows = sliding_window_view(white[:, 0], HISTORY + HORIZON)
    for h in (0, 5):
        slope = np.polyfit(windows[:, HISTORY - 1], windows[:, HISTORY + h], 1)[0]
        point = forecaster._point(windows[:, :HISTORY, None], nothing(len(windows), HISTORY + HORIZON))
        assert np.polyfit(windows[:, HISTORY - 1], point[:, h, 0], 1)[0] == pytest.approx(slope, abs=1e-6)


def test_white_noise_has_its_mean_as_forecast_and_a_walk_its_last_value() -> None:
    white = np.random.default_rng(0).normal(size=(1500, 1))
    for x, slope in ((white, 0.0), (white.cumsum(0), 1.0)):
        forecaster = fitted("residual_bootstrap", [x])
        history = np.stack([x[t : t + HISTORY] for t in range(0, 1400, 7)])
        point = forecaster._point(history, nothing(200, HISTORY + HORIZON))[:, -1, 0]
        assert np.polyfit(history[:, -1, 0], point, 1)[0] == pytest.approx(slope, abs=0.12)


def test_a_linear_forecast_uses_features_of_the_future() -> None:
    rng = np.random.default_rng(0)
    known, noise = rng.normal(size=(3000, 2)), rng.normal(size=(3000, 1))
    x = 10.0 + known[:, :1] * 5.0 + 0.1 * noise
    for name in ("residual_bootstrap", "quantile_regression"):
        forecaster = Registry.get("forecaster", name).fit([x], [known], 6, 3)
        told = rng.normal(size=(50, 9, 2))
        paths = forecaster.forecast(10.0 + 5.0 * told[:, :6, :1], told, 300)
        assert paths.mean(1)[..., 0] == pytest.approx(10.0 + 5.0 * told[:, 6:, 0], abs=0.1), name
        assert paths.std(1).mean() == pytest.approx(0.1, rel=0.15), name


def test_arima_filters_the_errors_of_a_history() -> None:
    theta = 0.6
    rng = np.random.default_rng(0)
    e = rng.normal(size=(8000, 1))
    x = lfilter([1.0, theta], [1.0, -PHI], e, axis=0)
    forecaster = fitted("arima", [x[:5000]], max_p=1, max_q=1)
    assert forecaster.notes() == ["column 1: ARIMA(1, 0, 1)"]
    ends = np.arange(5100, 7900, 7)
    history = np.stack([x[t - HISTORY : t] for t in ends])
    first = forecast(forecaster, history, 400).mean(1)[:, 0, 0]
    assert first - (PHI * x[ends - 1] + theta * e[ends - 1])[:, 0] == pytest.approx(0.0, abs=0.25)


def test_arima_sums_up_columns_that_wander() -> None:
    walk = 50.0 + np.random.default_rng(0).normal(size=(3000, 1)).cumsum(0)
    forecaster = fitted("arima", [walk], max_p=1, max_q=0)
    paths = forecast(forecaster, walk[None, 500 : 500 + HISTORY], 4000)[0, :, :, 0]
    assert paths.mean(0) == pytest.approx(walk[500 + HISTORY - 1, 0], abs=1.0)
    assert paths.std(0) == pytest.approx(np.sqrt(np.arange(1, HORIZON + 1)), rel=0.12)


# -- volatility, smoothing --------------------------------------------------------------------------


def test_garch_goes_on_from_the_volatility_of_the_history() -> None:
    omega, alpha, beta = 0.05, 0.1, 0.85
    z = np.random.default_rng(0).normal(size=20_000)
    e, variance = np.zeros(20_000), np.ones(20_000)
    for t in range(1, 20_000):
        variance[t] = omega + alpha * e[t - 1] ** 2 + beta * variance[t - 1]
        e[t] = np.sqrt(variance[t]) * z[t]
    x = 0.01 * e[:, None]
    forecaster = fitted("garch", [x], 120, HORIZON)
    ends = np.arange(500, 19_000, 150)
    paths = forecast(forecaster, np.stack([x[t - 120 : t] for t in ends]), 1000) / 0.01
    found = paths[..., 0].var(1)
    h = np.arange(1, HORIZON + 1)
    expected = 1 + (alpha + beta) ** (h - 1) * (variance[ends, None] - 1)  # ω / (1 − α − β) = 1
    assert np.exp(np.abs(np.log(found / expected)).mean(0)).max() < 1.15
    assert np.corrcoef(np.log(found[:, 0]), np.log(expected[:, 0]))[0, 1] > 0.95


def smoothed(form: _Form, x: np.ndarray, state: np.ndarray, errors: np.ndarray | None = None) -> tuple:
    """The textbook's recursion: errors of x, or x of errors; the state is level, trend, seasons from the oldest."""
    level, trend, seasons = state[0], state[1] if form.trend else 0.0, list(state[1 + form.trend :])
    found = []
    for t in range(len(x) if errors is None else len(errors)):
        mean = level + form.phi * trend + (seasons[0] if seasons else 0.0)
        e = x[t] - mean if errors is None else errors[t]
        found.append(e if errors is None else mean + e)
        level, trend = level + form.phi * trend + form.alpha * e, form.phi * trend + form.beta * e
        if seasons:
            seasons = [*seasons[1:], seasons[0] + form.gamma * e]
    return np.array(found), np.array([level, *([trend] if form.trend else []), *seasons])


@pytest.mark.parametrize(
    "form",
    [
        _Form(alpha=0.4),
        _Form(trend=True, alpha=0.5, beta=0.1, phi=0.9),
        _Form(trend=True, period=4, alpha=0.3, beta=0.05, gamma=0.2),
    ],
    ids=lambda form: form.name,
)
def test_smoothing_is_the_recursion_from_the_best_first_state(form: _Form) -> None:
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    x, size = rng.normal(size=20).cumsum(), 1 + form.trend + form.period
    best = minimize(
        lambda z: (smoothed(form, x, z)[0] ** 2).sum(), np.zeros(size), method="BFGS", tol=1e-12
    ).x
    last = smoothed(form, x, best)[1]
    maps = _Filter(form, 20, 9)
    expected = smoothed(form, x, last, np.zeros(9))[0]
    assert maps.point @ x == pytest.approx(expected, abs=1e-4)
    errors = rng.normal(size=9)
    assert maps.point @ x + maps.response @ errors == pytest.approx(
        smoothed(form, x, last, errors)[0], abs=1e-4
    )


def test_smoothing_finds_its_form() -> None:
    rng = np.random.default_rng(0)
    t = np.arange(400.0)
    walk = rng.normal(size=400).cumsum()
    seasons = 3.0 * np.tile([1.0, -1.0, 2.0, -2.0], 100) + 0.5 * t + rng.normal(size=400)
    forecaster = fitted("ets", [np.stack([walk, seasons], axis=1)], period=4)
    assert forecaster.notes()[0].startswith("column 1: ETS ANN")
    assert forecaster._forms[0].alpha > 0.85 and forecaster._forms[1].period == 4
    history = np.stack([walk, seasons], axis=1)[None, 100 : 100 + HISTORY]
    paths = forecast(forecaster, history, 3000)[0]
    expected = 3.0 * np.tile([1.0, -1.0, 2.0, -2.0], 3) + 0.5 * (100 + HISTORY + np.arange(HORIZON))
    assert paths[..., 1].mean(0) == pytest.approx(expected, abs=1.5)
    assert paths[:, 0, 0].mean() == pytest.approx(history[0, -1, 0], abs=0.5)
    assert "period" not in "".join(fitted("ets", [walk[:, None]], 7, 3, period=4).notes()), (
        "too short a history"
    )


def test_intervals_of_smoothing_hold_what_they_say() -> None:
    rng = np.random.default_rng(0)
    level = rng.normal(size=(30_000, 2)).cumsum(0)
    x = (level + 2.0 * rng.normal(size=level.shape)) * [1.0, 100.0]
    windows = sliding_window_view(x[3000:], HISTORY + HORIZON, axis=0).swapaxes(1, 2)[::45]
    samples = forecast(fitted("ets", [x[:3000]]), windows[:, :HISTORY], 200).swapaxes(0, 1)
    truth = windows[:, HISTORY:]
    assert coverage(samples[:, :, 0], truth[:, 0]) == pytest.approx(0.9, abs=0.03)
    assert coverage(samples[:, :, -1], truth[:, -1]) == pytest.approx(0.9, abs=0.04)


# -- quantile regression ----------------------------------------------------------------------------


def test_quantile_regression_finds_the_coefficients_of_a_linear_spread() -> None:
    from sklearn.linear_model import QuantileRegressor

    rng = np.random.default_rng(0)
    f = rng.uniform(0, 2, size=6000)
    y = 1.0 + 2.0 * f + (0.5 + f) * rng.normal(size=6000)
    design = np.stack([np.ones_like(f), f], axis=1)
    found = regression_quantiles(design, y)
    z = stats.norm.ppf(LEVELS)
    assert found[0] == pytest.approx(1.0 + 0.5 * z, abs=0.15) and found[1] == pytest.approx(2.0 + z, abs=0.15)
    reference = QuantileRegressor(quantile=0.9, alpha=0.0).fit(f[:300, None], y[:300])
    ours = regression_quantiles(design[:300], y[:300], np.array([0.9]))[:, 0]
    assert ours == pytest.approx([reference.intercept_, reference.coef_[0]])
    forecaster = Registry.get("forecaster", "quantile_regression", lags=1, period=1, max_windows=4000)
    forecaster.fit([y[:, None]], [f[:, None]], 2, 1)
    known = np.zeros((2, 3, 1))
    known[:, 2, 0] = [0.2, 1.8]
    paths = forecaster.forecast(np.full((2, 2, 1), 3.0), known, 5000)[..., 0, 0]
    assert paths.std(1) == pytest.approx([0.7, 2.3], rel=0.12)
    assert np.quantile(paths[1], 0.9) == pytest.approx(4.6 + 2.3 * stats.norm.ppf(0.9), abs=0.3)


def test_features_that_others_determine_are_no_obstacle() -> None:
    rng = np.random.default_rng(0)
    x, day = rng.normal(size=(600, 1)), np.eye(3)[np.arange(600) % 3]
    known = np.concatenate((day, day[:, :1], np.ones((600, 1))), axis=1)  # sum to the constant; one twice
    for name in ("quantile_regression", "residual_bootstrap"):
        paths = (
            Registry.get("forecaster", name)
            .fit([x], [known], 6, 3)
            .forecast(x[None, :6], known[None, :9], 500)
        )
        assert paths.std() == pytest.approx(1.0, abs=0.2) and np.abs(paths).max() < 10, name


def test_shares_invert_quantiles_and_their_tails() -> None:
    rng = np.random.default_rng(0)
    quantiles = np.sort(rng.normal(size=(4, 3, 2, 19)), axis=-1)
    share = rng.random((4, 500, 3, 2))
    values = _inverse(quantiles, share)
    for s in (0, 250, 499):
        assert _pit(quantiles, values[:, s]) == pytest.approx(share[:, s])
    at = _inverse(quantiles, np.broadcast_to(LEVELS[:, None, None], (4, 19, 3, 2)))
    assert np.moveaxis(at, 1, -1) == pytest.approx(quantiles)
    tail = _inverse(np.tile(-np.log(LEVELS[::-1]), (1, 1, 1, 1)), np.array([0.97, 0.999]).reshape(1, 2, 1, 1))
    assert tail.ravel() == pytest.approx(-np.log([0.03, 0.001])), "an exponential's tail is exponential"


def test_numbers_that_never_change_are_forecast_as_they_are() -> None:
    x = np.stack([np.random.default_rng(0).normal(size=900), np.zeros(900)], axis=1)
    for name in ("quantile_regression", "residual_bootstrap", "ets", "naive", "climatology"):
        paths = forecast(fitted(name, [x]), x[None, :HISTORY], 20)
        assert paths[..., 1] == pytest.approx(0.0, abs=1e-9), name


# -- deepar --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("errors", ["student_t", "gaussian"])
def test_deepar_learns_dynamics_and_features(errors: str) -> None:
    rng = np.random.default_rng(0)
    known = rng.choice([-1.0, 1.0], size=(3000, 1))
    x = 20.0 + lfilter([1.0], [1.0, -0.5], 2.0 * known + 0.5 * rng.normal(size=(3000, 1)), axis=0)
    params = {"width": 16, "layers": 1, "steps": 200, "learning_rate": 0.02, "errors": errors}
    forecaster = Registry.get("forecaster", "deepar", **params).fit([x[:2500]], [known[:2500]], 8, 4)
    starts = np.arange(2500, 2980, 8)
    windows = np.stack([x[t : t + 12] for t in starts])
    paths = forecaster.forecast(windows[:, :8], np.stack([known[t : t + 12] for t in starts]), 100)
    ideal = 0.5 * stats.norm.pdf(0) * 2 - 0.5 / np.sqrt(np.pi)  # CRPS of N(0, ½²) at its own draws
    score = crps(paths.swapaxes(0, 1), windows[:, 8:])[:, 0].mean()
    assert score < 0.45 and score > 0.6 * ideal, "the step's feature is worth ± 2"
    assert 0.75 < coverage(paths.swapaxes(0, 1), windows[:, 8:], 0.9) < 0.99
    assert (paths[:, :, 0].std(1) < paths[:, :, 3].std(1) * 1.2).mean() > 0.7


def test_deepar_stops_in_time() -> None:
    forecaster = Registry.get("forecaster", "deepar", width=4, steps=100_000, max_seconds=0.5)
    told: list[float] = []
    x = np.random.default_rng(0).normal(size=(200, 1))
    forecaster.fit([x], [nothing(200)], 5, 3, on_progress=lambda share, text: told.append(share))
    assert "100,000" not in forecaster.notes()[0] and told and told[-1] < 1.0
