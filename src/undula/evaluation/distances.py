r"""Distances between two sets of windows as wholes, and of several columns together.

    energy    E² = 2 E|X − Y| − E|X − X'| − E|Y − Y'|      with |·| over √(L C)
    MMD²      E k(x, x') + E k(y, y') − 2 E k(x, y)        k(u) = exp(−u²/2h²)
    sliced    mean over random directions of the Wasserstein distance of the windows' projections
    psd       mean over frequencies and columns of |10 log₁₀ S_a(f)/S_b(f)|

Means over pairs include a point with itself, so that both are distances of the two samples, never negative,
and of two samples of one law small but not 0: the floor says how small. Both are given as roots, E and MMD.

All take windows (N, L, C), each column in training standard deviations from its training mean; a missing
value counts as the mean. What a distance needs of one set alone is computed apart from what it needs of two:
a judge compares every set with several others.

The mean discrepancy of numbers is computed from their characteristic functions φ, in linear time,

    MMD² = ∫ |φ_x(ω) − φ_y(ω)|² p(ω) dω      p = N(0, 1/h²)

by the trapezoidal rule, whose error is that of images of the kernel one period away: with a period of the
values' range and 9 h more, and frequencies up to 9/h, it is below 10⁻¹⁷.

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
    "WindowDistance",
    "correlational_scores",
    "cross_correlations",
    "energy_distance",
    "mmd",
    "power_spectrum",
]

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
_FAR, _MOST_FREQUENCIES = 9.0, 1_000


@dataclass(frozen=True)
class WindowDistance:
    """A distance of two sets of windows.

    Args:
        of: what it needs of one set, (N, L, C).
        between: the distance, of two of these.
    """

    of: Callable[[Array], Any]
    between: Callable[[Any, Any], float]

    def __call__(self, a: Array, b: Array) -> float:
        """Of windows (N, L, C)."""
        return self.between(self.of(a), self.of(b))


def energy_distance(x: Array, y: Array) -> float:
    """E of two sets of vectors (N, d), in units of √d; of at most 2,000 of each."""
    return _energy(_vectors(x), _vectors(y))


def mmd(x: Array, y: Array, bandwidth: float) -> float:
    """MMD of two sets of numbers (N,) under a Gaussian kernel; of at most 1,500 of each.

    Args:
        x: numbers.
        y: others.
        bandwidth: h.
    """
    x, y = _evenly(x, _MOST_VALUES) / bandwidth, _evenly(y, _MOST_VALUES) / bandwidth
    low = min(x.min(), y.min())
    period = max(x.max(), y.max()) - low + _FAR
    if not _FAR * period / (2 * np.pi) <= _MOST_FREQUENCIES:
        return _mmd_by_pairs(x, y)
    frequencies = 2 * np.pi / period * np.arange(1, int(_FAR * period / (2 * np.pi)) + 1)
    gaps = _characteristic(x - low, frequencies) - _characteristic(y - low, frequencies)
    weights = np.exp(-0.5 * frequencies**2) * 2.0 * np.sqrt(2 * np.pi) / period
    return _root(weights @ np.square(np.abs(gaps)))


def _characteristic(x: Array, frequencies: Array) -> NDArray[np.complexfloating[Any, Any]]:
    """E exp(iωx) at multiples of the first frequency."""
    turn = np.exp(1j * frequencies[0] * x)
    turned, means = np.ones_like(turn), np.empty(len(frequencies), complex)
    for k in range(len(frequencies)):
        turned *= turn
        means[k] = turned.mean()
    return means


def _mmd_by_pairs(x: Array, y: Array) -> float:
    """In units of h, where the values' range is too many of them for few frequencies."""

    def kernel(a: Array, b: Array) -> Array:
        values: Array = np.exp(-0.5 * (a[:, None] - b) ** 2)
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


def _window_correlations(windows: Array) -> Array:
    """Each window's correlation of every two columns, (N, C(C−1)/2); 0 where a column stands still."""
    x = windows - windows.mean(1, keepdims=True)
    norm = np.sqrt(np.square(x).sum(1, keepdims=True))
    x = np.divide(x, norm, out=np.zeros_like(x), where=norm > 1e-9)
    i, j = np.triu_indices(x.shape[2], 1)
    correlations: Array = np.einsum("nti,ntj->nij", x, x, optimize=True)[:, i, j]
    return correlations


def _vectors(x: Array) -> tuple[Array, float]:
    """Vectors (N, d) over √d, and the mean distance between two of them."""
    x = _evenly(x, _MOST_WINDOWS) / np.sqrt(x.shape[1])
    return x, float(_gaps(x, x).mean())


def _energy(a: tuple[Array, float], b: tuple[Array, float]) -> float:
    (x, within_x), (y, within_y) = a, b
    return _root(2.0 * _gaps(x, y).mean() - within_x - within_y)


def _projected(windows: Array) -> Array:
    """Quantiles of the windows' projections on each direction, (400, 128)."""
    flat = _evenly(windows, 2 * _MOST_WINDOWS).reshape(-1, windows.shape[1] * windows.shape[2])
    ordered = np.sort(_directions(flat.shape[1]).T @ flat.T, axis=1)
    place = (len(flat) - 1) * (np.arange(_QUANTILES) + 0.5) / _QUANTILES
    below = place.astype(np.int64)
    low, high = ordered[:, below], ordered[:, np.minimum(below + 1, len(flat) - 1)]
    quantiles: Array = low + (place - below) * (high - low)
    return quantiles.T


def _projected_spectrum(windows: Array) -> Array:
    return _projected(np.abs(np.fft.rfft(windows, axis=1, norm="ortho")))


def _mean_gap(a: Array, b: Array) -> float:
    return float(np.abs(a - b).mean())


def _decibels(first: Array, second: Array) -> float:
    least = 1e-12 * max(float(first.max()), float(second.max()))
    gap = 10.0 * np.log10(np.maximum(first, least) / np.maximum(second, least))
    return float(np.abs(gap).mean())


def _discrepancy(a: list[Array], b: list[Array]) -> float:
    """Mean over columns, with the bandwidth of a standard deviation (1, as the columns come)."""
    return float(np.mean([mmd(x, y, 1.0) for x, y in zip(a, b, strict=True)]))


def _discrepancy_of_correlations(a: Array, b: Array) -> float:
    """Mean over pairs of columns of the MMD of the windows' own correlations, each (N, pairs)."""
    return float(np.mean([mmd(x, y, _bandwidth(y)) for x, y in zip(a.T, b.T, strict=True)]))


def _gap_between_columns(a: Array, b: Array) -> float:
    return float(np.abs(a - b)[:, ~np.eye(a.shape[2], dtype=bool)].mean())


WINDOW_DISTANCES: dict[str, WindowDistance] = {
    "energy_distance": WindowDistance(lambda windows: _vectors(windows.reshape(len(windows), -1)), _energy),
    "sliced_wasserstein": WindowDistance(_projected, _mean_gap),
    "sliced_wasserstein_spectrum": WindowDistance(_projected_spectrum, _mean_gap),
    "psd": WindowDistance(power_spectrum, _decibels),
    "vds": WindowDistance(lambda windows: [_some(column) for column in windows.T], _discrepancy),
    "fdds": WindowDistance(_window_correlations, _discrepancy_of_correlations),
    "cross_correlation": WindowDistance(cross_correlations, _gap_between_columns),
}
"""Of windows (N, L, C), each column in training standard deviations from its training mean."""


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


def _some(column: Array) -> Array:
    """Values of one column (L, N) from all windows and steps: those that a fixed seed puts first."""
    return column.T.ravel()[_first(column.size)]


@functools.lru_cache(maxsize=32)
def _first(size: int) -> NDArray[np.int64]:
    """At most 1,500 numbers of values, evenly out of all in a random order."""
    order = np.random.default_rng(0).permutation(size)
    return order[np.linspace(0, size - 1, min(size, _MOST_VALUES)).astype(np.int64)]


@functools.lru_cache(maxsize=8)
def _directions(size: int) -> Array:
    """Fixed random unit vectors, (size, 128)."""
    white = np.random.default_rng(0).standard_normal((size, _DIRECTIONS))
    unit: Array = white / np.linalg.norm(white, axis=0)
    return unit
