"""Generated windows against real ones: every figure with its floors, baselines and intervals.

Four kinds of figures. A *distance* compares two sets of windows, column by column or as wholes. A
*statistic* is a number of one set; its figure is the absolute difference between the generated and the
held-out number, and the numbers themselves stand beside it with the held-out part's block-bootstrap
interval. A *score* comes from a judge that is trained, several times. The *copying check* asks whether
samples are copies.

Two protocols. *held-out*: the real windows are of a part that the generator has not seen. The sampling
floor is the figure between halves of it that share no rows, in alternating blocks of time, the shift
floor is the training part against it, and judges never see a window's neighbours on both sides of their
split. *train = test* (the literature's): the real windows are those the generator was trained on; the
floor is the mean over random halves, and judges split at random.

Where there are several columns, a figure is the mean over them, each in its training standard deviations.
"""

from __future__ import annotations

__all__ = ["Between", "Figure", "Judgement", "Protocol", "distance_figure", "judge"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from .blocks import RealWindows
from .distances import WINDOW_DISTANCES
from .field import FieldFigures
from .figure import Figure, Judgement
from .memorisation import CHANCE, Originals
from .names import COSTS, chosen
from .numbers import Numbers
from .pairs import Pair, Side
from .statistics import DISTANCES, STATISTICS, Between

Array = NDArray[np.floating[Any]]
Protocol = Literal["held-out", "train = test"]
Say = Callable[[str, float], None]

_GROUPS = 8
_MOST_REAL = 4_000
_HALVES = 3
_FEWEST = 10
"""Windows of a set that a judge can be trained and tested on."""

_COSTLY = ("discriminative", "discriminative_gru32", "discriminative_lstm32", "predictive", "boosting")
"""Scores that train a judge for every pair: they have one pair of halves, and no figure at its size."""


def judge(
    samples: Array,
    held_out: RealWindows,
    train: RealWindows,
    baselines: Mapping[str, Array],
    metrics: Sequence[str] | None = None,
    draws: int = 200,
    seed: int = 0,
    part: str = "test part",
    *,
    protocol: Protocol = "held-out",
    repeats: int = 5,
    columns: Sequence[str] = (),
    own: FieldFigures | None = None,
    separate: int | None = None,
    on_progress: Say | None = None,
) -> Judgement:
    """Compute the figures.

    Args:
        samples: generated windows, (N, L, C), in the data's units.
        held_out: real windows that no model has seen; under train = test, the training windows.
        train: the training windows.
        baselines: windows of each baseline, (N, L, C).
        metrics: which, or groups of them; "all"; None: those without networks.
        draws: bootstrap samples of each interval; 0: none.
        seed: of everything random.
        part: what the held-out windows are part of, for the protocol.
        protocol: what the real windows are to the generator.
        repeats: trainings of a judge.
        columns: names of the C columns, for figures by column.
        own: figures of the data's field.
        separate: as how many independent samples the samples count; None: all, as those of a model.
        on_progress: called with a metric's name and the share of all that is done.
    """
    judging = _Judging(
        samples, held_out.thinned(_MOST_REAL), train.thinned(_MOST_REAL), train, baselines, draws, seed,
        protocol, repeats, tuple(columns), own or FieldFigures(), separate,
    )  # fmt: skip
    figures: dict[str, Figure] = {}
    names = judging.names(chosen(metrics, samples.shape[2]))
    costs = {name: COSTS.get(name, 1.0) for name in names}
    total, done = sum(costs.values()), 0.0
    for name, cost in costs.items():

        def share_of(share: float, name: str = name, done: float = done, cost: float = cost) -> None:
            if on_progress is not None:
                on_progress(name, (done + share * cost) / total)

        share_of(0.0)
        done += cost
        figures[name] = replace(judging.of(name, share_of), words=judging.numbers.words(name))
    n, real = len(samples), len(held_out.windows)
    against = f"{real:,} windows of the {part}"
    if protocol == "train = test":
        against = f"the {real:,} windows that it was trained on (the literature's protocol)"
    return Judgement(figures, f"{protocol}: {n:,} samples against {against}", list(judging.own.notes))


def distance_figure(
    between: Between,
    samples: Array,
    held_out: RealWindows,
    train: RealWindows,
    baselines: Mapping[str, Array],
    protocol: Protocol = "held-out",
) -> Figure:
    """The figure of any distance, with its floors and baselines.

    Args:
        between: the distance of two sets of windows, each (N, L, C); smaller is better.
        samples: generated windows, (N, L, C), in the data's units.
        held_out: real windows that no model has seen.
        train: the training windows.
        baselines: windows of each baseline, (N, L, C).
        protocol: what the real windows are to the generator.
    """
    real = held_out.thinned(_MOST_REAL)
    judging = _Judging(samples, real, train.thinned(_MOST_REAL), train, baselines, protocol=protocol)
    return judging.figure(lambda a, b: np.array([between(a, b)]))


@dataclass(frozen=True)
class _Judging:
    samples: Array
    held_out: RealWindows
    train: RealWindows
    all_train: RealWindows
    baselines: Mapping[str, Array]
    draws: int = 0
    seed: int = 0
    protocol: Protocol = "held-out"
    repeats: int = 5
    columns: tuple[str, ...] = ()
    own: FieldFigures = field(default_factory=FieldFigures)
    separate: int | None = None

    @cached_property
    def numbers(self) -> Numbers:
        """Of sets of windows, by column."""
        return Numbers(self.train.windows, self.own, self.columns)

    def names(self, wanted: Sequence[str]) -> list[str]:
        """The figures to compute: those wanted, and the field's that are not among them; copying last."""
        known = self.own.known_as(self.samples.shape[2])
        there = {known[name] for name in wanted if name in known}
        more = [n for n in (*self.own.statistics, *self.own.distances) if n not in there]
        return [*(n for n in wanted if n != "copying"), *more, *(n for n in wanted if n == "copying")]

    def of(self, name: str, on_progress: Callable[[float], None]) -> Figure:
        """The figure of a metric."""
        if name == "copying":
            return self.copying()
        if name in WINDOW_DISTANCES:
            distance = WINDOW_DISTANCES[name]
            return self.figure(
                lambda a, b: np.array([distance.between(a, b)]),
                _Once(lambda windows: distance.of(self.numbers.standardised(windows))),
            )
        if name in DISTANCES or name in self.own.distances:
            columns = self.numbers.columns_by_name(name)
            return self.figure(partial(self.numbers.distance, name), columns=columns)
        if name in STATISTICS or name in self.own.statistics:
            return self.statistic(name)
        return self.score(name, on_progress)

    def figure(
        self,
        between: Callable[[Any, Any], Array],
        of: Callable[[Array], Any] = lambda windows: windows,
        columns: Sequence[str] = (),
    ) -> Figure:
        """Of a function of what is known of two sets, (1,) or one number a column."""
        pairs = {**self._pairs(_HALVES, self._real), **self._spread_pairs}
        values = {k: between(of(p.generated.values), of(p.real.values)) for k, p in pairs.items()}
        return self._assembled(values, columns=columns)

    def score(self, name: str, on_progress: Callable[[float], None]) -> Figure:
        """Of a judge that is trained several times."""
        from .scores import REPEATS, SCORES

        costly = name in _COSTLY
        pairs = {
            k: p
            for k, p in self._pairs(1 if costly else _HALVES, self._unsplit).items()
            if not (costly and "size" in k)
        }
        repeats = min(self.repeats, REPEATS.get(name, self.repeats))
        values = {k: np.full(repeats, np.nan) for k in pairs}
        enough = {k: p for k, p in pairs.items() if min(map(len, p)) >= _FEWEST}
        if "value" in enough:
            scores = SCORES[name](list(enough.values()), repeats, self.seed, on_progress=on_progress)
            values |= dict(zip(enough, scores, strict=True))
        return self._assembled(values, repeats)

    def statistic(self, name: str) -> Figure:
        """Of a number of one set."""
        of = _Once(partial(self.numbers.statistic, name))
        sets = {
            "generated": self.samples,
            "held_out": self.held_out.windows,
            "train": self.train.windows,
            **self.baselines,
        }
        numbers = {k: of(windows) for k, windows in sets.items()}
        numbers["low"], numbers["high"] = self.numbers.interval(name, self.held_out, self.draws, self.seed)
        figure = self.figure(lambda a, b: np.abs(a - b), of, self.numbers.columns_by_name(name))
        figure.statistic.update({k: float(v.mean()) for k, v in numbers.items()})
        for c, column in enumerate(figure.columns):
            figure.columns[column] |= {k: float(v[c]) for k, v in numbers.items()}
        return figure

    def copying(self) -> Figure:
        """Of the copying check."""
        known = Originals.of(self.all_train)
        shares = {k: known.check(b).value for k, b in self.baselines.items()}
        floors = {"chance": CHANCE, **{k: v for k, v in shares.items() if k == "gaussian"}}
        separate = self.separate or len(self.samples)
        check = known.check(self.samples, max(floors.values()), separate)
        return Figure(
            value=check.value,
            sd=float(np.sqrt(check.value * (1 - check.value) / separate)),
            at_floor_size=float("nan"),
            floor=check.floor,
            floors=floors,
            baselines=shares,
            statistic={"median_distance_ratio": check.median_ratio},
            verdict=check.verdict,
        )

    # -- pairs -------------------------------------------------------------------------------------

    def _pairs(self, halves: int, real: Side) -> dict[str, Pair]:
        """All pairs of a figure by what they are for, the samples' own first."""
        samples = Side(self.samples)
        pairs = {"value": Pair(samples, real)}
        for k, (first, second) in enumerate(self._halves[:halves]):
            pairs[f"sampling {k}"] = Pair(first, second)
        for k, half in enumerate(self._halves[0] if self._halves else ()):
            pairs[f"size {k}"] = Pair(Side(self.samples[: len(half)]), half)
        if self.protocol == "held-out":
            train = self.train
            side = _side(train.windows, train.segments) if real.groups is not None else Side(train.windows)
            pairs["shift"] = Pair(side, real)
        return pairs | {f"baseline {k}": Pair(Side(b), real) for k, b in self.baselines.items()}

    @property
    def _real(self) -> Side:
        return Side(self.held_out.windows)

    @cached_property
    def _unsplit(self) -> Side:
        """The real windows in groups that judges keep on one side of their split."""
        if self.protocol == "train = test":
            return Side(self.held_out.windows)
        return _side(self.held_out.windows, self.held_out.segments)

    @cached_property
    def _halves(self) -> list[tuple[Side, Side]]:
        """Disjoint halves of the real windows; none where they are too few."""
        if self.protocol == "train = test":
            rngs = [np.random.default_rng([self.seed, k]) for k in range(_HALVES)]
            halves = [self.held_out.random_halves(rng) for rng in rngs]
            return [(Side(a), Side(b)) for a, b in halves if len(a)]
        blocks = self.held_out.blocks
        parts = [(blocks >= 0) & (blocks % 2 == k) for k in (0, 1)]
        if not all(part.any() for part in parts):
            return []
        first, second = (Side(self.held_out.windows[part], blocks[part]) for part in parts)
        return [(first, second)]

    @cached_property
    def _spread_pairs(self) -> dict[str, Pair]:
        """Groups of samples, for the standard error of a figure over samples."""
        if len(self.samples) < 2 * _GROUPS:
            return {}
        return {f"spread {i}": Pair(Side(self.samples[i::_GROUPS]), self._real) for i in range(_GROUPS)}

    def _assembled(self, values: dict[str, Array], repeats: int = 1, columns: Sequence[str] = ()) -> Figure:
        """The figure, from each pair's values by column or by repeat."""

        def mean(kind: str) -> Array:
            found = [value for name, value in values.items() if name.startswith(kind)]
            return np.mean(found, axis=0) if found else np.full_like(values["value"], np.nan)

        value = values["value"]
        floors = {kind: mean(kind) for kind in ("sampling", "shift")}
        floor = np.fmax(floors["sampling"], floors["shift"])
        groups = [float(v.mean()) for name, v in values.items() if name.startswith("spread")]
        spread = float("nan")
        if groups:
            spread = float(np.std(groups, ddof=1)) / np.sqrt(_GROUPS)
        elif repeats > 1:
            spread = float(np.std(value, ddof=1))
        known = {kind: float(v.mean()) for kind, v in floors.items()}
        by_column = 1 < len(value) == len(columns)
        return Figure(
            value=float(value.mean()),
            sd=spread,
            at_floor_size=float(mean("size").mean()),
            floor=float(np.fmax(known["sampling"], known["shift"])),
            floors=known,
            baselines={k: float(values[f"baseline {k}"].mean()) for k in self.baselines},
            columns={
                name: {"value": float(value[c]), "floor": float(floor[c])} for c, name in enumerate(columns)
            }
            if by_column
            else {},
            repeats=repeats,
        )


class _Once:
    """A function of windows that is called once for each set: most are in several pairs."""

    def __init__(self, of: Callable[[Array], Any]) -> None:
        self._of = of
        self._known: dict[int, tuple[Array, Any]] = {}

    def __call__(self, windows: Array) -> Any:
        if id(windows) not in self._known:
            self._known[id(windows)] = windows, self._of(windows)
        return self._known[id(windows)][1]


def _side(windows: Array, groups: NDArray[np.int64]) -> Side:
    """Windows that lie within one group each; all of them, where that would leave too few."""
    inside = groups >= 0
    return Side(windows[inside], groups[inside]) if inside.mean() > 0.5 else Side(windows)
