"""Samples of a run against held-out windows and baselines."""

from __future__ import annotations

__all__ = [
    "RunEvaluation",
    "evaluate_model",
    "evaluate_samples",
    "field_figures",
    "histories",
    "padded",
    "real_windows",
]

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.schema import Config
from ..core.errors import ConfigError
from ..core.randomness import derive_seed
from ..data.prepare import PreparedData
from ..data.windows import Batch, WindowDataset
from ..domains.figures import domain_figures
from ..evaluation.blocks import RealWindows
from ..evaluation.field import FieldFigures
from ..evaluation.judge import Between, Judgement, distance_figure, judge
from ..evaluation.names import METRICS
from ..model import DiffusionModel
from .bottleneck import decoded_prior, is_latent

if TYPE_CHECKING:
    from ..report.histories import Histories

Array = NDArray[np.floating[Any]]

_FANS, _PATHS, _MOST_ROLLING = 4, 100, 2000
_MOST_NUMBERS = 200_000


@dataclass(frozen=True)
class RunEvaluation:
    """What the evaluation of a run found.

    Args:
        samples: generated windows, each (L_i, C).
        generated: the same, padded with NaN to one length, (N, L, C).
        held_out: real windows of the test part (the validation part, if there is no test part).
        train: real windows of the training part.
        baselines: windows of each baseline, (N, L, C).
        judgement: the figures; None if nothing was held out.
        sample_seconds: that drawing the samples took.
        extra: further entries of results.json's `metrics`, by name: dictionaries with `value`,
            `better` and `protocol`.
    """

    samples: list[Array]
    generated: Array
    held_out: RealWindows | None
    train: RealWindows
    baselines: dict[str, Array]
    judgement: Judgement | None
    sample_seconds: float
    extra: dict[str, dict[str, Any]] = field(default_factory=dict)

    def with_distance(self, name: str, between: Between) -> RunEvaluation:
        """The same, and one more figure with its floors and baselines, if anything is held out.

        Args:
            name: of the figure.
            between: the distance of two sets of windows, each (N, L, C); smaller is better.

        Raises:
            ConfigError: if there is a figure of that name.
        """
        if self.judgement is None or self.held_out is None:
            return self
        if name in (*METRICS, *self.judgement.figures, *self.extra):
            raise ConfigError(f"there is a figure {name!r} already: choose another name")
        figure = distance_figure(between, self.generated, self.held_out, self.train, self.baselines)
        return replace(
            self, judgement=replace(self.judgement, figures={**self.judgement.figures, name: figure})
        )


def evaluate_model(
    model: DiffusionModel,
    prepared: PreparedData,
    config: Config,
    on_progress: Callable[[float], None] | None = None,
) -> RunEvaluation:
    """Draw samples and judge them.

    Args:
        model: fitted.
        prepared: the data it was fitted on.
        config: the run's.
        on_progress: called with the share of samples that is drawn.
    """
    options, parts = config.evaluation, prepared.parts
    real = parts.test or parts.val
    start = time.perf_counter()
    given = conditions(model, real or parts.train, options.num_samples)
    seed = derive_seed(config.experiment.seed, "evaluation")
    drawn = model.sample(options.num_samples, seed, given=given, on_progress=on_progress)
    seconds = time.perf_counter() - start
    extra = _bits_per_dim(model, real or parts.train) if options.bits_per_dim else {}
    beside = (
        {"vae_only": decoded_prior(model, options.num_samples, config.experiment.seed)}
        if is_latent(model)
        else {}
    )
    return evaluate_samples(list(drawn), prepared, config, seconds, extra, beside)


def evaluate_samples(
    samples: list[Array],
    prepared: PreparedData,
    config: Config,
    seconds: float = 0.0,
    extra: dict[str, dict[str, Any]] | None = None,
    beside: Mapping[str, Array] | None = None,
) -> RunEvaluation:
    """Judge samples, wherever they come from.

    Args:
        samples: generated windows, each (L_i, C), in the data's units.
        prepared: the data.
        config: the run's; its evaluation says how.
        seconds: that drawing them took.
        extra: further entries of results.json's `metrics`, by name.
        beside: windows (N, L, C) of generators that are judged as baselines, besides the config's.
    """
    options, seed, parts = config.evaluation, config.experiment.seed, prepared.parts
    real, extra = parts.test or parts.val, extra or {}
    generated = padded(samples)
    train = real_windows(parts.train, prepared)
    if real is None:
        return RunEvaluation(samples, generated, None, train, {}, None, seconds, extra)
    held_out = real_windows(real, prepared)
    baselines = {}
    stretches, length = parts.train.stretches(), generated.shape[1]
    for name, baseline in config.baselines().items():
        baselines[name] = baseline.fit(stretches, length, seed).sample(options.num_samples, seed)
    baselines |= beside or {}
    judgement = judge(
        generated,
        held_out,
        train,
        baselines,
        options.metrics,
        options.bootstrap,
        seed,
        part="test part" if parts.test else "validation part",
        repeats=options.repeats,
        columns=prepared.panel.columns,
        own=field_figures(prepared, config),
    )
    return RunEvaluation(samples, generated, held_out, train, baselines, judgement, seconds, extra)


def field_figures(prepared: PreparedData, config: Config) -> FieldFigures:
    """The figures of the data's field, by the training part.

    Raises:
        ConfigError: if no column holds what the field measures.
    """
    domain = config.evaluation.domain
    if domain is None:
        return FieldFigures()
    train = prepared.parts.train.some(_MOST_NUMBERS).future.astype(float)
    return domain_figures(domain, prepared.panel.columns, train)


def _bits_per_dim(model: DiffusionModel, part: WindowDataset) -> dict[str, dict[str, Any]]:
    """The variational bound, as an entry of results.json."""
    value = model.bits_per_dim(part.some(400_000))
    protocol = "variational bound on held-out windows, in the data's units"
    return {"bits_per_dim": {"value": value, "better": "lower", "protocol": protocol}}


def conditions(model: DiffusionModel, part: WindowDataset, most: int | None = None) -> Batch | None:
    """What a conditional model is told when it is evaluated: windows of a part, in order.

    Args:
        model: fitted.
        part: whose windows are told.
        most: as many as samples are drawn, evenly spaced, so that the samples are about the whole
            part; None: all.
    """
    if not model.collator_.layout.droppable:
        return None
    return part.batch(_evenly(len(part), len(part) if most is None else most))


def histories(
    model: DiffusionModel, prepared: PreparedData, evaluation: RunEvaluation, config: Config
) -> Histories | None:
    """What the page shows of a model that is told a history: a few histories with many paths each.

    Args:
        model: fitted.
        prepared: its data.
        evaluation: of the model; its samples are compared step by step.
        config: the run's; a few histories get at most as many paths as samples are judged.
    """
    from ..report.histories import Histories

    part = prepared.parts.test or prepared.parts.val
    if not model.collator_.history_len or part is None:
        return None
    chosen = _evenly(len(part), _FANS)
    paths = min(_PATHS, config.evaluation.num_samples // len(chosen))
    seed = derive_seed(config.experiment.seed, "fans")
    few = part.batch(chosen)
    drawn = np.asarray(model.sample(paths * len(chosen), seed, given=few))
    told = conditions(model, part, config.evaluation.num_samples)
    assert told is not None
    real = part.batch(_evenly(len(part), _MOST_ROLLING))
    return Histories(
        columns=prepared.panel.columns,
        fan_histories=few.history,
        fan_truths=few.future,
        fan_paths=drawn.reshape(paths, len(chosen), *drawn.shape[1:]).swapaxes(0, 1),
        real_histories=real.history,
        real=real.future,
        told=told.history[np.arange(len(evaluation.generated)) % len(told.index)],
        generated=evaluation.generated,
    )


def _evenly(count: int, most: int) -> NDArray[np.int64]:
    """Numbers of at most so many of the windows, evenly spaced, first and last among them."""
    chosen: NDArray[np.int64] = np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64))
    return chosen


def real_windows(part: WindowDataset, prepared: PreparedData, most: int = 20_000) -> RealWindows:
    """Real windows with their places, evenly thinned if there are very many."""
    chosen = _evenly(len(part), most)
    windows = part.futures(chosen).astype(float)
    independent = prepared.panel.independent or _one_a_series(part, prepared)
    return RealWindows(windows, part.starts[chosen] + part.history_len, independent)


def _one_a_series(part: WindowDataset, prepared: PreparedData) -> bool:
    """Whether no two windows of a part are of the same series."""
    series = prepared.panel.series
    ends = np.cumsum([len(s.values) for s in series])
    names = {series[i].name for i in np.searchsorted(ends, part.starts, side="right")}
    return len(names) == len(part)


def padded(windows: list[Array]) -> Array:
    """Windows of different lengths as one array (N, L, C), NaN at their ends."""
    longest = max(len(w) for w in windows)
    whole = np.full((len(windows), longest, windows[0].shape[1]), np.nan)
    for row, window in zip(whole, windows, strict=True):
        row[: len(window)] = window
    return whole
