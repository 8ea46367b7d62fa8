"""Scenarios: which real windows match, what samples are told, what the study says."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from undula import DiffusionModel
from undula.config.loading import as_config
from undula.config.yaml12 import parse_yaml
from undula.core.errors import ConfigError, DataError
from undula.data.prepare import PreparedData, prepare
from undula.domains.finance.real import RealReturns, as_log_returns
from undula.domains.finance.scenario_words import as_json, flat_rows, sentences, table_rows
from undula.domains.finance.scenarios import Row, Scenario, ScenarioStudy, run_scenarios
from undula.evaluation.intervals import Estimate

from .study import SMALL, table


@pytest.fixture(scope="module")
def trained() -> tuple[DiffusionModel, PreparedData]:
    config = as_config(parse_yaml(SMALL, "levels"))
    prepared = prepare(config.data, table())
    return DiffusionModel.from_config(config).fit(prepared), prepared


@pytest.fixture(scope="module")
def study(trained: tuple[DiffusionModel, PreparedData]) -> ScenarioStudy:
    levels, scales = [12, 20, 35], [0, 1, 2]
    return run_scenarios(
        *trained, levels=levels, thresholds=[30], guidance=scales, n=150, draws=30, part="all"
    )


@pytest.mark.parametrize("part", ["train", "val", "test", "held-out", "all"])
def test_matched_windows_are_those_that_began_near_the_level(
    trained: tuple[DiffusionModel, PreparedData], part: Any
) -> None:
    """Found again from the table itself, row by row."""
    _, prepared = trained
    real = RealReturns.of(prepared, part, 0, 0)
    rows, parts = table(), prepared.parts
    names = {"held-out": ["val", "test"], "all": ["train", "val", "test"]}.get(part, [part])
    starts = np.concatenate([getattr(parts, name).starts for name in names])
    returns, level = np.diff(np.log(rows["price"])), rows["level"].to_numpy()
    for asked, match in ((20.0, 0.1), (30.0, None)):
        windows, told = real.matching(asked, match)
        before = level[starts]  # of the window of returns s, s + 1, …, from prices s, s + 1, s + 2, …
        near = before >= asked if match is None else np.abs(before / asked - 1) <= match
        assert windows.starts is not None
        assert windows.starts.tolist() == starts[near].tolist()
        assert np.array_equal(told, before[near])
        for window, start in zip(windows.windows, starts[near], strict=True):
            assert np.allclose(window, returns[start : start + 6])


def test_rows_and_their_windows(study: ScenarioStudy) -> None:
    assert [r.scenario.label for r in study.real] == ["12", "20", "35", "≥ 30"]
    assert [(r.scenario.label, r.guidance) for r in study.rows[:3]] == [("12", 0), ("12", 1), ("12", 2)]
    assert len(study.rows) == 12 and all(r.windows == 150 for r in study.rows)
    assert all(0.9 * r.scenario.level < r.told < 1.1 * r.scenario.level for r in study.real[:3])
    stress = [r for r in study.rows if r.scenario.stress]
    assert all(r.told == pytest.approx(study.real[3].told, rel=0.05) for r in stress), (
        "levels are the real ones"
    )


def test_real_volatility_is_what_the_level_says(study: ScenarioStudy) -> None:
    """The known answer: a level of 20 is a volatility of 20 per cent a year, times the median of √(χ²₆/6)."""
    factor = np.sqrt(stats.chi2.median(6) / 6)
    for real in study.real[:3]:
        assert real.risks["volatility"].value == pytest.approx(factor * real.told / 100, rel=0.15)
        low, high = real.risks["volatility"].low, real.risks["volatility"].high
        assert real.range[0] < low < real.risks["volatility"].value < high < real.range[1]


def test_guidance_0_is_the_same_at_every_level_and_1_rises(study: ScenarioStudy) -> None:
    by_guidance = study.by_guidance()
    assert len({r.risks["volatility"].value for r in by_guidance[0.0]}) == 1
    assert study.monotone(0.0) is False
    assert study.monotone(1.0) is True
    rising = [[r.risks["volatility"].value for r in by_guidance[w]] for w in (1.0, 2.0)]
    assert rising[1][2] / rising[1][0] > rising[0][2] / rising[0][0], "more guidance exaggerates"


def test_a_study_is_repeatable(trained: tuple[DiffusionModel, PreparedData]) -> None:
    options: dict[str, Any] = {"levels": [20], "n": 40, "draws": 10}
    assert as_json(run_scenarios(*trained, **options)) == as_json(run_scenarios(*trained, **options))
    other = run_scenarios(*trained, **options, seed=1)
    assert other.rows[0].risks != run_scenarios(*trained, **options).rows[0].risks
    few = run_scenarios(*trained, **options, num_steps=2)
    assert few.rows[0].risks != run_scenarios(*trained, **options).rows[0].risks
    yearly = run_scenarios(*trained, **options, per_year=63)
    halved = yearly.rows[0].risks["volatility"].value * 2
    assert halved == pytest.approx(run_scenarios(*trained, **options).rows[0].risks["volatility"].value)


def made(median: float, real: tuple[float, float, float], spread: tuple[float, float]) -> ScenarioStudy:
    """Two levels; the samples' median of the first is given, and the real interval and range."""
    nothing = Estimate(0.0, 0.0, 0.0)

    def row(level: float, guidance: float | None, volatility: Estimate) -> Row:
        names = ("skewness", "kurtosis", "var_1%", "es_1%", "drawdown")
        risks = {"volatility": volatility, **dict.fromkeys(names, nothing)}
        return Row(Scenario(level), guidance, 9, 4, level, risks, spread)

    reals = [row(v, None, Estimate(*real)) for v in (10.0, 20.0)]
    rows = [row(10.0, 1.0, Estimate(median, 0, 1)), row(20.0, 1.0, Estimate(0.2, 0, 1))]
    return ScenarioStudy("vix", "sp500", "test", "2010 to 2020", 0.1, 21, 252.0, reals, rows)


def test_verdicts() -> None:
    study = made(0.12, (0.15, 0.13, 0.21), (0.1, 0.3))
    assert study.inside(study.rows[0]) is True and study.agrees(study.rows[0]) is False
    assert study.inside(study.rows[1]) is True and study.agrees(study.rows[1]) is True
    assert study.monotone(1.0) is True
    assert made(0.2, (0.15, 0.13, 0.21), (0.1, 0.3)).monotone(1.0) is False, "equal is not rising"
    low = made(0.05, (0.15, 0.13, 0.21), (0.1, 0.3))
    assert low.inside(low.rows[0]) is False
    few = made(0.12, (0.15, float("nan"), float("nan")), (0.1, 0.3))
    assert few.agrees(few.rows[0]) is None
    words = " ".join(sentences(few))
    assert (
        "rises with the level; it lies in the range of 90 % of the matched windows at 2 of 2 levels" in words
    )
    assert "at 0 of 0 (2 without enough real windows)" in words
    assert "few independent real windows, whose intervals mean little, at 10 (9 windows in 4 blocks)" in words


def test_levels_without_real_windows_are_said_and_not_judged(
    trained: tuple[DiffusionModel, PreparedData],
) -> None:
    study = run_scenarios(*trained, levels=[200], n=20, draws=5)
    assert study.real[0].windows == 0 and np.isnan(study.real[0].risks["volatility"].value)
    assert study.inside(study.rows[0]) is None and study.agrees(study.rows[0]) is None
    assert table_rows(study)[0][1][2] == "none" and study.monotone(1.0) is None
    assert any("200 at the start lies outside what training has seen" in s for s in sentences(study))
    assert as_json(study)["rows"][0]["volatility"] is None


def test_the_flat_rows_has_every_number(study: ScenarioStudy) -> None:
    flat = flat_rows(study)
    assert len(flat) == len(study.real) + len(study.rows)
    line = next(x for x in flat if x["level"] == 20 and x["guidance"] == 1)
    row = next(r for r in study.rows if r.scenario == Scenario(20.0) and r.guidance == 1)
    assert line["es_1%"] == row.risks["es_1%"].value
    assert (line["volatility_q05"], line["volatility_q95"]) == row.range
    assert line["in_range"] == study.inside(row)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "no scenario: give levels"),
        ({"levels": [0]}, "a level of 0 has no band"),
        ({"levels": [20], "n": 0}, "n = 0: give a positive number"),
        ({"levels": [20], "match": -0.1}, "match = -0.1"),
        ({"levels": [20], "guidance": []}, "guidance: give one or several scales"),
        ({"levels": [20], "guidance": [-1]}, "none below 0"),
        ({"levels": [20], "column": "vix"}, "no column 'vix'.*the model is told level"),
        ({"levels": [20], "target": "vix"}, "no column 'vix'.*the model generates price_log_return"),
        ({"levels": [float("inf")]}, "finite numbers"),
    ],
)
def test_what_cannot_be_asked(
    trained: tuple[DiffusionModel, PreparedData], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run_scenarios(*trained, **options)


def test_a_threshold_above_all_and_a_part_that_is_empty(
    trained: tuple[DiffusionModel, PreparedData],
) -> None:
    model, prepared = trained
    with pytest.raises(DataError, match="no real window of this part begins at or above 99"):
        run_scenarios(model, prepared, thresholds=[99], n=10)
    parts = replace(prepared.parts, val=None, test=None)
    with pytest.raises(DataError, match="the data have no held-out part"):
        run_scenarios(model, replace(prepared, parts=parts), levels=[20], n=10)


def test_prices_become_returns_and_other_values_are_refused() -> None:
    prices = np.array([[1.0, 2.0, 1.0]])
    assert as_log_returns(prices, "close") == pytest.approx(np.log([[2.0, 0.5]]))
    assert as_log_returns(-prices, "close_log_return").tolist() == (-prices).tolist()
    with pytest.raises(DataError, match="'close' has values that are not positive"):
        as_log_returns(-prices, "close")
    for name in ("close_difference", "close_log"):
        with pytest.raises(DataError, match=f"'{name}' is transformed otherwise"):
            as_log_returns(prices, name)
    with pytest.raises(DataError, match="missing values"):
        as_log_returns(np.array([[1.0, np.nan]]), "close")
