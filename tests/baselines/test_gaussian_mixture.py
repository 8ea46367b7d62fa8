"""The mixture: recovers a known one, does not collapse, works in many dimensions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from undula.baselines.gaussian_mixture import GaussianMixtureBaseline
from undula.core.errors import DataError

COVARIANCES = np.array([[[1.0, 0.9], [0.9, 1.0]], [[0.5, -0.3], [-0.3, 2.0]]])
MEANS, WEIGHTS = np.array([[0.0, 0.0], [6.0, -6.0]]), np.array([0.3, 0.7])


def windows(n: int, seed: int) -> np.ndarray:
    """Windows of two rows from the mixture, (n, 2, 1)."""
    rng = np.random.default_rng(seed)
    k = (rng.random(n) < WEIGHTS[1]).astype(int)
    roots = np.linalg.cholesky(COVARIANCES)
    return (MEANS[k] + np.einsum("nij,nj->ni", roots[k], rng.normal(size=(n, 2))))[:, :, None]


def log_likelihood(x: np.ndarray, weights: np.ndarray, means: np.ndarray, covariances: np.ndarray) -> float:
    parts = zip(weights, means, covariances, strict=True)
    return float(np.log(sum(w * multivariate_normal(m, c).pdf(x) for w, m, c in parts)).mean())


def test_a_known_mixture_is_recovered() -> None:
    x = GaussianMixtureBaseline(components=2).fit(list(windows(4000, 0)), 2).sample(20_000, 1)[:, :, 0]
    second = x[:, 0] > 3.0
    assert second.mean() == pytest.approx(0.7, abs=0.02)
    for k, mine in enumerate((~second, second)):
        assert x[mine].mean(0) == pytest.approx(MEANS[k], abs=0.08)
        assert np.cov(x[mine].T) == pytest.approx(COVARIANCES[k], abs=0.12)
    fresh = windows(5000, 2)[:, :, 0]
    found = log_likelihood(
        fresh,
        np.array([(~second).mean(), second.mean()]),
        np.array([x[m].mean(0) for m in (~second, second)]),
        np.array([np.cov(x[m].T) for m in (~second, second)]),
    )
    assert found == pytest.approx(log_likelihood(fresh, WEIGHTS, MEANS, COVARIANCES), abs=0.01)


def test_one_component_is_the_gaussian_of_the_windows() -> None:
    series = [np.random.default_rng(0).normal(size=(3000, 2)).cumsum(0) * [1.0, 100.0]]
    fitted = GaussianMixtureBaseline(components=1, regularisation=0.02, max_dims=5).fit(series, 6)
    real = np.stack([series[0][i : i + 6].ravel() for i in range(2995)])
    expected = np.cov(real.T, bias=True)
    found = fitted._directions.copy()
    root = np.eye(len(found))
    root[:5, :5] = fitted._roots[0]
    covariance = (root.T @ found).T @ (root.T @ found)
    leading = fitted._directions[:5].T @ fitted._directions[:5]
    assert covariance == pytest.approx(expected + 0.02 * leading, rel=1e-6), (
        "directions beyond max_dims are Gaussian"
    )
    assert np.trace(expected - leading) > 1e-4 * np.trace(expected), "the directions beyond matter here"


def test_few_strange_windows_make_no_component() -> None:
    """Three windows far off would each get a component of no width, whose samples are copies."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 8, 1))
    x[:3] += 40 * np.arange(1, 4)[:, None, None]
    fitted = GaussianMixtureBaseline().fit(list(x), 8)
    assert (fitted._weights * 600 >= 20).all()
    samples = fitted.sample(5000, 1)
    nearest = np.abs(samples[:, None] - x[None, :3]).max((2, 3)).min()
    assert nearest > 0.5, "a sample is a copy of a strange window"
    assert samples.max() > 15, "the strange windows are not forgotten"


def test_many_dimensions_and_few_windows_work() -> None:
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(1500, 6)).cumsum(0)
    fitted = GaussianMixtureBaseline(components=4).fit([smooth], 117)
    assert "components in 200 dimensions" in fitted.notes()[0]
    x = fitted.sample(400, 0)
    real = np.stack([smooth[i : i + 117] for i in range(1384)])
    assert x.std((0, 1)) == pytest.approx(real.std((0, 1)), rel=0.15)
    assert np.diff(x, axis=1).std() == pytest.approx(np.diff(real, axis=1).std(), rel=0.05)
    few = GaussianMixtureBaseline().fit([smooth[:130]], 117)
    assert few.notes() == ["1 component in 13 dimensions"] and np.isfinite(few.sample(9)).all()


def test_windows_are_thinned_evenly_and_two_are_needed() -> None:
    from undula.baselines._series import flat_windows

    series = [np.arange(100.0)[:, None], np.arange(200.0, 230.0)[:, None]]
    assert len(flat_windows(series, 10, 1000, "x")) == 91 + 21
    few = flat_windows(series, 10, 5, "x")
    assert few[:, 0].tolist() == [0.0, 27.0, 55.0, 83.0, 220.0] and few[0].tolist() == list(range(10))
    with pytest.raises(
        DataError, match="gaussian_mixture needs two training windows of 30 rows, there is one"
    ):
        GaussianMixtureBaseline().fit([series[1]], 30)
