"""Figures of a field in a judge that knows no field: which columns, which units, which words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from undula.evaluation.blocks import RealWindows
from undula.evaluation.field import FieldFigures
from undula.evaluation.figure import Judgement
from undula.evaluation.judge import judge
from undula.evaluation.names import About
from undula.report.words import columns_table, group_verdicts, name_in_words, rows, tally, tally_in_words

RNG = np.random.default_rng(0)
REAL = RNG.normal(size=(120, 8, 2)) * [1.0, 10.0] + [0.0, 100.0]
MADE = RNG.normal(size=(90, 8, 2)) * [2.0, 10.0] + [0.0, 100.0]
OTHER = RNG.normal(size=(90, 8, 2)) * [3.0, 10.0] + [0.0, 100.0]


def spread(x: np.ndarray) -> float:
    return float(np.nanmax(x) - np.nanmin(x))


def gap(x: np.ndarray, y: np.ndarray) -> float:
    return float(abs(np.nanmean(x) - np.nanmean(y)))


FIELD = FieldFigures(
    about={
        "spread": About("the spread", "domain", unit=True),
        "gap": About("the gap of means", "domain", unit=True),
        "twin": About("the field's name of it", "domain"),
    },
    statistics={"spread": spread, "twin": lambda x: float(np.nanstd(x))},
    distances={"gap": gap},
    columns=(0, 1),
    names=("a", "b"),
    same={"twin": "std"},
    notes=("of all columns",),
)


def judged(own: FieldFigures, metrics: list[str] | None = None) -> Judgement:
    places = RealWindows(REAL, np.arange(120) * 8)
    wanted = ["std", "copying"] if metrics is None else metrics
    return judge(MADE, places, places, {"other": OTHER}, wanted, 5, columns=["a", "b"], own=own)


def test_figures_of_all_columns_in_training_sd() -> None:
    found = judged(FIELD)
    sd = REAL.std((0, 1))
    spreads = [spread(MADE[:, :, c]) / sd[c] for c in range(2)]
    assert found.figures["spread"].statistic["generated"] == pytest.approx(np.mean(spreads))
    gaps = [gap(MADE[:, :, c], REAL[:, :, c]) / sd[c] for c in range(2)]
    assert found.figures["gap"].value == pytest.approx(np.mean(gaps))
    assert found.figures["gap"].columns["b"]["value"] == pytest.approx(gaps[1])
    assert found.figures["spread"].words == "the spread, in training sd"
    assert found.notes == ["of all columns"]


def test_one_of_several_columns_is_named_and_in_its_own_unit() -> None:
    found = judged(replace(FIELD, columns=(1,), names=("b",)))
    assert found.figures["spread"].statistic["generated"] == pytest.approx(spread(MADE[:, :, 1]))
    assert found.figures["gap"].value == pytest.approx(gap(MADE[:, :, 1], REAL[:, :, 1]))
    assert found.figures["spread"].words == "the spread, in the data's unit (b)"
    assert found.figures["gap"].columns == {}


def test_what_is_measured_may_be_made_of_the_windows() -> None:
    doubled = replace(FIELD, columns=(0,), names=("a",), made={0: lambda w: 2.0 * w[:, 1:]})
    found = judged(doubled)
    assert found.figures["spread"].statistic["generated"] == pytest.approx(2 * spread(MADE[:, 1:, 0]))
    nothing = replace(doubled, made={0: lambda w: np.full_like(w, np.nan)})
    figure = judged(nothing).figures["spread"]
    assert np.isnan(figure.value)
    row = next(r for r in rows(judged(nothing)) if r.metric == "spread")
    assert row.verdict == "not defined for these data" and row.generated == "–" and not row.good


def test_a_figure_that_the_judge_has_is_shown_once_under_the_fields_name() -> None:
    found = judged(FIELD)
    assert "twin" not in found.figures and found.figures["std"].words == "the field's name of it"
    alone = judged(FIELD, ["ks"])
    assert alone.figures["twin"].words == "the field's name of it" and alone.figures["ks"].words == ""
    of_one = judged(replace(FIELD, columns=(0,), names=("a",)))
    assert {"twin", "std"} <= set(of_one.figures), "of one column it is another number"
    assert of_one.figures["std"].words == ""


def test_copying_stays_last_and_tables_have_the_words() -> None:
    found = judged(replace(FIELD, columns=(0,), names=("a",)))
    assert list(found.figures)[-1] == "copying"
    more = found.with_more(
        {"clock": replace(found.figures["gap"], baselines={}, words="by the clock")}, ["why"]
    )
    assert list(more.figures)[-2:] == ["clock", "copying"] and more.notes == ["of all columns", "why"]
    names = [row.name for row in rows(more)]
    assert "the spread, in the data's unit (a)" in names and "by the clock" in names
    assert tally(more, "other")[1] == tally(more)[1] - 1, "a baseline is not blamed for what it cannot have"
    assert f" of {tally(more)[1] - 1}" in tally_in_words(more)
    question = next(answer for asked, answer, _ in group_verdicts(more) if asked == "the field's own figures")
    assert "the spread, in the data's unit (a)" in question
    assert name_in_words("no_such_figure") == "no such figure"


def test_words_are_in_the_results() -> None:
    entries = judged(FIELD).as_json()
    assert entries["spread"]["words"] == "the spread, in training sd" and "words" not in entries["copying"]


def test_tables_by_column_leave_out_what_a_figure_is_not_of() -> None:
    three = np.concatenate([REAL, REAL[:, :, :1]], axis=2)
    places = RealWindows(three, np.arange(120) * 8)
    own = replace(FIELD, columns=(0, 2), names=("a", "c"))
    found = judge(three[::2] * 1.1, places, places, {}, ["std"], 0, columns=["a", "b", "c"], own=own)
    names, table = columns_table(found)
    assert names == ["a", "b", "c"]
    cells = dict(table)["the spread, in training sd"]
    assert cells[1] == ("", True) and cells[0][0] and cells[2][0]
