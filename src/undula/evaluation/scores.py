"""Metrics that take all pairs of a figure at once and repeat themselves: see `pairs`."""

from __future__ import annotations

__all__ = ["REPEATS", "SCORES"]

from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from .boosting import boosting_scores
from .context_fid import context_fids
from .discriminative import discriminative_scores
from .distances import correlational_scores
from .pairs import Pair, Scores
from .predictive import predictive_scores

OnProgress = Callable[[float], None]


class _Scores(Protocol):
    def __call__(
        self, pairs: Sequence[Pair], repeats: int, seed: int, *, on_progress: OnProgress | None = None
    ) -> Scores: ...


SCORES: dict[str, _Scores] = {
    "boosting": boosting_scores,
    "discriminative": discriminative_scores,
    "discriminative_gru32": partial(discriminative_scores, hidden=32),
    "discriminative_lstm32": partial(discriminative_scores, hidden=32, cell="lstm"),
    "predictive": predictive_scores,
    "context_fid": context_fids,
    "correlational": correlational_scores,
}

REPEATS: dict[str, int] = {"boosting": 2}
"""Where two are enough, because the metric hardly depends on its seed."""
