"""Metrics against closed forms, floors, intervals, the copying check."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from undula.core.registry import Registry
from undula.evaluation.blocks import RealWindows
from undula.evaluation.intervals import bootstrap
from undula.evaluation.judge import judge
from undula.evaluation.memorisation import copying_check
from undula.evaluation.names import chosen
from undula.evaluation.statistics import DISTANCES, STATISTICS, autocorrelation, leverage_by_lag
from undula.report.words import rows, shift_in_words, verdict


def ar1(phi: float, rows: int, seed: int = 0) -> np.ndarray:
    white = np.random.default_rng(seed).normal(size=rows)
    return lfilter([np.sqrt(1 - phi**2)], [1, -phi], white)


def windows_of(series: np.ndarray, length: int = 20) -> RealWindows:
    view = np.lib.stride_tricks.sliding_window_view(series, length)
    return RealWindows(view[..., None], np.arange(len(view)))


def test_autocorrelation_of_ar1() -> None:
    x = windows_of(ar1(0.8, 200_000)).windows[::7, :, 0]
    assert autocorrelation(x) == pytest.approx(0.8 ** np.arange(1, 11), abs=0.02)
    assert np.isnan(autocorrelation(x[:, :6], 10)).tolist() == [False] * 5 + [True] * 5


def test_autocorrelation_counts_differences_between_windows() -> None:
    """Calm and stormy windows: |x| is correlated over time although x is white within a window."""
    scale = np.repeat([1.0, 4.0], 3000)[:, None]
    x = scale * np.random.default_rng(0).normal(size=(6000, 20))
    pooled = np.abs(x)
    between = np.var(scale * np.sqrt(2 / np.pi))
    assert autocorrelation(pooled).mean() == pytest.approx(between / pooled.var(), abs=0.01)


def test_leverage_has_its_sign() -> None:
    rng = np.random.default_rng(0)
    x = np.zeros((4000, 30))
    x[:, 0] = rng.normal(size=4000)
    for t in range(1, 30):  # volatility rises after a fall
        x[:, t] = np.exp(-0.4 * np.clip(x[:, t - 1], -2, 2)) * rng.normal(size=4000)
    assert leverage_by_lag(x)[0] < -0.15
    assert leverage_by_lag(-x)[0] > 0.15


def test_statistics_are_scipys() -> None:
    x = np.random.default_rng(0).standard_t(5, size=(500, 20))
    assert STATISTICS["kurtosis"](x) == pytest.approx(stats.kurtosis(x.ravel()))
    assert STATISTICS["skewness"](x) == pytest.approx(stats.skew(x.ravel()))
    assert STATISTICS["std"](x) == pytest.approx(x.std())
    assert STATISTICS["quantile_0.1%"](x) == pytest.approx(np.quantile(x, 0.001))
    holes = np.where(np.random.default_rng(1).random(x.shape) < 0.1, np.nan, x)
    for statistic in STATISTICS.values():
        assert np.isfinite(statistic(holes))


def test_distances_are_exact() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(300, 10)), rng.normal(1.0, 2.0, size=(200, 10))
    assert DISTANCES["ks"](x, y) == pytest.approx(stats.ks_2samp(x.ravel(), y.ravel()).statistic)
    assert DISTANCES["wasserstein"](x, x + 3.0) == pytest.approx(3.0)
    assert DISTANCES["wasserstein"](x, y) == pytest.approx(stats.wasserstein_distance(x.ravel(), y.ravel()))


def test_ks_with_ties() -> None:
    """Atoms: F jumps by more than one observation at once."""
    x, y = np.array([[0.0, 0.0, 0.0, 1.0]]), np.array([[0.0, 1.0, 1.0, 1.0]])
    assert DISTANCES["ks"](x, y) == pytest.approx(0.5)


def test_halves_share_no_row() -> None:
    real = windows_of(ar1(0.5, 900))
    inside = real.blocks >= 0
    even, odd = inside & (real.blocks % 2 == 0), inside & (real.blocks % 2 == 1)
    rows_even = {r for s in real.starts[even] for r in range(s, s + 20)}
    rows_odd = {r for s in real.starts[odd] for r in range(s, s + 20)}
    assert rows_even and rows_odd and not rows_even & rows_odd
    first, second = real.halves()
    assert 0.5 < len(first) / len(second) < 2
    assert len(set(real.blocks)) > 10


def test_independent_windows_are_their_own_blocks() -> None:
    real = RealWindows(np.random.default_rng(0).normal(size=(31, 5, 1)), np.arange(31) * 5, independent=True)
    first, second = real.halves()
    assert (len(first), len(second)) == (16, 15)


def interval(real: RealWindows, seed: int = 0) -> tuple[float, float]:
    return bootstrap({"std": STATISTICS["std"]}, real.windows[:, :, 0], real, 100, seed)["std"]


def test_the_block_bootstrap_covers() -> None:
    """95 % intervals of the standard deviation of an AR(1) cover the truth about 95 times in 100."""
    hits = 0
    for seed in range(100):
        low, high = interval(windows_of(ar1(0.6, 1500, seed)), seed)
        hits += low <= 1.0 <= high
    assert 85 <= hits <= 100


def test_blocks_widen_intervals_of_correlated_series() -> None:
    real = windows_of(ar1(0.95, 2000))
    iid = RealWindows(real.windows, real.starts, independent=True)
    widths = [np.diff(interval(r))[0] for r in (real, iid)]
    assert widths[0] > 3 * widths[1]


# -- copying ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def train() -> RealWindows:
    return windows_of(ar1(0.7, 3000))


def test_fresh_windows_are_no_copies(train: RealWindows) -> None:
    check = copying_check(windows_of(ar1(0.7, 3000, seed=5)).windows[::3], train)
    assert check.verdict == "ok"
    assert check.value < 0.03
    assert check.median_ratio == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("jitter", [0.0, 0.01, 0.1])
def test_a_jittered_copy_is_caught(train: RealWindows, jitter: float) -> None:
    rng = np.random.default_rng(0)
    copies = train.windows[::4] + jitter * rng.normal(size=train.windows[::4].shape)
    check = copying_check(copies, train)
    assert check.verdict == "copies"
    assert check.value > 0.99
    assert check.flags.all() or check.flags.mean() > 0.99


def test_a_few_copies_among_many_are_caught_and_flagged(train: RealWindows) -> None:
    fresh = windows_of(ar1(0.7, 3000, seed=5)).windows[::3].copy()
    fresh[:100] = train.windows[7:1007:10]
    check = copying_check(fresh, train)
    assert check.verdict == "copies"
    assert check.flags[:100].all()
    assert check.flags[100:].mean() < 0.03


def test_samples_of_calm_times_are_no_copies() -> None:
    """They are near to every calm window, as real calm windows are."""
    rng = np.random.default_rng(1)
    level = np.repeat(rng.choice([0.2, 1.0, 3.0], 60), 50)
    train = windows_of(level * rng.normal(size=3000))
    calm = 0.2 * rng.normal(size=(500, train.windows.shape[1], 1))
    assert copying_check(calm, train).verdict == "ok"


def test_windows_that_occur_often_are_no_copies() -> None:
    """A valve that is closed in most windows is closed in most samples."""
    rng = np.random.default_rng(2)
    windows = np.where(rng.random((400, 1, 1)) < 0.6, 7.3, rng.normal(size=(400, 20, 1)))
    train = RealWindows(windows, np.arange(400) * 20, independent=True)
    samples = np.where(rng.random((400, 1, 1)) < 0.6, 7.3, rng.normal(size=(400, 20, 1)))
    check = copying_check(samples, train)
    assert check.verdict == "ok"
    assert not check.flags[(samples == 7.3).all((1, 2))].any()


def test_the_scale_of_a_column_does_not_matter(train: RealWindows) -> None:
    both = RealWindows(np.concatenate([train.windows, 1e6 * train.windows[::-1]], axis=2), train.starts)
    assert copying_check(both.windows[::5], both).verdict == "copies"


# -- judging ---------------------------------------------------------------------------------------


def judged(samples: np.ndarray, **options: object) -> dict[str, object]:
    held_out, train = windows_of(ar1(0.7, 1500, seed=1)), windows_of(ar1(0.7, 4000, seed=2))
    baselines = {"shuffled": np.random.default_rng(0).normal(size=samples.shape)}
    return dict(judge(samples, held_out, train, baselines, draws=60, **options).figures)


@pytest.fixture(scope="module")
def good() -> dict[str, object]:
    """The figures of samples of the truth; boosting has tests of its own, and costs more than the rest."""
    names = [name for name in chosen(None, 1) if name != "boosting"]
    return judged(windows_of(ar1(0.7, 9000, seed=3)).windows[::3], metrics=names)


def test_samples_of_the_truth_are_judged_good(good: dict[str, object]) -> None:
    figures = good
    assert {*figures, "boosting"} == set(chosen(None, 1))
    for name, figure in figures.items():
        words, good = verdict(name, figure)
        assert good, f"{name}: {words}, {figure}"
    assert figures["acf"].statistic["held_out"] == pytest.approx(np.mean(0.7 ** np.arange(1, 11)), abs=0.1)
    assert figures["acf"].baselines["shuffled"] > 5 * figures["acf"].value


def test_wrong_samples_are_judged_wrong() -> None:
    names = ["wasserstein", "ks", "std", "acf", "energy_distance", "sliced_wasserstein", "vds", "boosting"]
    figures = judged(1.5 * np.random.default_rng(0).standard_t(3, size=(500, 20, 1)), metrics=names)
    for name in names:
        assert not verdict(name, figures[name])[1], name


def test_an_interval_holds_the_statistic_it_is_of(good: dict[str, object]) -> None:
    for figure in good.values():
        if "low" in figure.statistic:
            assert figure.statistic["low"] <= figure.statistic["held_out"] <= figure.statistic["high"]
            assert figure.value == pytest.approx(
                abs(figure.statistic["generated"] - figure.statistic["held_out"])
            )


def test_some_metrics_alone_and_without_intervals() -> None:
    figures = judged(windows_of(ar1(0.7, 3000, seed=3)).windows, metrics=["ks", "std"])
    assert list(figures) == ["ks", "std"]


def test_columns_are_averaged_in_their_own_units() -> None:
    """A column in large units does not drown the others."""
    series = [ar1(0.7, 3000, seed=k) for k in range(3)]
    one = [windows_of(s) for s in series]
    both = [RealWindows(np.concatenate([w.windows, 1e5 * w.windows], axis=2), w.starts) for w in one]
    single = judge(one[0].windows, one[1], one[2], {}, ["wasserstein"], draws=0).figures["wasserstein"]
    double = judge(both[0].windows, both[1], both[2], {}, ["wasserstein"], draws=0).figures["wasserstein"]
    assert double.value == pytest.approx(single.value / series[2].std(), rel=0.05)


def test_figures_in_words_and_json() -> None:
    held_out, train = windows_of(0.5 * ar1(0.7, 1500, seed=1)), windows_of(ar1(0.7, 4000, seed=2))
    samples = windows_of(ar1(0.7, 3000, seed=3)).windows[::5]
    names = [name for name in chosen(None, 1) if name != "boosting"]
    judgement = judge(samples, held_out, train, {"copy": train.windows[:500]}, names, draws=50)
    assert "calmer" in shift_in_words(judgement)
    table = {row.metric: row for row in rows(judgement)}
    assert set(table) == set(names)
    assert table["copying"].baselines["copy"] == "100.0%"
    assert "[" in table["kurtosis"].held_out and table["wasserstein"].held_out.startswith("floor")
    entry = judgement.as_json()["wasserstein"]
    assert {"value", "sd", "floor", "baselines", "protocol", "better"} <= set(entry)
    assert "held-out" in entry["protocol"]
    assert judgement.as_json()["copying"]["verdict"] == "ok"


# -- baselines -------------------------------------------------------------------------------------


def test_baselines_keep_and_lose_what_they_should() -> None:
    series = [ar1(0.8, 6000)[:, None]]
    found = {
        name: Registry.get("baseline", name).fit(series, 20).sample(3000)[:, :, 0]
        for name in ("gaussian", "iid_bootstrap", "block_bootstrap")
    }
    for windows in found.values():
        assert windows.std() == pytest.approx(1.0, abs=0.08)
    assert autocorrelation(found["iid_bootstrap"])[0] == pytest.approx(0.0, abs=0.03)
    assert autocorrelation(found["gaussian"])[0] == pytest.approx(0.8, abs=0.03)
    # a stationary bootstrap of mean block 10 keeps a pair of neighbours with probability 0.9
    assert autocorrelation(found["block_bootstrap"])[0] == pytest.approx(0.9 * 0.8, abs=0.03)


def test_the_gaussian_has_the_windows_covariance() -> None:
    series = [ar1(0.8, 30_000)[:, None]]
    windows = Registry.get("baseline", "gaussian").fit(series, 6).sample(40_000)[:, :, 0]
    steps = np.arange(6)
    assert np.allclose(np.cov(windows.T), 0.8 ** np.abs(steps[:, None] - steps), atol=0.06)


def test_blocks_do_not_jump_over_gaps() -> None:
    series = [np.arange(10.0)[:, None], 100 + np.arange(10.0)[:, None]]
    windows = (
        Registry.get("baseline", "block_bootstrap", block_length=1000).fit(series, 5).sample(500)[:, :, 0]
    )
    after_the_end = windows[:, 1:][windows[:, :-1] == 9.0]
    assert len(after_the_end) > 50
    assert (after_the_end == 100.0).mean() < 0.15  # one in twenty by chance


def test_a_held_out_part_too_short_for_halves_has_a_shift_floor() -> None:
    held_out, train = windows_of(ar1(0.7, 30, seed=1)), windows_of(ar1(0.7, 4000, seed=2))
    samples = windows_of(ar1(0.7, 3000, seed=3)).windows
    judgement = judge(samples, held_out, train, {}, ["ks"], draws=10)
    figure = judgement.figures["ks"]
    assert np.isnan(figure.floors["sampling"]) and figure.floor == figure.floors["shift"]
    assert judgement.as_json()["ks"]["floors"]["sampling"] is None
    assert {row.metric: row for row in rows(judgement)}["ks"].held_out == "too short for a floor"
