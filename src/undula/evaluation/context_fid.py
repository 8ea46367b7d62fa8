r"""Context-FID: the Fréchet distance of windows' learned representations.

    d² = |m₁ − m₂|² + Tr(C₁ + C₂ − 2 (C₁^½ C₂ C₁^½)^½)

with the means and covariances of TS2Vec representations; the encoder is trained on the real windows. A
copy of the training set with a little noise beats every model here: read it with the copying check.

References:
    Jeha et al. (2022). PSA-GAN: progressive self attention GANs for synthetic time series. ICLR
    Dowson, Landau (1982). The Fréchet distance between multivariate normal distributions.
    doi:10.1016/0047-259X(82)90077-X
"""

from __future__ import annotations

__all__ = ["context_fids", "frechet_distance"]

from collections.abc import Callable, Sequence

import numpy as np

from .pairs import Array, Pair, Scores, scale_of
from .ts2vec import fit_ts2vec


def frechet_distance(a: Array, b: Array) -> float:
    """Squared Fréchet distance of the Gaussians fitted to the rows of a and b, each (N, D)."""
    (mean_a, cov_a), (mean_b, cov_b) = _moments(a), _moments(b)
    root = _root(cov_a)
    cross = np.linalg.eigvalsh(root @ cov_b @ root)
    traces = np.trace(cov_a) + np.trace(cov_b) - 2.0 * np.sqrt(np.maximum(cross, 0.0)).sum()
    return float(np.square(mean_a - mean_b).sum() + traces)


def context_fids(
    pairs: Sequence[Pair],
    repeats: int = 5,
    seed: int = 0,
    *,
    steps: int | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Scores:
    """Context-FID of each pair and repeat, (pairs, repeats).

    The encoders are trained on the first pair's real windows, and serve all pairs.

    Args:
        pairs: generated and real windows, scaled by the first pair's real windows.
        repeats: encoders, each with its own seed.
        seed: of the first encoder.
        steps: of training; None: the protocol's.
        on_progress: called with the share that is done.
    """
    real = pairs[0].real.values
    scale = scale_of(real)
    scores = np.zeros((len(pairs), repeats))
    for r in range(repeats):
        done = r / repeats

        def progress(share: float, done: float = done) -> None:
            if on_progress is not None:
                on_progress(done + share / repeats)

        encoder = fit_ts2vec(scale(real), seed + r, steps, on_progress=progress)
        for p, pair in enumerate(pairs):
            scores[p, r] = frechet_distance(*(encoder.encode(scale(side.values)) for side in pair))
    return scores


def _moments(x: Array) -> tuple[Array, Array]:
    return x.mean(0), np.atleast_2d(np.cov(x, rowvar=False))


def _root(covariance: Array) -> Array:
    values, vectors = np.linalg.eigh(covariance)
    root: Array = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root
