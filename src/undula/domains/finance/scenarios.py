r"""Scenarios: what a model generates when it is told a level, against real windows that began at one.

A model that is told a column in the row before its window (`roles.at_start`, such as the VIX) is asked for
windows at chosen levels c and guidance scales w. Beside them stand the *matched* real windows of a part of
the data, |v/c − 1| ≤ match for the value v at their start. A *stress set* is asked at levels drawn from the
real ones at or above a threshold, beside the real windows that began there.

Intervals are central 90 %: of a figure of samples by drawing samples, of real windows by drawing whole blocks
(`ScatteredWindows`). The *range* is where 90 % of the single windows' realised volatilities lie.
Sample i has the same noise at every level and scale, so rows differ by what the model is told alone.

References:
    Ho, Salimans (2022). Classifier-free diffusion guidance. arXiv:2207.12598
"""

from __future__ import annotations

__all__ = ["LEVEL", "Row", "Scenario", "ScenarioStudy", "run_scenarios"]

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...core.errors import ConfigError, DataError, OutsideTrainingWarning
from ...core.randomness import derive_seed
from ...data.prepare import PreparedData
from ...evaluation.blocks import ScatteredWindows
from ...evaluation.intervals import Estimate, bootstrap
from ...model import DiffusionModel
from .real import Part, RealReturns, as_log_returns, chosen_column
from .risk import RISKS, realised_volatilities

Array = NDArray[np.floating[Any]]

LEVEL = 0.9
_EDGES = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)


@dataclass(frozen=True)
class Scenario:
    """A level that a model is told, or all real levels from a threshold on.

    Args:
        level: the level; of a stress set its threshold.
        stress: whether it is a stress set.
    """

    level: float
    stress: bool = False

    @property
    def label(self) -> str:
        """In a table."""
        return f"{'≥ ' if self.stress else ''}{self.level:g}"


@dataclass(frozen=True)
class Row:
    """Samples of a scenario at one guidance scale, or its real windows.

    Args:
        scenario: what they are of.
        guidance: the scale; None: real windows.
        windows: how many.
        blocks: how many of them are drawn independently for the intervals.
        told: mean of the values at their start.
        risks: figures by name; see `risk.RISKS`.
        range: where 90 % of the windows' realised volatilities lie.
    """

    scenario: Scenario
    guidance: float | None
    windows: int
    blocks: int
    told: float
    risks: dict[str, Estimate]
    range: tuple[float, float]


@dataclass(frozen=True)
class ScenarioStudy:
    """A sweep of scenarios and guidance scales.

    Args:
        column: that the model is told.
        target: whose returns are generated.
        part: of the data that the matched windows are from.
        period: of the part, in words.
        match: half-width of the band of levels, a share of the level.
        length: steps of a window.
        per_year: of them a year has.
        real: matched real windows of each scenario.
        rows: samples of each scenario and guidance scale.
        notes: a sentence each.
    """

    column: str
    target: str
    part: str
    period: str
    match: float
    length: int
    per_year: float
    real: list[Row]
    rows: list[Row]
    notes: list[str] = field(default_factory=list)

    def matched(self, row: Row) -> Row:
        """The real windows of a row's scenario."""
        return next(real for real in self.real if real.scenario == row.scenario)

    def inside(self, row: Row) -> bool | None:
        """Whether the samples' median volatility lies where 90 % of the real windows' lie; None: no such."""
        real = self.matched(row)
        return real.range[0] <= row.risks["volatility"].value <= real.range[1] if real.windows else None

    def agrees(self, row: Row) -> bool | None:
        """Whether it lies in the 90 % interval of the matched windows' median; None: too few windows."""
        return self.matched(row).risks["volatility"].holds(row.risks["volatility"].value)

    def by_guidance(self, stress: bool = False) -> dict[float, list[Row]]:
        """Rows of levels (or of stress sets) in ascending order, by guidance scale."""
        found: dict[float, list[Row]] = {}
        for row in sorted(self.rows, key=lambda r: r.scenario.level):
            if row.guidance is not None and row.scenario.stress == stress:
                found.setdefault(row.guidance, []).append(row)
        return found

    def monotone(self, guidance: float) -> bool | None:
        """Whether the median volatility rises strictly with the level; None with fewer than two levels."""
        values = [row.risks["volatility"].value for row in self.by_guidance().get(guidance, [])]
        return bool((np.diff(values) > 0).all()) if len(values) > 1 else None


def run_scenarios(
    model: DiffusionModel,
    prepared: PreparedData,
    *,
    levels: Sequence[float] = (),
    thresholds: Sequence[float] = (),
    guidance: Sequence[float] = (1.0,),
    n: int = 1000,
    column: str | None = None,
    target: str | None = None,
    match: float = 0.1,
    part: Part = "held-out",
    per_year: float = 252.0,
    draws: int = 200,
    seed: int = 0,
    num_steps: int | None = None,
    given: Mapping[str, float] | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> ScenarioStudy:
    """Sample every scenario at every guidance scale, and set the matched real windows beside it.

    Args:
        model: fitted, and told columns of roles.at_start.
        prepared: its data.
        levels: that it is told.
        thresholds: of the stress sets.
        guidance: scales of classifier-free guidance: 0 ignores the level, 1 is the model as trained.
        n: samples of each.
        column: that is varied; None: the only one of roles.at_start.
        target: whose returns are judged; None: the only one that is generated.
        match: half-width of the band of levels of matched windows, a share of the level.
        part: which part of the data they are from; held-out is validation and test.
        per_year: steps a year has, for volatilities.
        draws: bootstrap samples of an interval.
        seed: of samples and draws.
        num_steps: of the sampler; None: its own.
        given: values of the other columns that the model is told.
        on_progress: called with the share that is done.

    Raises:
        ConfigError: if nothing is asked, or the model is not told the column.
        DataError: if a part or a threshold has no windows, or the data are not returns or prices.
    """
    for name, number in (("n", n), ("draws", draws), ("match", match), ("per_year", per_year)):
        if not number > 0:
            raise ConfigError(f"{name} = {number:g}: give a positive number")
    scenarios, scales = _scenarios(levels, thresholds), _scales(guidance)
    start = model.collator_.start.columns
    column = chosen_column(column, start, "the model is told", "roles.at_start")
    target = chosen_column(target, model.columns_, "the model generates", "roles.target")
    real = RealReturns.of(prepared, part, start.index(column), model.columns_.index(target))
    matched = [real.matching(one.level, None if one.stress else match) for one in scenarios]
    asked = [_asked(one, told, n, seed) for one, (_, told) in zip(scenarios, matched, strict=True)]
    describe = partial(_row, per_year=per_year, draws=draws, seed=seed)
    rows: list[Row] = []
    unconditional: Array | None = None
    with _noted() as notes:
        for scenario, told in zip(scenarios, asked, strict=True):
            for scale in scales:
                samples = unconditional if scale == 0 else None
                if samples is None:
                    values = {**(given or {}), column: told}
                    samples = _samples(model, target, n, seed, values, scale, num_steps)
                unconditional = samples if scale == 0 else unconditional
                rows.append(describe(scenario, scale, ScatteredWindows(samples), told))
                if on_progress is not None:
                    on_progress(len(rows) / (len(scenarios) * len(scales)))
    return ScenarioStudy(
        column=column,
        target=target,
        part=part,
        period=real.period,
        match=match,
        length=real.windows.shape[1],
        per_year=per_year,
        real=[describe(one, None, *windows) for one, windows in zip(scenarios, matched, strict=True)],
        rows=rows,
        notes=notes,
    )


@contextlib.contextmanager
def _noted() -> Iterator[list[str]]:
    """What is told outside of what training has seen, once each; other warnings go their way."""
    notes: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", OutsideTrainingWarning)
        yield notes
    for warning in caught:
        if not issubclass(warning.category, OutsideTrainingWarning):
            warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
        elif str(warning.message) not in notes:
            notes.append(str(warning.message))


def _scales(guidance: Sequence[float]) -> list[float]:
    scales = list(dict.fromkeys(float(w) for w in guidance))
    if not scales or not min(scales) >= 0:
        raise ConfigError("guidance: give one or several scales, such as 0,1,2; none below 0")
    return scales


def _scenarios(levels: Sequence[float], thresholds: Sequence[float]) -> list[Scenario]:
    found = [Scenario(float(v)) for v in sorted(set(levels))]
    found += [Scenario(float(v), stress=True) for v in sorted(set(thresholds))]
    if not found:
        raise ConfigError("no scenario: give levels (--targets 12,20,30) or a threshold (--threshold 30)")
    if any(not np.isfinite(s.level) for s in found):
        raise ConfigError("levels and thresholds are finite numbers")
    if any(s.level == 0 and not s.stress for s in found):
        raise ConfigError("a level of 0 has no band of matched windows, which is a share of it: leave it out")
    return found


def _asked(scenario: Scenario, told: Array, n: int, seed: int) -> Array:
    """The levels of n samples, (n,): the level itself, or draws from the real ones of a stress set."""
    if not scenario.stress:
        return np.full(n, scenario.level)
    if not len(told):
        raise DataError(
            f"no real window of this part begins at or above {scenario.level:g}: give a lower threshold, or "
            "another part"
        )
    return np.random.default_rng(derive_seed(seed, "stress")).choice(told, n)


def _samples(
    model: DiffusionModel,
    target: str,
    n: int,
    seed: int,
    given: Mapping[str, Any],
    scale: float,
    num_steps: int | None,
) -> Array:
    """Log returns (n, L) at a guidance scale; 1 is the model as trained, without any guidance."""
    options: dict[str, Any] = {"guidance": []} if scale == 1 else {"guidance_scale": scale}
    drawn = np.asarray(model.sample(n, seed, given=given, num_steps=num_steps, **options))
    return as_log_returns(drawn[:, :, model.columns_.index(target)], target)


def _of_windows(figure: Callable[[Array, float], float], per_year: float) -> Callable[[Array], float]:
    return lambda r: figure(r, per_year)


def _row(
    scenario: Scenario,
    guidance: float | None,
    windows: ScatteredWindows,
    told: Array,
    *,
    per_year: float,
    draws: int,
    seed: int,
) -> Row:
    figures = {name: _of_windows(figure, per_year) for name, figure in RISKS.items()}
    count = len(windows.windows)
    if not count:
        nothing = Estimate(float("nan"), float("nan"), float("nan"))
        empty = (float("nan"), float("nan"))
        return Row(scenario, guidance, 0, 0, float("nan"), dict.fromkeys(figures, nothing), empty)
    intervals = bootstrap(figures, windows.windows, windows, draws, derive_seed(seed, "intervals"), LEVEL)
    risks = {name: Estimate(figure(windows.windows), *intervals[name]) for name, figure in figures.items()}
    low, high = np.quantile(realised_volatilities(windows.windows, per_year), _EDGES)
    return Row(scenario, guidance, count, windows.count, float(told.mean()), risks, (float(low), float(high)))
