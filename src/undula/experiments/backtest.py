"""Rolling origins: forecasts from many points of the held-out part, beside what they have to beat.

Origins lie evenly in the test part, and their windows do not overlap, so that the binomial intervals of
coverages are those of independent trials as far as the data's own memory allows. Every forecaster is fitted
on the training part alone and told the same histories. See `evaluation.probabilistic` for the scores.

References:
    Tashman (2000). Out-of-sample tests of forecasting accuracy. doi:10.1016/S0169-2070(00)00065-0
"""

from __future__ import annotations

__all__ = ["FORECASTERS", "LEVELS", "Backtest", "backtest", "scores_of"]

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import ConfigError, DataError
from ..core.forecaster import BaseForecaster
from ..core.registry import Registry
from ..data.prepare import Data, prepare
from ..data.windows import WindowDataset
from ..evaluation.joint import energy_score, joint_coverage
from ..evaluation.probabilistic import (
    binomial_interval,
    coverage,
    crps,
    spread_skill,
    weighted_quantile_loss,
)
from ..model import DiffusionModel
from ..model.origins import origins_of

Array = NDArray[np.floating[Any]]

LEVELS = (0.5, 0.8, 0.9, 0.95)
FORECASTERS = ("naive", "drift", "climatology", "residual_bootstrap")
MODEL = "undula"


@dataclass(frozen=True)
class Backtest:
    """Paths of every method from every origin, and what came.

    Args:
        columns: names of the C columns.
        truth: (N, L, C).
        paths: by method, (S, N, L, C).
        scale: standard deviations of the training part, (C,).
        notes: what forecasters chose or why they are missing.
    """

    columns: list[str]
    truth: Array
    paths: dict[str, Array]
    scale: Array
    notes: list[str] = field(default_factory=list)

    def scores(self) -> dict[str, dict[str, Any]]:
        """By method, the scores of `scores_of`."""
        return {name: scores_of(paths, self.truth, self.scale) for name, paths in self.paths.items()}


def scores_of(samples: Array, truth: Array, scale: Array) -> dict[str, Any]:
    """Scores of paths from N origins.

    Args:
        samples: (S, N, L, C) in the data's units.
        truth: (N, L, C).
        scale: the columns' standard deviations, (C,), in which CRPS and energy score are given.
    """
    count = len(truth)
    inside = joint_coverage(samples / scale, truth / scale)
    spread, skill = spread_skill(samples / scale, truth / scale)
    return {
        "wql": float(weighted_quantile_loss(samples, truth)),
        "crps": float(crps(samples / scale, truth / scale).mean()),
        "energy_score": float(energy_score(samples / scale, truth / scale).mean()),
        "coverage": {f"{level:g}": coverage(samples, truth, level) for level in LEVELS},
        "joint_coverage_90": inside,
        "joint_coverage_90_interval": list(binomial_interval(round(inside * count), count)),
        "spread": spread,
        "skill": skill,
        "origins": count,
    }


def backtest(
    model: DiffusionModel,
    data: Data | None = None,
    origins: int = 20,
    num_samples: int = 200,
    forecasters: Sequence[str | BaseForecaster] = FORECASTERS,
    seed: int = 0,
    *,
    part: str = "test",
    on_progress: Callable[[str, float], None] | None = None,
) -> Backtest:
    """Forecast from origins of the held-out part.

    A model that is told no history is guided: it is given the first half of each window.

    Args:
        model: fitted.
        data: what it was trained on; None: its own data.
        origins: how many at most; fewer where windows would overlap.
        num_samples: paths of each.
        forecasters: what to compare with, by name or as objects.
        seed: of all samples.
        part: of the data: test or val.
        on_progress: called with a method's name and the share of all that is done.

    Raises:
        ConfigError: if the model's windows vary in length.
        DataError: if the part is missing.
    """
    options, collator = model._options, model.collator_
    if collator.length is None:
        raise ConfigError("a backtest needs windows of one length: set data.predict_len")
    parts = prepare(options, data).parts
    held_out: WindowDataset | None = getattr(parts, part)
    if held_out is None:
        raise DataError(f"the data have no {part} part: set data.split")
    given = origins_of(held_out, origins, part)
    history, truth, batch = given.history, given.truth, given.batch
    horizon = truth.shape[1]
    series, features = parts.train.stretches_with_features()
    ahead = np.r_[: len(collator.known), len(collator.known) + len(collator.past) : batch.features.shape[2]]
    scale = np.nanstd(np.concatenate(series), axis=0)
    say = on_progress or (lambda *_: None)
    methods: list[str | BaseForecaster] = list(forecasters)
    say(MODEL, 0.0)
    paths = {MODEL: model.paths_from(given, num_samples, seed)}
    notes = []
    for k, method in enumerate(methods):
        one: BaseForecaster = Registry.resolve("forecaster", method)
        name = Registry.name(one)
        say(name, (k + 1) / (len(methods) + 1))
        try:
            fitted = one.fit(series, [f[:, ahead] for f in features], history.shape[1], horizon, seed)
            found = fitted.forecast(history, batch.features[..., ahead], num_samples, seed)
        except DataError as error:
            notes.append(f"{name}: left out ({error})")
            continue
        paths[name] = found.swapaxes(0, 1)
        notes += [f"{name}: {note}" for note in fitted.notes()]
    return Backtest(list(collator.columns), truth, paths, np.where(scale > 0, scale, 1.0), notes)
