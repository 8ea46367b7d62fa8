"""Figures in words and in rows: what the terminal and the page both show."""

from __future__ import annotations

__all__ = [
    "SEVERAL_COLUMNS",
    "Row",
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

from ..evaluation.judge import Figure, Judgement

SEVERAL_COLUMNS = "Numbers are means over the columns, those with a unit in training standard deviations."

_GOOD = 1.5
"""Times the larger floor up to which a figure is good."""

_NAMES = {
    "wasserstein": "Wasserstein distance of the values",
    "ks": "Kolmogorov-Smirnov distance of the values",
    "std": "standard deviation",
    "skewness": "skewness",
    "kurtosis": "excess kurtosis",
    "quantile_0.1%": "0.1 % quantile",
    "quantile_1%": "1 % quantile",
    "quantile_99%": "99 % quantile",
    "quantile_99.9%": "99.9 % quantile",
    "tail_0.1%": "lower tail: 0.1 % quantile in sd",
    "tail_99.9%": "upper tail: 99.9 % quantile in sd",
    "acf": "autocorrelation, lags 1–10",
    "acf_abs": "autocorrelation of |x − mean|, lags 1–10",
    "leverage": "leverage: corr(x_t, |x_t+k|), lags 1–10",
    "copying": "share of samples that copy",
}


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


def name_in_words(metric: str) -> str:
    """What a metric is called where it is shown."""
    return _NAMES.get(metric, metric)


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
    if name == "copying":
        return ("no sign of copying", True) if figure.verdict == "ok" else ("copies training windows", False)
    numbers, value = figure.statistic, figure.value if who is None else figure.baselines[who]
    if numbers and numbers["low"] <= numbers[who or "generated"] <= numbers["high"]:
        return "inside the held-out interval", True
    for floor in ("sampling", "shift"):
        if value <= figure.floors[floor]:
            return f"at the {floor} floor", True
    if not figure.floor > 0:
        return "off", False
    return f"{value / figure.floor:.1f} times the larger floor", value <= _GOOD * figure.floor


def tally(judgement: Judgement, who: str | None = None) -> tuple[int, int]:
    """How many figures are good, copying aside, and how many there are; for the model or a baseline."""
    figures = {name: figure for name, figure in judgement.figures.items() if name != "copying"}
    return sum(verdict(name, figure, who)[1] for name, figure in figures.items()), len(figures)


def tally_in_words(judgement: Judgement) -> str:
    """The tally of the model and of each baseline, by one rule."""
    good, count = tally(judgement)
    first = next(iter(judgement.figures.values()), None)
    others = [
        f"{who.replace('_', ' ')} {tally(judgement, who)[0]}" for who in (first.baselines if first else ())
    ]
    copies = " (which copies)" if any("block" in other for other in others) else ""
    beside = f"; by the same rule: {', '.join(others)}{copies}" if others else ""
    return (
        f"{good} of {count} figures lie inside the interval of the held-out data or within {_GOOD:g} times "
        f"the larger floor{beside}."
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
    """Three significant digits."""
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
        train = number(figure.floors["shift"])
        others = {k: number(v) for k, v in figure.baselines.items()}
    return Row(name, name_in_words(name), kind, generated, held_out, train, others, words, good)
