r"""Gradient boosting as the judge: can trees tell generated windows from real ones?

    score = area under the ROC curve on held-out windows; ½: they cannot, 1: always

Its features are the values, their differences over time, the differences between columns (all pairs up
to eight columns, neighbours beyond) and the means over time of each: what lies on a grid, is bounded or
ordered in the real data is seen, where small recurrent networks see nothing.

References:
    Friedman (2001). Greedy function approximation: a gradient boosting machine. doi:10.1214/aos/1013203451
    Lopez-Paz, Oquab (2017). Revisiting classifier two-sample tests. arXiv:1610.06545
"""

from __future__ import annotations

__all__ = ["boosting_features", "boosting_scores"]

import itertools
from collections.abc import Callable, Sequence

import numpy as np

from ..core.threads import one_thread
from .pairs import Array, Pair, Scores, scale_of, split

_MOST_PAIRED_COLUMNS = 8
_MOST_WINDOWS = 4_000
_LARGE = 2_000_000
"""Numbers of a training set from which threads save more than they cost."""


def boosting_features(windows: Array) -> Array:
    """Values, differences over time and between columns, and means, (N, features)."""
    n, _, columns = windows.shape
    if columns <= _MOST_PAIRED_COLUMNS:
        pairs = list(itertools.combinations(range(columns), 2))
    else:
        pairs = [(c, c + 1) for c in range(columns - 1)]
    between = np.stack([windows[:, :, i] - windows[:, :, j] for i, j in pairs], 2) if pairs else None
    parts = [windows, np.diff(windows, axis=1)] + ([] if between is None else [between])
    flat = [part.reshape(n, -1) for part in parts]
    means = [part.mean(1) for part in (windows, np.abs(np.diff(windows, axis=1)))]
    return np.concatenate([*flat, *means], axis=1)


def boosting_scores(
    pairs: Sequence[Pair],
    repeats: int = 2,
    seed: int = 0,
    *,
    on_progress: Callable[[float], None] | None = None,
    features: Callable[[Array], Array] = boosting_features,
) -> Scores:
    """Held-out area under the ROC curve of each pair and repeat, (pairs, repeats).

    Args:
        pairs: generated and real windows, in their own units: grids are part of what is judged. At most
            4,000 of either set are used, and as many of one as of the other.
        repeats: splits and boosters a pair.
        seed: of everything random.
        on_progress: called with the share that is done.
        features: what the trees see of windows.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    scores = np.zeros((len(pairs), repeats))
    for p, pair in enumerate(pairs):
        scale_of(pair.real.values)
        size = min(*map(len, pair), _MOST_WINDOWS)
        for r in range(repeats):
            rng = np.random.default_rng([seed, r])
            sides = [side.some(size, rng) for side in pair]
            sets = [features(side.values) for side in sides]
            parts = [split(side, rng) for side in sides]
            x = [np.concatenate([s[part[i]] for s, part in zip(sets, parts, strict=True)]) for i in (0, 1)]
            y = [np.repeat([0, 1], [len(part[i]) for part in parts]) for i in (0, 1)]
            with one_thread(x[0].size < _LARGE):
                booster = HistGradientBoostingClassifier(random_state=r).fit(x[0], y[0])
                scores[p, r] = roc_auc_score(y[1], booster.predict_proba(x[1])[:, 1])
            if on_progress is not None:
                on_progress((p * repeats + r + 1) / (len(pairs) * repeats))
    return scores
