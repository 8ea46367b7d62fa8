r"""Distances between two sets of windows as wholes, and of several columns together.

    energy    E² = 2 E|X − Y| − E|X − X'| − E|Y − Y'|      with |·| over √(L C)
    MMD²      E k(x, x') + E k(y, y') − 2 E k(x, y)        k(u) = exp(−u²/2h²)
    sliced    mean over random directions of the Wasserstein distance of the windows' projections
    psd       mean over frequencies and columns of |10 log₁₀ S_a(f)/S_b(f)|

Means over pairs include a point with itself, so that both are distances of the two samples, never negative,
and of two samples of one law small but not 0: the floor says how small. Both are given as roots, E and MMD.

All take windows (N, L, C), each column in training standard deviations from its training mean; a missing
value counts as the mean.

References:
    Székely, Rizzo (2013). Energy statistics. doi:10.1016/j.jspi.2013.03.018
    Gretton et al. (2012). A kernel two-sample test. JMLR 13
    Bonneel et al. (2015). Sliced and Radon Wasserstein barycenters. doi:10.1007/s10851-014-0506-3
    Li et al. (2025). Population aware diffusion for time series generation. arXiv:2501.00910 (VDS, FDDS)
    Ni et al. (2020). Conditional Sig-Wasserstein GANs. arXiv:2006.05421 (correlational score)
"""

from __future__ import annotations

__all__ = [
    "WINDOW_DISTANCES",
    "correlational_scores",
    "cross_correlations",
    "energy_distance",
    "mmd",
    "power_spectrum",
]

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .pairs import Pair, Scores

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS = 2_000
_MOST_VALUES = 1_500
_DIRECTIONS, _QUANTILES = 128, 400
_LAGS = 10
_FIFTH = 5


def energy_distance(x: Array, y: Array) -> float:
    """E of two sets of vectors (N, d), in units of √d; of at most 2,000 of each."""
    x, y = (_evenly(v, _MOST_WINDOWS) / np.sqrt(v.shape[1]) for v in (x, y))
    return _root(2.0 * _gaps(x, y).mean() - _gaps(x, x).mean() - _gaps(y, y).mean())


def mmd(x: Array, y: Array, bandwidth: float) -> float:
    """MMD of two sets of numbers (N,) under a Gaussian kernel; of at most 1,500 of each.

    Args:
        x: numbers.
        y: others.
        bandwidth: h.
    """
    x, y = _evenly(x, _MOST_VALUES), _evenly(y, _MOST_VALUES)

    def kernel(a: Array, b: Array) -> Array:
        values: Array = np.exp(-0.5 * ((a[:, None] - b) / bandwidth) ** 2)
        return values

    return _root(kernel(x, x).mean() + kernel(y, y).mean() - 2.0 * kernel(x, y).mean())


def power_spectrum(windows: Array) -> Array:
    """Mean |rfft|²/L of windows (N, L, C) by frequency and column, (L//2 + 1, C)."""
    spectrum: Array = np.square(np.abs(np.fft.rfft(windows, axis=1, norm="ortho"))).mean(0)
    return spectrum


def cross_correlations(windows: Array, lags: int = _LAGS) -> Array:
    """Correlation of column i with column j k steps later, pooled over windows, (lags + 1, C, C)."""
    x = windows - windows.mean((0, 1))
    sd = np.sqrt(np.square(x).mean((0, 1)))
    x = x / np.where(sd > 0, sd, 1.0)
    n, length, _ = x.shape
    found = [
        np.einsum("nti,ntj->ij", x[:, : length - k], x[:, k:], optimize=True) / (n * (length - k))
        for k in range(min(lags, length - 1) + 1)
    ]
    return np.stack(found)


def correlational_scores(
    pairs: Sequence[Pair],
    repeats: int = 5,
    seed: int = 0,
    *,
    on_progress: Callable[[float], None] | None = None,
) -> Scores:
    """The literature's correlational score, Σ_{i≥j} |ρ_ij − ρ'_ij|/10, of random fifths; (pairs, repeats)."""
    scores = np.zeros((len(pairs), repeats))
    for p, pair in enumerate(pairs):
        size = max(2, min(len(side) for side in pair) // _FIFTH)
        for r in range(repeats):
            rng = np.random.default_rng([seed, r])
            a, b = (cross_correlations(side.values[rng.permutation(len(side))[:size]], 0)[0] for side in pair)
            scores[p, r] = np.abs(np.tril(a - b)).sum() / 10.0
    return scores


def _energy(a: Array, b: Array) -> float:
    return energy_distance(a.reshape(len(a), -1), b.reshape(len(b), -1))


def _sliced(a: Array, b: Array) -> float:
    a, b = (_evenly(v, 2 * _MOST_WINDOWS).reshape(-1, v.shape[1] * v.shape[2]) for v in (a, b))
    directions = _directions(a.shape[1])
    share = (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    first, second = (np.quantile(v @ directions, share, axis=0) for v in (a, b))
    return float(np.abs(first - second).mean())


def _sliced_spectrum(a: Array, b: Array) -> float:
    return _sliced(*(np.abs(np.fft.rfft(v, axis=1, norm="ortho")) for v in (a, b)))


def _psd(a: Array, b: Array) -> float:
    first, second = power_spectrum(a), power_spectrum(b)
    least = 1e-12 * max(float(first.max()), float(second.max()))
    gap = 10.0 * np.log10(np.maximum(first, least) / np.maximum(second, least))
    return float(np.abs(gap).mean())


def _vds(a: Array, b: Array) -> float:
    """Mean over columns, with the bandwidth of a standard deviation (1, as the columns come)."""
    return float(np.mean([mmd(_spread(a[:, :, c]), _spread(b[:, :, c]), 1.0) for c in range(a.shape[2])]))


def _fdds(a: Array, b: Array) -> float:
    """Mean over pairs of columns of the MMD of the windows' own correlations."""
    first, second = _window_correlations(a), _window_correlations(b)
    values = [mmd(first[:, p], second[:, p], _bandwidth(second[:, p])) for p in range(first.shape[1])]
    return float(np.mean(values))


def _cross_correlation(a: Array, b: Array) -> float:
    gap = np.abs(cross_correlations(a) - cross_correlations(b))
    return float(gap[:, ~np.eye(a.shape[2], dtype=bool)].mean())


WINDOW_DISTANCES: dict[str, Callable[[Array, Array], float]] = {
    "energy_distance": _energy,
    "sliced_wasserstein": _sliced,
    "sliced_wasserstein_spectrum": _sliced_spectrum,
    "psd": _psd,
    "vds": _vds,
    "fdds": _fdds,
    "cross_correlation": _cross_correlation,
}
"""Of windows (N, L, C), each column in training standard deviations from its training mean."""


def _window_correlations(windows: Array) -> Array:
    """Each window's correlation of every two columns, (N, C(C−1)/2); 0 where a column stands still."""
    x = windows - windows.mean(1, keepdims=True)
    norm = np.sqrt(np.square(x).sum(1, keepdims=True))
    x = np.divide(x, norm, out=np.zeros_like(x), where=norm > 1e-9)
    i, j = np.triu_indices(x.shape[2], 1)
    correlations: Array = np.einsum("nti,ntj->nij", x, x, optimize=True)[:, i, j]
    return correlations


def _bandwidth(values: Array) -> float:
    sd = float(values.std())
    return sd if sd > 0 else 1.0


def _gaps(x: Array, y: Array) -> Array:
    squares = np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2.0 * x @ y.T
    if x is y:
        np.fill_diagonal(squares, 0.0)
    gaps: Array = np.sqrt(np.maximum(squares, 0.0))
    return gaps


def _root(square: Any) -> float:
    """The root, 0 for what rounding has made negative."""
    return float(np.sqrt(max(float(square), 0.0)))


def _evenly(values: Array, most: int) -> Array:
    if len(values) <= most:
        return values
    return values[np.linspace(0, len(values) - 1, most).astype(np.int64)]


def _spread(column: Array) -> Array:
    """The values of one column (N, L), shuffled with a fixed seed so that thinning takes some of all."""
    flat = column.ravel()
    return flat[np.random.default_rng(0).permutation(len(flat))]


@functools.lru_cache(maxsize=8)
def _directions(size: int) -> Array:
    """Fixed random unit vectors, (size, 128)."""
    white = np.random.default_rng(0).standard_normal((size, _DIRECTIONS))
    unit: Array = white / np.linalg.norm(white, axis=0)
    return unit
