"""TS2Vec and the Fréchet distance: exact convolutions and losses, closed forms, which axis is time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from scipy.linalg import sqrtm

from undula.evaluation.context_fid import context_fids, frechet_distance
from undula.evaluation.pairs import Pair
from undula.evaluation.ts2vec import (
    TS2VecEncoder,
    _Convolution,
    _two_views,
    fit_ts2vec,
    hierarchical_contrast,
)


def with_moments(mean: np.ndarray, covariance: np.ndarray, n: int = 400, seed: int = 0) -> np.ndarray:
    """Points whose sample mean and covariance are exactly these."""
    x = np.random.default_rng(seed).normal(size=(n, len(mean)))
    x -= x.mean(0)
    x = x @ np.linalg.inv(np.linalg.cholesky(np.cov(x.T))).T
    return x @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_gaussians() -> None:
    a = with_moments(np.array([1.0, 0.0]), np.diag([4.0, 1.0]))
    b = with_moments(np.array([0.0, 2.0]), np.diag([1.0, 9.0]), seed=1)
    assert frechet_distance(a, b) == pytest.approx(1 + 4 + (2 - 1) ** 2 + (1 - 3) ** 2)


def test_frechet_distance_is_that_of_the_matrix_root() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(50, 6)), rng.normal(size=(40, 6)) @ rng.normal(size=(6, 6))
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dilation", [1, 2, 5, 9, 10, 64])
def test_the_convolution_is_torchs(dilation: int) -> None:
    layer = _Convolution(3, 5, dilation)
    h = torch.randn(2, 10, 3)
    weight = layer.weight.permute(2, 1, 0)
    expected = F.conv1d(h.mT, weight, layer.bias, padding=dilation, dilation=dilation).mT
    assert torch.allclose(layer(h), expected, atol=1e-6)


def test_contrast_by_hand() -> None:
    """Two series of one step: each has its pair and two others."""
    a = torch.tensor([[[1.0, 0.0]], [[0.0, 1.0]]])
    e = float(np.e)
    expected = 0.5 * -np.log(e / (e + 2.0))
    assert float(hierarchical_contrast(a, a)) == pytest.approx(expected, rel=1e-6)


def test_contrast_falls_when_pairs_agree() -> None:
    torch.manual_seed(0)
    a, b = 3 * torch.randn(4, 8, 16), 3 * torch.randn(4, 8, 16)
    assert hierarchical_contrast(a, a + 0.1 * b) < hierarchical_contrast(a, b)


def test_time_is_the_second_axis() -> None:
    """With as many columns as steps only the values tell which axis is which: of a shallow encoder a step's
    representation sees near steps alone, and every column of them."""
    encoder = TS2VecEncoder(9, hidden=8, output=8, depth=1).eval()
    x = torch.randn(1, 9, 9)
    late, column = x.clone(), x.clone()
    late[:, 8] += 1.0
    column[:, :, 8] += 1.0
    before, after = encoder(x), encoder(late)
    assert torch.equal(before[:, :2], after[:, :2])
    assert not torch.allclose(before[:, 8], after[:, 8])
    assert not torch.allclose(before[:, 0], encoder(column)[:, 0])


def test_a_windows_representation_is_the_maximum_over_its_steps() -> None:
    """As many steps as numbers of a representation: only the values tell which axis is time."""
    encoder = TS2VecEncoder(2, hidden=4, output=6, depth=1).eval()
    x = torch.randn(5, 6, 2)
    with torch.no_grad():
        steps = encoder(x).double().numpy()
    assert encoder.encode(x.numpy()) == pytest.approx(steps.max(1))
    assert not np.allclose(steps.max(1), steps.max(2))


def test_two_views_are_of_the_same_steps() -> None:
    """With the values themselves as representations, both views of every series are equal, and each series
    is where it was moved to."""

    class Values(TS2VecEncoder):
        def forward(self, x: torch.Tensor, hidden_steps: torch.Tensor | None = None) -> torch.Tensor:
            return x

    x = torch.randn(6, 12, 2)
    rng = np.random.default_rng(0)
    for _ in range(20):
        first, second = _two_views(Values(2, depth=1), x, rng)
        assert torch.equal(first, second)
        for view, series in zip(first, x, strict=True):
            assert any(torch.equal(view, part) for part in series.unfold(0, len(view), 1).mT)


def test_context_fid_sees_order_in_time() -> None:
    rng = np.random.default_rng(0)
    walk = np.cumsum(rng.normal(size=(300, 16, 2)), 1)
    other = np.cumsum(rng.normal(size=(300, 16, 2)), 1)
    shuffled = rng.permuted(walk, axis=1)
    scores = context_fids([Pair.of(other, walk), Pair.of(shuffled, walk)], repeats=2, steps=40)
    assert scores.shape == (2, 2)
    assert scores[1].mean() > 5 * scores[0].mean()
    assert np.array_equal(scores, context_fids([Pair.of(other, walk), Pair.of(shuffled, walk)], 2, steps=40))


def test_a_small_set_and_a_short_window() -> None:
    encoder = fit_ts2vec(np.random.default_rng(0).random((5, 2, 1)).astype(np.float32), steps=3)
    assert encoder.encode(np.zeros((3, 2, 1), np.float32)).shape == (3, 320)
