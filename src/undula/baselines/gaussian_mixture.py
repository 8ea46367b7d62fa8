"""A mixture of Gaussians with full covariances on the flattened training windows: the row to fear.

p(x) = Σ_k w_k N(x; m_k, S_k) on windows of L·C numbers, fitted by expectation and maximisation. The
windows are first written in their own principal directions, each with unit variance, so that the
regularisation S_k + `regularisation` · S adds a share of the covariance S of all windows and no white
noise: what is smooth stays smooth. Directions without variance stay without, and where windows have more
than `max_dims` numbers, the weakest directions are Gaussian, each with its own variance and the same in
all components.

Against collapse: components start as clusters (k-means on standardised windows), those of fewer than 20
windows join the nearest other; there is at most one component for every 50 windows; and components that
end with fewer than 20 windows are taken out and the others fitted again.

References:
    Dempster, Laird, Rubin (1977). Maximum likelihood from incomplete data via the EM algorithm.
    doi:10.1111/j.2517-6161.1977.tb01600.x
"""

from __future__ import annotations

__all__ = ["GaussianMixtureBaseline"]

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.randomness import derive_seed
from ..core.registry import register
from ..core.threads import one_thread
from ..core.types import Positive, PositiveInt
from ._series import draws, flat_windows

Array = NDArray[np.floating[Any]]

_WINDOWS_A_COMPONENT, _LEAST_WINDOWS = 50, 20
_NO_VARIANCE = 1e-10
_TOLERANCE, _MOST_ITERATIONS = 1e-2, 50
_LARGE = 2_000_000
"""Numbers of all windows from which threads save more than they cost."""


@register("baseline", "gaussian_mixture")
class GaussianMixtureBaseline(BaseBaseline):
    """A mixture of full Gaussians on whole windows: most of what short windows have, the row to fear.

    Args:
        components: at most so many Gaussians; fewer where there are few windows.
        regularisation: share of the covariance of all windows that is added to each component's.
        max_windows: to learn from, at even distances.
        max_dims: principal directions that the components have; the rest is one Gaussian.
    """

    needs = "a stretch of one window; some thousand windows to be good"

    def __init__(
        self,
        components: PositiveInt = 20,
        regularisation: Positive = 1e-3,
        max_windows: PositiveInt = 20_000,
        max_dims: PositiveInt = 200,
    ) -> None:
        self.components, self.regularisation = components, regularisation
        self.max_windows, self.max_dims = max_windows, max_dims

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> GaussianMixtureBaseline:
        """Learn weights, means and covariances; see `BaseBaseline.fit`."""
        flat = flat_windows(series, length, self.max_windows, "gaussian_mixture")
        self._length, self._mean = length, flat.mean(0)
        spread = flat.std(0)
        spread[spread == 0.0] = 1.0
        standardised = (flat - self._mean) / spread
        values, vectors = np.linalg.eigh(standardised.T @ standardised / len(flat))
        kept = np.flatnonzero(values > _NO_VARIANCE * max(values[-1], _NO_VARIANCE))[::-1]
        self._directions = (spread[:, None] * vectors[:, kept] * np.sqrt(values[kept])).T  # whitened → units
        leading = kept[: self.max_dims]
        white = standardised @ (vectors[:, leading] / np.sqrt(values[leading]))
        with one_thread(white.size < _LARGE):
            self._fit_mixture(white, self._clusters(standardised, seed), on_progress)
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows of the mixture, (n, L, C)."""
        component = np.searchsorted(
            np.cumsum(self._weights), draws(seed, "component").random(n), side="right"
        )
        component = np.minimum(component, len(self._weights) - 1)
        white = draws(seed, "normal").standard_normal((n, len(self._directions)))
        dims = self._means.shape[1]
        for k in range(len(self._weights)):
            mine = component == k
            white[mine, :dims] = self._means[k] + white[mine, :dims] @ self._roots[k].T
        windows: Array = (self._mean + white @ self._directions).reshape(n, self._length, -1)
        return windows

    def notes(self) -> list[str]:
        """How many components there are."""
        count = len(self._weights)
        return [f"{count} {'component' if count == 1 else 'components'} in {self._means.shape[1]} dimensions"]

    def _clusters(self, windows: Array, seed: int) -> NDArray[np.int64]:
        """A number for each window; clusters of a few windows are joined to the nearest other."""
        from sklearn.cluster import KMeans

        count = max(1, min(self.components, len(windows) // _WINDOWS_A_COMPONENT))
        state = derive_seed(seed, "clusters") % 2**32
        found = KMeans(count, n_init=1, random_state=state).fit(windows)
        labels, centres = found.labels_.astype(np.int64), found.cluster_centers_
        while True:
            numbers, counts = np.unique(labels, return_counts=True)
            if len(numbers) == 1 or counts.min() >= _LEAST_WINDOWS:
                joined: NDArray[np.int64] = np.unique(labels, return_inverse=True)[1]
                return joined
            smallest = numbers[counts.argmin()]
            others = numbers[numbers != smallest]
            nearest = others[((centres[others] - centres[smallest]) ** 2).sum(1).argmin()]
            labels[labels == smallest] = nearest
            centres[nearest] = windows[labels == nearest].mean(0)

    def _fit_mixture(self, white: Array, labels: NDArray[np.int64], on_progress: OnProgress | None) -> None:
        """Fit from clusters, and again without the components that lose their windows."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.mixture import GaussianMixture

        while True:
            weights, means, precisions = self._start(white, labels)
            mixture = GaussianMixture(
                len(weights), reg_covar=self.regularisation, tol=_TOLERANCE, max_iter=_MOST_ITERATIONS,
                weights_init=weights, means_init=means, precisions_init=precisions, random_state=0,
            )  # fmt: skip
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # the last steps gain next to nothing
                labels = mixture.fit_predict(white)
            lost = np.flatnonzero(mixture.weights_ * len(white) < _LEAST_WINDOWS)
            if on_progress is not None:
                on_progress(1.0, f"{len(weights)} components, log-likelihood {mixture.lower_bound_:.4g}")
            if not len(lost) or len(weights) == 1:
                break
            labels = self._without(lost, labels, mixture.predict_proba(white))
        self._weights, self._means = mixture.weights_, mixture.means_
        self._roots = np.linalg.cholesky(mixture.covariances_)

    @staticmethod
    def _without(lost: NDArray[np.intp], labels: NDArray[np.int64], shares: Array) -> NDArray[np.int64]:
        """Windows of lost components go to the component that is likeliest among the others."""
        shares = np.delete(shares, lost, axis=1)
        kept = np.delete(np.arange(shares.shape[1] + len(lost)), lost)
        moved = np.isin(labels, lost)
        new = np.searchsorted(kept, labels)
        new[moved] = shares[moved].argmax(1)
        again: NDArray[np.int64] = np.unique(new, return_inverse=True)[1]
        return again

    def _start(self, white: Array, labels: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Weights, means and precisions of clusters."""
        dims = white.shape[1]
        weights, means, precisions = [], [], []
        for k in range(labels.max() + 1):
            mine = white[labels == k]
            means.append(mine.mean(0))
            deviations = mine - means[-1]
            covariance = deviations.T @ deviations / len(mine) + self.regularisation * np.eye(dims)
            inverse_root = np.linalg.inv(np.linalg.cholesky(covariance))
            precisions.append(inverse_root.T @ inverse_root)
            weights.append(len(mine) / len(white))
        return np.array(weights), np.array(means), np.array(precisions)
