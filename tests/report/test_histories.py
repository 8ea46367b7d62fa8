"""Continuations of histories: rolling figures against pandas, coverage, and what the charts show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from undula.report.histories import Histories, fan_chart, rolling, rolling_chart


def content(spread: float = 1.0) -> Histories:
    """White noise of unit variance, continued by paths of another spread."""
    rng = np.random.default_rng(0)
    return Histories(
        columns=["a", "b", "c"],
        fan_histories=rng.normal(size=(4, 30, 3)),
        fan_truths=rng.normal(size=(4, 500, 3)),
        fan_paths=spread * rng.normal(size=(4, 200, 500, 3)),
        real_histories=rng.normal(size=(50, 30, 3)),
        real=rng.normal(size=(50, 20, 3)),
        told=rng.normal(size=(40, 30, 3)),
        generated=spread * rng.normal(size=(40, 20, 3)),
    )


@pytest.mark.parametrize("width", [2, 5, 8])
def test_rolling_figures_are_those_of_pandas(width: int) -> None:
    rng = np.random.default_rng(1)
    history, window = rng.normal(size=(3, 8)).cumsum(1), rng.normal(size=(3, 12)).cumsum(1)
    found = rolling(history, window, width)
    for i in range(3):
        series = pd.Series(np.concatenate([history[i], window[i]]))
        spread = series.rolling(width).std(ddof=0)[8:]
        change = series.diff().abs().rolling(width - 1).mean()[8:]
        assert np.allclose(found["spread"][i], spread)
        assert np.allclose(found["change"][i], change)


@pytest.mark.parametrize(("spread", "expected"), [(1.0, 0.90), (2.0, 0.999), (0.5, 0.589)])
def test_coverage_of_known_spreads(spread: float, expected: float) -> None:
    """P(|x| < 1.645 spread) for a standard normal x; quantiles of 200 paths are a little too narrow."""
    assert content(spread).coverage == pytest.approx(expected, abs=0.03)


def test_missing_truths_do_not_count() -> None:
    whole = content(2.0)
    holed = whole.fan_truths.copy()
    holed[:, ::2] = np.nan
    assert replace(whole, fan_truths=holed).coverage > 0.98


def test_the_crps_tells_whether_the_history_is_used() -> None:
    """Fans about N(m, 1) with the truth's m, samples about N(0, 1 + 9): 1/√π and √10/√π on average, in sd √10."""
    rng = np.random.default_rng(2)
    means = 3.0 * rng.normal(size=(400, 1, 1))
    told = Histories(
        columns=["a"],
        fan_histories=means + rng.normal(size=(400, 5, 1)),
        fan_truths=means + rng.normal(size=(400, 6, 1)),
        fan_paths=means[:, None] + rng.normal(size=(400, 100, 6, 1)),
        real_histories=np.zeros((400, 5, 1)),
        real=means + rng.normal(size=(400, 6, 1)),
        told=np.zeros((400, 5, 1)),
        generated=means + rng.normal(size=(400, 6, 1)),
    )
    own, others = told.crps
    assert own == pytest.approx(1 / np.sqrt(10 * np.pi), rel=0.06)
    assert others == pytest.approx(1 / np.sqrt(np.pi), rel=0.06)


def test_the_bands_are_quantiles_and_lines_meet_at_the_join() -> None:
    shown = content()
    chart = fan_chart(shown)
    first = {trace.name: trace for trace in chart.data[:5]}
    upper = np.array(first["90 % of the paths"].y[:500], float)
    lower = np.array(first["90 % of the paths"].y[500:][::-1], float)
    assert np.allclose(upper, np.quantile(shown.fan_paths[0, :, :, 0], 0.95, axis=0), rtol=1e-4)
    assert np.allclose(lower, np.quantile(shown.fan_paths[0, :, :, 0], 0.05, axis=0), rtol=1e-4)
    assert first["history"].y[-1] == first["what happened"].y[0]
    assert first["history"].x[-1] == first["what happened"].x[0] == 0
    assert np.allclose(np.array(first["what happened"].y[1:], float), shown.fan_truths[0, :, 0], rtol=1e-4)
    assert sum(trace.showlegend is not False for trace in chart.data) == 5


def test_the_rolling_chart_tells_the_sides_apart() -> None:
    shown = content(3.0)
    assert shown.width == 10
    medians = {trace.name: np.median(np.array(trace.y, float)) for trace in rolling_chart(shown).data
               if trace.name and "median" in trace.name}  # fmt: skip
    assert medians["generated, median"] > 1.5 * medians["real, median"]
