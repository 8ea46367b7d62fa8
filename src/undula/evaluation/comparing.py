"""Results of several configs, each trained with several seeds, side by side.

For every figure: mean and standard deviation over seeds by config, the floors and the baselines beside, and
the paired difference of every two configs (`paired`). A config wins a figure if it is better than every other
by an interval that excludes zero.
"""

from __future__ import annotations

__all__ = ["Compared", "ComparedFigure", "Pair", "compare_results"]

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..core.errors import DataError
from .names import ABOUT
from .paired import CONFIDENCE, Difference, holm, paired_difference, spread, winner

Results = Mapping[tuple[str, int], Mapping[str, Any]]


@dataclass(frozen=True)
class Pair:
    """The difference a − b of two configs in one figure.

    Args:
        a: label of the one.
        b: label of the other.
        difference: over the seeds that both have.
        holm: its p-value, corrected for all intervals of the comparison.
    """

    a: str
    b: str
    difference: Difference
    holm: float


@dataclass(frozen=True)
class ComparedFigure:
    """One figure of all configs.

    Args:
        name: of the metric.
        better: "lower" or "higher".
        values: by config and seed.
        means: over seeds, by config.
        sds: over seeds, by config; NaN with one seed.
        sampling_sds: of one run, from its samples, by config: the mean over seeds; NaN where unknown.
        floor: the larger of the floors; NaN if the figure has none.
        floors: by name.
        baselines: means over runs.
        generated: for a statistic, the number itself, by config: the mean over seeds.
        held_out: for a statistic, the held-out number, `held_out`, and the ends of its block-bootstrap
            interval, `low` and `high`.
        pairs: of every two configs.
        winner: better than every other by an interval that excludes zero, or None.
        holds: whether that is also so after Holm's correction over the whole comparison.
        words: what the data's field calls it; empty where it has no name of its own.
    """

    name: str
    better: str
    values: dict[str, dict[int, float]]
    means: dict[str, float]
    sds: dict[str, float]
    sampling_sds: dict[str, float]
    floor: float
    floors: dict[str, float]
    baselines: dict[str, float]
    generated: dict[str, float]
    held_out: dict[str, float]
    pairs: list[Pair]
    winner: str | None
    holds: bool
    words: str = ""

    def pair(self, a: str, b: str) -> Pair | None:
        """The difference of two configs, if both have the figure."""
        return next((pair for pair in self.pairs if (pair.a, pair.b) == (a, b)), None)

    @property
    def at_the_floor(self) -> bool:
        """Whether every config's mean lies at or below the floor: no difference matters then."""
        return all(mean <= self.floor for mean in self.means.values())


@dataclass(frozen=True)
class Compared:
    """All figures.

    Args:
        labels: of the configs.
        seeds: of the runs.
        figures: in the order of the first run.
        intervals: how many there are.
    """

    labels: list[str]
    seeds: list[int]
    figures: list[ComparedFigure]
    intervals: int

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Every two configs."""
        return list(itertools.combinations(self.labels, 2))

    def as_json(self) -> dict[str, Any]:
        """Plain values; NaN becomes None."""
        figures = {f.name: {k: v for k, v in asdict(f).items() if k != "name"} for f in self.figures}
        found = {
            "confidence": CONFIDENCE,
            "labels": self.labels,
            "seeds": self.seeds,
            "intervals": self.intervals,
            "expected_by_chance": self.intervals * (1 - CONFIDENCE),
            "figures": figures,
        }
        plain: dict[str, Any] = _plain(found)
        return plain


def compare_results(results: Results, labels: Sequence[str]) -> Compared:
    """Put results side by side.

    Args:
        results: the contents of results.json of finished runs, by config and seed.
        labels: of the configs, in order; those without a finished run are left out.

    Raises:
        DataError: if two runs were judged by different held-out data.
    """
    labels = [label for label in labels if any(label == config for config, _ in results)]
    _check_same_data(results)
    names = list(dict.fromkeys(name for found in results.values() for name in found["metrics"]))
    entries = {
        name: {k: r["metrics"][name] for k, r in results.items() if name in r["metrics"]} for name in names
    }
    pairs: dict[tuple[str, str, str], Difference] = {}
    for name, of_runs in entries.items():
        values = _values(of_runs)
        for a, b in itertools.combinations([label for label in labels if label in values], 2):
            pairs[name, a, b] = paired_difference(values[a], values[b])
    corrected = dict(zip(pairs, holm([d.p for d in pairs.values()]), strict=True))
    figures = [
        _figure(
            name, of_runs, [Pair(a, b, d, corrected[n, a, b]) for (n, a, b), d in pairs.items() if n == name]
        )
        for name, of_runs in entries.items()
    ]
    intervals = sum(not math.isnan(d.p) for d in pairs.values())
    return Compared(labels, sorted({seed for _, seed in results}), figures, intervals)


def _figure(
    name: str, of_runs: Mapping[tuple[str, int], Mapping[str, Any]], pairs: list[Pair]
) -> ComparedFigure:
    values, first = _values(of_runs), next(iter(of_runs.values()))
    better = first.get("better", "lower")
    spreads = {label: spread(list(by_seed.values())) for label, by_seed in values.items()}
    labels = list(values)
    best = winner(labels, {(p.a, p.b): p.difference for p in pairs}, better) if pairs else None
    statistic = first.get("statistic") or {}

    def means(number: Any) -> dict[str, float]:
        found = {
            label: spread(
                [_number(number(entry)) for (config, _), entry in of_runs.items() if config == label]
            )[0]
            for label in labels
        }
        return {label: mean for label, mean in found.items() if not math.isnan(mean)}

    return ComparedFigure(
        name=name,
        better=better,
        values=values,
        means={label: mean for label, (mean, _) in spreads.items()},
        sds={label: sd for label, (_, sd) in spreads.items()},
        sampling_sds=means(lambda entry: entry.get("sd")),
        floor=_number(first.get("floor")),
        floors={k: _number(v) for k, v in (first.get("floors") or {}).items()},
        baselines={
            who: spread([_number((entry.get("baselines") or {}).get(who)) for entry in of_runs.values()])[0]
            for who in first.get("baselines") or {}
        },
        generated=means(lambda entry: (entry.get("statistic") or {}).get("generated")),
        held_out={k: _number(statistic[k]) for k in ("held_out", "low", "high") if k in statistic},
        pairs=pairs,
        winner=best,
        holds=best is not None and all(p.holm <= 1 - CONFIDENCE for p in pairs if best in (p.a, p.b)),
        words=first.get("words", ""),
    )


def _values(of_runs: Mapping[tuple[str, int], Mapping[str, Any]]) -> dict[str, dict[int, float]]:
    """The figure by config and seed."""
    found: dict[str, dict[int, float]] = {}
    for (label, seed), entry in of_runs.items():
        found.setdefault(label, {})[seed] = _number(entry["value"])
    return found


def _check_same_data(results: Results) -> None:
    """Refuse runs whose windows or floors, which depend on the data alone, are not the same.

    A trained judge's floor depends on the seed too, and is compared with that of a run of the same seed.
    """
    first = next(iter(results))
    of_seed: dict[int, tuple[str, int]] = {}
    for key in results:
        same_seed = of_seed.setdefault(key[1], key)
        for reference, trained in ((first, False), (same_seed, True)):
            problem = _difference(results[reference], results[key], trained)
            if problem:
                raise DataError(
                    f"{reference[0]} (seed {reference[1]}) and {key[0]} (seed {key[1]}) were judged by "
                    f"different data ({problem}): the data have changed between the runs; train both again"
                )


def _difference(one: Mapping[str, Any], other: Mapping[str, Any], trained: bool) -> str | None:
    """What of two runs' data differs; the floors of trained judges count if `trained`."""
    if one["data"]["windows"] != other["data"]["windows"]:
        return f"windows: {one['data']['windows']} and {other['data']['windows']}"
    for name in set(one["metrics"]) & set(other["metrics"]) - {"copying"}:
        floors = [_number(run["metrics"][name].get("floor")) for run in (one, other)]
        seeded = name in ABOUT and (ABOUT[name].network or ABOUT[name].group == "judges")
        compared = all(map(math.isfinite, floors)) and (trained or not seeded)
        if compared and not math.isclose(*floors, rel_tol=1e-6, abs_tol=1e-12):
            return f"floor of {name}: {floors[0]:.6g} and {floors[1]:.6g}"
    return None


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
