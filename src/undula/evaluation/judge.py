"""Generated windows against real ones: every figure with its floors, baselines and intervals.

Two kinds of figures. A *distance* compares two sets of windows. A *statistic* is a number of one
set; its figure is the absolute difference between the generated and the held-out number, and the
numbers themselves stand beside it with the held-out part's block-bootstrap interval.

Floors: *sampling* is the same figure between halves of the held-out part that share no rows, in
alternating blocks of time; *shift* is the training part against the held-out part. Where there
are several columns, a figure is the mean over them, each in its training standard deviations.
"""

from __future__ import annotations

__all__ = ["Between", "Figure", "Judgement", "distance_figure", "judge"]

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blocks import RealWindows, bootstrap_interval
from .memorisation import CHANCE, copying_check
from .names import METRICS
from .statistics import DISTANCES, STATISTICS

Array = NDArray[np.floating[Any]]

Between = Callable[[Array, Array], float]

_SCALED = ("wasserstein", "std", "quantile_0.1%", "quantile_1%", "quantile_99%", "quantile_99.9%")
_GROUPS = 8
_MOST_REAL = 4_000


@dataclass(frozen=True)
class Figure:
    """One figure of the generated windows.

    Args:
        value: the distance, the difference from the held-out number, or the share of copies.
        sd: its spread over samples.
        at_floor_size: the value at the size of the sampling floor: the mean over the two halves of
            the held-out part of the figure against as many samples as the half has windows.
        floor: the larger of the sampling and the shift floor.
        floors: both, by name; the sampling floor is NaN where the held-out part is too short.
        baselines: the same figure of each baseline.
        statistic: for a statistic, the numbers themselves: `generated`, `held_out`, `low` and
            `high` of its interval, `train`, and each baseline's.
        verdict: a word, for the copying check.
    """

    value: float
    sd: float
    at_floor_size: float
    floor: float
    floors: dict[str, float]
    baselines: dict[str, float]
    statistic: dict[str, float] = field(default_factory=dict)
    verdict: str | None = None

    def as_json(self, protocol: str) -> dict[str, Any]:
        """The entry of results.json."""
        entry: dict[str, Any] = {
            "value": self.value,
            "sd": self.sd,
            "at_floor_size": self.at_floor_size,
            "floor": self.floor,
            "floors": self.floors,
            "baselines": self.baselines,
            "protocol": protocol,
            "better": "lower",
        }
        if self.statistic:
            entry["statistic"] = self.statistic
        if self.verdict:
            entry["verdict"] = self.verdict
        return {name: _finite(value) for name, value in entry.items()}


@dataclass(frozen=True)
class Judgement:
    """All figures, by metric.

    Args:
        figures: by metric.
        protocol: how they were computed, in words.
    """

    figures: dict[str, Figure]
    protocol: str

    def as_json(self) -> dict[str, Any]:
        """`metrics` of results.json."""
        return {name: figure.as_json(self.protocol) for name, figure in self.figures.items()}


def judge(
    samples: Array,
    held_out: RealWindows,
    train: RealWindows,
    baselines: Mapping[str, Array],
    metrics: Sequence[str] | None = None,
    draws: int = 200,
    seed: int = 0,
    part: str = "test part",
) -> Judgement:
    """Compute the figures.

    Args:
        samples: generated windows, (N, L, C), in the data's units.
        held_out: real windows that no model has seen.
        train: the training windows.
        baselines: windows of each baseline, (N, L, C).
        metrics: which; None: all.
        draws: bootstrap samples of each interval; 0: none.
        seed: of the bootstrap.
        part: what the held-out windows are part of, for the protocol.
    """
    judging = _Judging(samples, _thinned(held_out), _thinned(train), train, baselines, draws, seed)
    figures: dict[str, Figure] = {}
    for name in METRICS if metrics is None else metrics:
        if name in DISTANCES:
            figures[name] = judging.distance(name)
        elif name in STATISTICS:
            figures[name] = judging.statistic(name)
        else:
            figures[name] = judging.copying()
    n, real = len(samples), len(held_out.windows)
    protocol = f"held-out: {n:,} samples against {real:,} windows of the {part}"
    return Judgement(figures, protocol)


def distance_figure(
    between: Between,
    samples: Array,
    held_out: RealWindows,
    train: RealWindows,
    baselines: Mapping[str, Array],
) -> Figure:
    """The figure of any distance, with its floors and baselines.

    Args:
        between: the distance of two sets of windows, each (N, L, C); smaller is better.
        samples: generated windows, (N, L, C), in the data's units.
        held_out: real windows that no model has seen.
        train: the training windows.
        baselines: windows of each baseline, (N, L, C).
    """
    return _Judging(samples, _thinned(held_out), _thinned(train), train, baselines, 0, 0).figure(between)


@dataclass(frozen=True)
class _Judging:
    samples: Array
    held_out: RealWindows
    train: RealWindows
    all_train: RealWindows
    baselines: Mapping[str, Array]
    draws: int
    seed: int

    def distance(self, name: str) -> Figure:
        def between(a: Array, b: Array) -> float:
            return self._distance(name, a, b)

        return self.figure(between)

    def figure(self, between: Between) -> Figure:
        return Figure(baselines=self._of_baselines(between), **self._common(between))

    def statistic(self, name: str) -> Figure:
        def between(a: Array, b: Array) -> float:
            return float(np.abs(self._statistic(name, a) - self._statistic(name, b)).mean())

        sets = {
            "generated": self.samples,
            "held_out": self.held_out.windows,
            "train": self.train.windows,
            **self.baselines,
        }
        numbers = {k: self._statistic(name, windows) for k, windows in sets.items()}
        numbers["low"], numbers["high"] = self._interval(name)
        return Figure(
            baselines=self._of_baselines(between),
            statistic={k: float(v.mean()) for k, v in numbers.items()},
            **self._common(between),
        )

    def copying(self) -> Figure:
        shares = {k: copying_check(b, self.all_train).value for k, b in self.baselines.items()}
        floors = {"chance": CHANCE, **{k: v for k, v in shares.items() if k == "gaussian"}}
        check = copying_check(self.samples, self.all_train, max(floors.values()))
        return Figure(
            value=check.value,
            sd=float(np.sqrt(check.value * (1 - check.value) / len(self.samples))),
            at_floor_size=float("nan"),
            floor=check.floor,
            floors=floors,
            baselines=shares,
            statistic={"median_distance_ratio": check.median_ratio},
            verdict=check.verdict,
        )

    def _common(self, between: Between) -> dict[str, Any]:
        """What distances and statistics share, from the figure of two sets of windows."""
        real = self.held_out.windows
        first, second = self.held_out.halves()
        sampling = at_floor_size = float("nan")
        if len(first) and len(second):
            sampling = between(first, second)
            at_floor_size = float(np.mean([between(self.samples[: len(h)], h) for h in (first, second)]))
        shift = between(self.train.windows, real)
        return {
            "value": between(self.samples, real),
            "sd": self._spread(lambda part: between(part, real)),
            "at_floor_size": at_floor_size,
            "floor": shift if np.isnan(sampling) else max(sampling, shift),
            "floors": {"sampling": sampling, "shift": shift},
        }

    def _of_baselines(self, between: Between) -> dict[str, float]:
        return {k: between(windows, self.held_out.windows) for k, windows in self.baselines.items()}

    def _distance(self, name: str, a: Array, b: Array) -> float:
        values = [DISTANCES[name](a[:, :, c], b[:, :, c]) for c in range(a.shape[2])]
        return float(np.mean(np.array(values) / self._scale(name)))

    def _statistic(self, name: str, windows: Array) -> Array:
        """By column, in training standard deviations where the number has a unit."""
        values = [STATISTICS[name](windows[:, :, c]) for c in range(windows.shape[2])]
        scaled: Array = np.array(values) / self._scale(name)
        return scaled

    def _interval(self, name: str) -> tuple[Array, Array]:
        columns = range(self.held_out.windows.shape[2])
        if not self.draws:
            return np.full(len(columns), np.nan), np.full(len(columns), np.nan)
        ends = [
            bootstrap_interval(STATISTICS[name], self.held_out, c, self.draws, self.seed) for c in columns
        ]
        low, high = np.array(ends).T / self._scale(name)
        return low, high

    def _scale(self, name: str) -> Array:
        """Training standard deviations, where several columns with units are averaged."""
        columns = self.train.windows.shape[2]
        if name not in _SCALED or columns == 1:
            return np.ones(columns)
        scale: Array = np.nanstd(self.train.windows, axis=(0, 1))
        return scale

    def _spread(self, figure: Callable[[Array], float]) -> float:
        """Standard error of a figure over samples, from groups of them."""
        groups = [self.samples[i::_GROUPS] for i in range(_GROUPS)]
        return float(np.std([figure(group) for group in groups], ddof=1) / np.sqrt(_GROUPS))


def _thinned(real: RealWindows) -> RealWindows:
    n = len(real.windows)
    if n <= _MOST_REAL:
        return real
    chosen = np.unique(np.linspace(0, n - 1, _MOST_REAL).astype(np.int64))
    return RealWindows(real.windows[chosen], real.starts[chosen], real.independent)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _finite(v) for k, v in value.items()}
    return None if isinstance(value, float) and not np.isfinite(value) else value
