"""A comparison in words and in rows: what the terminal, the page and the CSV files show alike."""

from __future__ import annotations

__all__ = [
    "caveats",
    "difference_in_words",
    "mean_in_words",
    "table_of_differences",
    "table_of_figures",
    "verdict",
]

import itertools
import math
from typing import Any

from ..evaluation.comparing import Compared, ComparedFigure, Pair
from ..evaluation.paired import CONFIDENCE
from .words import number

_LITTLE = 0.01


def mean_in_words(figure: ComparedFigure, label: str) -> str:
    """Mean ± standard deviation over seeds; without the latter where there is one seed."""
    if label not in figure.means or math.isnan(figure.means[label]):
        return "–"
    sd = figure.sds[label]
    return number(figure.means[label]) + ("" if math.isnan(sd) else f" ± {sd:.2g}")


def difference_in_words(pair: Pair | None) -> str:
    """The mean difference and its interval; marked if it excludes zero, twice if Holm's correction agrees."""
    if pair is None or math.isnan(pair.difference.mean):
        return "–"
    found = pair.difference
    if math.isnan(found.low):
        return f"{found.mean:+.3g} (one seed: no interval)"
    mark = ("**" if pair.holm <= 1 - CONFIDENCE else "*") if found.sign else ""
    return f"{found.mean:+.3g} [{found.low:+.3g}, {found.high:+.3g}]{mark}"


def verdict(figure: ComparedFigure) -> str:
    """Who wins, or why nobody does."""
    if figure.winner is not None:
        words = figure.winner + ("" if figure.holds else " (not after Holm's correction)")
        if figure.at_the_floor:
            return words + "; all at the floor"
        ahead = [abs(pair.difference.mean) for pair in figure.pairs if figure.winner in (pair.a, pair.b)]
        return words + (
            f"; by less than {_LITTLE:.0%} of the floor" if min(ahead) < _LITTLE * (figure.floor or 0) else ""
        )
    if all(math.isnan(pair.difference.low) for pair in figure.pairs):
        return "no interval" if figure.pairs else "one config has it"
    told_apart = sum(pair.difference.sign != 0 for pair in figure.pairs)
    if told_apart:
        return f"no winner; {told_apart} of {len(figure.pairs)} pairs told apart"
    return "not told apart"


def caveats(compared: Compared) -> list[str]:
    """What a reader must know to read the intervals rightly, a sentence each."""
    if compared.intervals == 0:
        return [
            "There is one seed: differences have no interval, and nothing is claimed. Train more seeds: "
            "--seeds 3."
        ]
    chance = compared.intervals * (1 - CONFIDENCE)
    seeds = {name: {s for f in compared.figures for s in f.values.get(name, {})} for name in compared.labels}
    once = [name for name, found in seeds.items() if len(found) == 1]
    alone = (
        f"{' and '.join(once)} {'has' if len(once) == 1 else 'have'} one seed: differences from "
        f"{'it' if len(once) == 1 else 'them'} have no interval, and no config can win. (--baseline-seeds "
        f"{len(compared.seeds)} fits baselines as often.)"
    )
    return [
        *([alone] if once else []),
        f"Intervals of differences are Student's, {CONFIDENCE:.0%}, over the {len(compared.seeds)} seeds "
        "that the configs share. They speak of the spread over trainings for this held-out part, not of "
        "another one. The interval beside a held-out number is the block bootstrap's and speaks of the data.",
        f"There are {compared.intervals} intervals: were no config better than another, about {chance:.1f} "
        "of them would exclude zero by chance. Those marked ** hold after Holm's correction over all of "
        "them, those marked * do not. Figures are related, so their verdicts are not independent.",
        "A config wins a figure if it is better than every other by an interval that excludes zero. Where "
        "all means lie at or below the floor, even a sure difference is smaller than what real data differ "
        "by.",
    ]


def table_of_figures(compared: Compared) -> list[dict[str, Any]]:
    """A row a figure and config, for a CSV file."""
    table = []
    for figure in compared.figures:
        for label in figure.values:
            seeds = {f"seed_{seed}": figure.values[label].get(seed) for seed in compared.seeds}
            baselines = {f"baseline_{name}": value for name, value in figure.baselines.items()}
            held_out = {f"held_out_{k}": v for k, v in figure.held_out.items() if k != "held_out"}
            table.append(
                {
                    "figure": figure.name,
                    "config": label,
                    "mean": figure.means[label],
                    "sd": figure.sds[label],
                    "n": sum(math.isfinite(v) for v in figure.values[label].values()),
                    "sampling_sd": figure.sampling_sds.get(label),
                    "better": figure.better,
                    "winner": figure.winner == label,
                    "holds_after_holm": figure.winner == label and figure.holds,
                    "floor": figure.floor,
                    **baselines,
                    "generated": figure.generated.get(label),
                    "held_out": figure.held_out.get("held_out"),
                    **held_out,
                    **seeds,
                }
            )
    return table


def table_of_differences(compared: Compared) -> list[dict[str, Any]]:
    """A row a figure and pair, for a CSV file."""
    pairs = itertools.chain.from_iterable(
        ((figure, pair) for pair in figure.pairs) for figure in compared.figures
    )
    return [
        {
            "figure": figure.name,
            "a": pair.a,
            "b": pair.b,
            "mean_a_minus_b": pair.difference.mean,
            "low": pair.difference.low,
            "high": pair.difference.high,
            "n": pair.difference.n,
            "p": pair.difference.p,
            "p_holm": pair.holm,
            "better": figure.better,
            "excludes_zero": pair.difference.sign != 0,
        }
        for figure, pair in pairs
    ]
