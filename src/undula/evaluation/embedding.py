"""Pictures of windows in a plane: principal components and t-SNE, of real and generated ones together.

The principal components are those of the real windows. t-SNE is fitted to both sets at once and shows
neighbourhoods alone: its distances, sizes and densities mean nothing.

References:
    van der Maaten, Hinton (2008). Visualizing data using t-SNE. JMLR 9
"""

from __future__ import annotations

__all__ = ["Embedding", "embed"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.threads import one_thread

Array = NDArray[np.floating[Any]]

_MOST = 500
_PERPLEXITY = 30


@dataclass(frozen=True)
class Embedding:
    """Points in two planes.

    Args:
        pca: principal components, (N, 2).
        tsne: (N, 2).
        generated: True where a point is a generated window, (N,).
    """

    pca: Array
    tsne: Array
    generated: NDArray[np.bool_]


def embed(real: Array, generated: Array, seed: int = 0) -> Embedding:
    """At most 500 of each set, evenly spaced.

    Args:
        real: real windows, (N, L, C); their columns' means and standard deviations scale both sets.
        generated: (N, L, C).
        seed: of t-SNE.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    mean, sd = np.nanmean(real, axis=(0, 1)), np.nanstd(real, axis=(0, 1))
    flat = [
        np.nan_to_num((w[_evenly(len(w))] - mean) / np.where(sd > 0, sd, 1.0)).reshape(min(len(w), _MOST), -1)
        for w in (real, generated)
    ]
    both = np.concatenate(flat)
    inside = np.arange(len(both)) >= len(flat[0])
    if len(flat[0]) < 3 or len(flat[1]) < 1 or both.shape[1] < 2 or len(both) < 6:
        return Embedding(both[:, [0, -1]], both[:, [0, -1]], inside)
    perplexity = min(_PERPLEXITY, (len(both) - 1) / 3)
    with one_thread():
        pca = PCA(2, svd_solver="full").fit(flat[0]).transform(both)
        few = PCA(min(30, both.shape[1], len(both) - 1), random_state=seed).fit_transform(both)
        tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(few)
    return Embedding(pca, tsne.astype(float), inside)


def _evenly(count: int) -> NDArray[np.int64]:
    return np.linspace(0, count - 1, min(count, _MOST)).astype(np.int64)
