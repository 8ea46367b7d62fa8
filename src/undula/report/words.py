"""Figures in words and in rows: what the terminal and the page both show."""

from __future__ import annotations

__all__ = [
    "SEVERAL_COLUMNS",
    "Row",
    "columns_table",
    "copied",
    "group_of",
    "group_verdicts",
    "groups",
    "headline",
    "name_in_words",
    "number",
    "rows",
    "shift_in_words",
    "tally",
    "tally_in_words",
    "verdict",
]

import math
from dataclasses import dataclass
from statistics import NormalDist

from ..evaluation.figure import Figure, Judgement
from ..evaluation.names import ABOUT, GROUPS

SEVERAL_COLUMNS = "Numbers are means over the columns, those with a unit in training standard deviations."

_GOOD = 1.5
"""Times the larger floor up to which a figure is good."""

_CANCELLED = 3.0
"""Times the floor from which columns that are off count, whatever their mean is."""

_SURE = 0.05
"""Chance that real data have any column outside its interval, by `_near`; intervals alone have it each."""

_FEWEST_WINDOWS = 5
"""Separate windows below which nothing is said of copying."""

_MANY_COPIES = 0.05
_LITERAL, _SOME_LITERAL = 0.5, 0.01
"""Shares of windows that are real ones, number for number, from which a set is a copy, or partly."""

_BELOW_CHANCE = 0.15
"""Below chance by so much: a copy in the training share of a split says that its original is generated."""

_TOLD_APART = {
    "boosting": (0.65, 0.85),
    "discriminative": (0.05, 0.2),
    "discriminative_gru32": (0.05, 0.2),
    "discriminative_lstm32": (0.05, 0.2),
}
"""Up to where a judge hardly, and up to where it often tells real from generated."""


@dataclass(frozen=True)
class Row:
    """One figure, ready to be printed.

    Args:
        metric: its key.
        name: in words.
        kind: "distance", "statistic" or "copying".
        generated: the sample's number.
        held_out: the held-out number and its interval, or the floors.
        train: the training part's number.
        baselines: numbers by baseline.
        verdict: in words.
        good: whether the verdict is a good one.
    """

    metric: str
    name: str
    kind: str
    generated: str
    held_out: str
    train: str
    baselines: dict[str, str]
    verdict: str
    good: bool


def name_in_words(metric: str, words: str = "") -> str:
    """What a metric is called where it is shown.

    Args:
        metric: its key.
        words: what the data's field calls it; empty where that says nothing.
    """
    if words:
        return words
    return ABOUT[metric].words if metric in ABOUT else metric.replace("_", " ")


def rows(judgement: Judgement) -> list[Row]:
    """All figures in words."""
    return [_row(name, figure) for name, figure in judgement.figures.items()]


def verdict(name: str, figure: Figure, who: str | None = None) -> tuple[str, bool]:
    """What a figure says, and whether that is good.

    Args:
        name: of the metric.
        figure: its figure.
        who: a baseline, to be judged by the same rule; None: the model.
    """
    value = figure.value if who is None else figure.baselines.get(who, math.nan)
    if name == "copying":
        copies = figure.verdict == "copies" if who is None else value > _MANY_COPIES
        return ("copies training windows", False) if copies else ("no sign of copying", True)
    if math.isnan(value):
        return "not defined for these data", False
    if name in _TOLD_APART:
        if value < ABOUT[name].chance - _BELOW_CHANCE:
            return "below chance: real windows are taken for their copies", False
        return _told_apart(value, figure.floor, _TOLD_APART[name])
    numbers = figure.statistic
    if numbers and numbers["low"] <= numbers[who or "generated"] <= numbers["high"]:
        off = _columns_off(figure, who or "generated")
        if off and value > _CANCELLED * figure.floor:
            return f"inside the interval as a mean, off in {_some(off)}", False
        return f"inside the interval of the real data{f', off in {_some(off)}' if off else ''}", True
    for floor in ("sampling", "shift"):
        if value <= figure.floors[floor]:
            return f"at the {floor} floor", True
    outside = "outside the interval" if numbers and not math.isnan(numbers["low"]) else ""
    if not figure.floor > 0:
        return outside or "off", False
    times = f"{_times(value / figure.floor)} the {_floor(figure)}"
    return f"{outside}, {times}" if outside else times, value <= _GOOD * figure.floor


def _columns_off(figure: Figure, who: str) -> list[str]:
    """Columns outside their own interval and above their own floor."""
    return [name for name, column in figure.columns.items() if not _near(column, len(figure.columns), who)]


def _near(column: dict[str, float], count: int, who: str = "generated") -> bool:
    """Whether one of so many columns is as the held-out data, by intervals widened after Bonferroni."""
    value = column["value"]
    if who in column:
        difference = column[who] - column["held_out"]
        wide = NormalDist().inv_cdf(1 - _SURE / 2 / count) / NormalDist().inv_cdf(1 - _SURE / 2)
        end = column["high"] if difference > 0 else column["low"]
        if abs(difference) <= wide * abs(end - column["held_out"]):
            return True
        value = abs(difference)
    return value <= _GOOD * column["floor"]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 3 else ""
    return ", ".join(names[: 2 if more else 3]) + more


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 100 else "over 100 times"


def _floor(figure: Figure) -> str:
    return "floor" if math.isnan(figure.floors.get("shift", math.nan)) else "larger floor"


def _told_apart(value: float, floor: float, limits: tuple[float, float]) -> tuple[str, bool]:
    if value <= limits[0]:
        return ("at the floor: cannot be told apart" if value <= floor else "hardly told apart"), True
    if value <= floor:
        return "at the floor: no better than two periods of real data", True
    return ("often told apart", False) if value <= limits[1] else ("told apart", False)


def group_verdicts(judgement: Judgement, literal: float = 0.0) -> list[tuple[str, str, bool]]:
    """For each group of figures: its question, the answer in words, and whether it is good.

    Args:
        judgement: the figures.
        literal: share of samples that are real windows, number for number.
    """
    answers = []
    for group, question in GROUPS.items():
        names = [n for n in judgement.figures if group_of(n) == group]
        if not names:
            continue
        good = {n: verdict(n, judgement.figures[n])[1] for n in names}
        if group == "copying":
            words, fine = verdict("copying", judgement.figures["copying"])
            if literal > _SOME_LITERAL:
                words, fine = f"yes: {literal:.0%} are real windows, number for number", False
            answers.append((question, words, fine))
            continue
        bad = [name_in_words(n, judgement.figures[n].words) for n in names if not good[n]]
        if not bad:
            words = "as the real data, by all figures" if len(names) > 1 else "as the real data"
        elif len(bad) == len(names):
            words = f"off: {', '.join(bad)}"
        else:
            words = f"{len(names) - len(bad)} of {len(names)} figures as the real data; off: {', '.join(bad)}"
        answers.append((question, words, not bad))
    return answers


def groups(judgement: Judgement) -> list[tuple[str, list[Row]]]:
    """The rows of each group that has any, under its question."""
    table = rows(judgement)
    found = [
        (question, [row for row in table if group_of(row.metric) == group])
        for group, question in GROUPS.items()
    ]
    return [(question, members) for question, members in found if members]


def copied(judgement: Judgement, literal: float) -> bool:
    """Whether samples are copies of real windows, all or some."""
    copying = judgement.figures.get("copying")
    return literal > _SOME_LITERAL or (copying is not None and copying.verdict == "copies")


def headline(judgement: Judgement, literal: float, separate: int | None = None) -> str:
    """The verdict in a sentence or two.

    Args:
        judgement: the figures.
        literal: share of samples that are real windows, number for number.
        separate: as how many independent windows the samples count; None: enough.
    """
    if literal > _LITERAL:
        return (
            f"A copy: {literal:.0%} of the synthetic windows are real ones, number for number. The other "
            "figures mean nothing."
        )
    if literal > _SOME_LITERAL:
        return (
            f"Partly a copy: {literal:.0%} of the synthetic windows are real ones, number for number. Good "
            "figures beside that mean little."
        )
    if copied(judgement, literal):
        copying = judgement.figures["copying"]
        return (
            f"Copies: {copying.value:.0%} of the synthetic windows lie nearer to a training window than real "
            f"windows do; by chance it would be {copying.floor:.1%}. Good figures beside that mean nothing."
        )
    answers = [answer for answer in group_verdicts(judgement) if answer[0] != GROUPS["copying"]]
    good = sum(fine for _, _, fine in answers)
    checked = "No sign of copying." if "copying" in judgement.figures else "Copying was not checked."
    if separate is not None and separate < _FEWEST_WINDOWS:
        of = "1 window" if separate == 1 else f"{separate} separate windows"
        checked = f"The synthetic data hold {of}: too few to say anything with confidence."
    if not answers:
        return checked
    fine, count = tally(judgement)
    return (
        f"{fine} of {count} figures are as in the real data, all of them in {good} of {len(answers)} "
        f"properties. {checked}"
    )


def columns_table(judgement: Judgement) -> tuple[list[str], list[tuple[str, list[tuple[str, bool]]]]]:
    """The columns, and for each figure that has them its value in each, with whether it is near the floor."""
    figures = {name: figure for name, figure in judgement.figures.items() if figure.columns}
    names = list(dict.fromkeys(name for figure in figures.values() for name in figure.columns))
    table = []
    for metric, figure in figures.items():
        cells = []
        for column in (figure.columns.get(name) for name in names):
            if column is None:
                cells.append(("", True))
                continue
            cells.append(
                (number(column.get("generated", column["value"])), _near(column, len(figure.columns)))
            )
        table.append((name_in_words(metric, figure.words), cells))
    return names, table


def group_of(metric: str) -> str:
    """The group of a metric; that of the field's own figures for one that is not among ours."""
    return ABOUT[metric].group if metric in ABOUT else "domain"


def tally(judgement: Judgement, who: str | None = None) -> tuple[int, int]:
    """How many figures are good, copying aside, and how many the model or a baseline has."""
    figures = {
        name: figure
        for name, figure in judgement.figures.items()
        if name != "copying" and (who is None or who in figure.baselines)
    }
    return sum(verdict(name, figure, who)[1] for name, figure in figures.items()), len(figures)


def tally_in_words(judgement: Judgement) -> str:
    """The tally of the model and of each baseline, by one rule."""
    good, count = tally(judgement)
    first = next(iter(judgement.figures.values()), None)
    others = []
    for who in first.baselines if first else ():
        fine, of = tally(judgement, who)
        copies = " (which copies)" if "block" in who else ""
        others.append(f"{who.replace('_', ' ')} {fine}{f' of {of}' if of < count else ''}{copies}")
    floor = "floor" if first is None else _floor(first)
    return (
        f"{good} of {count} figures lie inside the interval of the real data or within {_GOOD:g} times "
        f"the {floor}" + (f"; by the same rule: {', '.join(others)}." if others else ".")
    )


def shift_in_words(judgement: Judgement) -> str:
    """How far the held-out part itself is from the training part; empty if nothing tells."""
    figure = judgement.figures.get("std")
    if figure is None or not figure.statistic["held_out"] > 0:
        return ""
    if math.isnan(figure.statistic["low"]):
        return "The held-out part is too short for intervals: its figures say little."
    ratio = figure.statistic["train"] / figure.statistic["held_out"]
    low, high = figure.statistic["low"], figure.statistic["high"]
    if low <= figure.statistic["train"] <= high:
        return (
            "The held-out part is like the training part: the latter's standard deviation lies inside the "
            "former's interval."
        )
    what = "calmer" if ratio > 1 else "stormier"
    return (
        f"The held-out part is {what} than the training part, whose standard deviation is {ratio:.2f} times "
        "as large: a model that has learned the training part perfectly would still be at the shift floor."
    )


def number(value: float) -> str:
    """Three significant digits; a dash for what is not defined."""
    if math.isnan(value):
        return "–"
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _row(name: str, figure: Figure) -> Row:
    words, good = verdict(name, figure)
    numbers = figure.statistic
    if name == "copying":
        kind, generated = "copying", f"{figure.value:.1%}"
        held_out, train = f"floor {figure.floor:.1%}", ""
        others = {k: f"{v:.1%}" for k, v in figure.baselines.items()}
    elif numbers:
        kind, generated = "statistic", number(numbers["generated"])
        interval = f"[{number(numbers['low'])}, {number(numbers['high'])}]"
        short = math.isnan(numbers["low"])
        held_out = f"{number(numbers['held_out'])} {'(too short)' if short else interval}"
        train = number(numbers["train"])
        others = {k: number(numbers[k]) for k in figure.baselines}
    else:
        kind, generated = "distance", number(figure.value)
        sampling = figure.floors["sampling"]
        held_out = "too short for a floor" if math.isnan(sampling) else f"floor {number(sampling)}"
        train = "" if math.isnan(figure.floors["shift"]) else number(figure.floors["shift"])
        if figure.repeats > 1:
            generated += f" ± {number(figure.sd)}"
        others = {k: number(v) for k, v in figure.baselines.items()}
    called = name_in_words(name, figure.words)
    return Row(name, called, kind, generated, held_out, train, others, words, good)
