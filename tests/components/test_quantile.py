"""The quantile map: its marginals, its atoms, its tails."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from undula.components.preprocessing.quantile import QuantilePreprocessor
from undula.components.preprocessing.raw import RawPreprocessor
from undula.core.condition import Condition
from undula.core.errors import DataError

N = 4000


def series(column: np.ndarray, length: int = 20) -> torch.Tensor:
    """Windows side by side, (B, 1, L)."""
    return torch.from_numpy(np.asarray(column, float)).reshape(-1, 1, length)


def rain(seed: int = 0) -> np.ndarray:
    """Nothing on 60 % of the days, else a gamma distribution."""
    r = np.random.default_rng(seed)
    return np.where(r.random(N) < 0.6, 0.0, r.gamma(2.0, 3.0, N))


def test_a_continuous_marginal_becomes_normal() -> None:
    x = series(np.random.default_rng(0).gamma(2.0, size=N))
    z = QuantilePreprocessor().fit(x).transform(x).flatten()
    ranks = stats.rankdata(x.flatten()) - 0.5
    assert torch.allclose(z, torch.from_numpy(stats.norm.ppf(ranks / N)), atol=1e-2)
    inner = z[z.abs() < 2]
    assert abs(float(inner.square().mean()) - stats.truncnorm(-2, 2).var()) < 2e-3


def test_an_atom_owns_the_normal_scores_of_its_mass() -> None:
    """A standard normal z gives the atom as often as the data have it: the edges are exact."""
    x = series(rain())
    fitted = QuantilePreprocessor().fit(x)
    mass = float((x == 0).double().mean())
    edge = stats.norm.ppf(mass)
    z = torch.tensor([[[-50.0, -3.0, edge - 1e-4, edge + 1e-3, 0.9, 8.0]]], dtype=torch.float64)
    dry = fitted.inverse_transform(z).flatten() == 0
    assert dry.tolist() == [True, True, True, False, False, False]
    normal = torch.from_numpy(stats.norm.ppf((np.arange(100_000) + 0.5) / 100_000)).reshape(1, 1, -1)
    drawn = fitted.inverse_transform(normal).flatten()
    assert abs(float((drawn == 0).double().mean()) - mass) < 2e-5
    assert stats.ks_2samp(drawn[drawn > 0].numpy(), x[x > 0].numpy()).statistic < 2e-3


def test_atoms_lie_at_the_middle_of_their_mass() -> None:
    x = series(rain())
    z = QuantilePreprocessor().fit(x).transform(x)
    mass = float((x == 0).double().mean())
    assert torch.allclose(z[x == 0], torch.tensor(stats.norm.ppf(mass / 2)), atol=1e-12)


def test_atoms_within_the_range_and_at_both_ends() -> None:
    r = np.random.default_rng(1)
    column = np.clip(r.normal(size=N), -1.0, 1.5)
    column[r.random(N) < 0.2] = 0.25
    x = series(column)
    fitted = QuantilePreprocessor().fit(x)
    assert torch.allclose(fitted.inverse_transform(fitted.transform(x)), x, rtol=0, atol=1e-12)
    normal = torch.from_numpy(stats.norm.ppf((np.arange(50_000) + 0.5) / 50_000)).reshape(1, 1, -1)
    drawn = fitted.inverse_transform(normal)
    for value in (-1.0, 0.25, 1.5):
        share = float((drawn == value).double().mean()), float((x == value).double().mean())
        assert abs(share[0] - share[1]) < 1e-4
    assert float(drawn.min()) == -1.0 and float(drawn.max()) == 1.5


def test_values_between_atoms_invert_though_never_seen() -> None:
    """Whole numbers of which 3 is missing in training: a 3 is given back all the same."""
    column = np.random.default_rng(2).choice([0.0, 1, 2, 4, 5], N)
    fitted = QuantilePreprocessor(snap=False).fit(series(column))
    x = torch.tensor([[[0.0, 3.0, 2.5, 4.0]]], dtype=torch.float64)
    assert torch.allclose(fitted.inverse_transform(fitted.transform(x)), x, atol=1e-9)


def test_the_same_value_has_the_same_image_wherever_it_stands() -> None:
    """Series that rest on an atom rest in z, whatever surrounds them."""
    fitted = QuantilePreprocessor().fit(series(rain()))
    x = series(rain(5))
    turned = fitted.transform(x.flip(2)).flip(2)
    assert torch.equal(turned, fitted.transform(x))


def test_float32_data_hit_their_atoms() -> None:
    column = np.random.default_rng(3).choice([0.1, 0.2, 0.7], N)
    x = series(column).float()
    fitted = QuantilePreprocessor().fit(x)
    assert torch.equal(fitted.inverse_transform(fitted.transform(x)), x)
    assert fitted.transform(x).unique().numel() == 3


def test_missing_values_are_not_learned_from() -> None:
    x = series(rain())
    valid = torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.7
    fitted = QuantilePreprocessor().fit(torch.where(valid, x, 1e6), valid)
    mass = float((x[valid] == 0).double().mean())
    z = fitted.transform(x, Condition(valid=valid))
    assert torch.allclose(z[valid & (x == 0)], torch.tensor(stats.norm.ppf(mass / 2)), atol=1e-12)
    assert float(fitted.normal.knots_[0, :, 0].max()) < 1e3


def test_gradients_are_the_slope_where_it_is_continuous_and_finite_in_atoms() -> None:
    fitted = QuantilePreprocessor().fit(series(rain()))
    z = torch.tensor([[[-2.0, -0.5, 0.1, 0.6, 1.2, 2.0]]], dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(fitted.inverse_transform(z).sum(), z)
    h = 1e-6
    with torch.no_grad():
        measured = (fitted.inverse_transform(z + h) - fitted.inverse_transform(z - h)) / (2 * h)
    assert torch.allclose(slope[..., 3:], measured[..., 3:], rtol=1e-6)
    assert torch.equal(measured[..., :3], torch.zeros(1, 1, 3, dtype=torch.float64))
    assert bool((slope[..., :3] > 1e-3).all())
    x = fitted.inverse_transform(z).detach().requires_grad_()
    (there,) = torch.autograd.grad(fitted.transform(x).sum(), x)
    assert torch.allclose(there[..., 3:] * slope[..., 3:], torch.ones(1, 1, 3, dtype=torch.float64))


def test_gpd_tails_recover_a_pareto_law_beyond_the_data() -> None:
    """Far quantiles of a law with a known tail index: within 15 %, where `linear` is off by half."""
    law = stats.genpareto(0.3)
    column = law.ppf((np.arange(N) + 0.5) / N)
    np.random.default_rng(4).shuffle(column)
    z = torch.tensor([[[stats.norm.isf(1e-5)]]], dtype=torch.float64)
    errors = {}
    for tails in ("linear", "gpd"):
        fitted = QuantilePreprocessor(tails=tails, tail=0.05).fit(series(column))
        errors[tails] = float(fitted.inverse_transform(z)) / law.isf(1e-5) - 1
    assert abs(errors["gpd"]) < 0.15 and errors["linear"] < -0.4


def test_gpd_tails_invert_and_join() -> None:
    x = series(np.random.default_rng(5).standard_t(4, size=N))
    fitted = QuantilePreprocessor(tails="gpd", tail=0.05).fit(x)
    for y in (x, 3 * x):
        assert torch.allclose(fitted.inverse_transform(fitted.transform(y)), y, rtol=1e-7, atol=1e-9)
    values, scores = fitted.normal.knots_[0, :, :2].unbind(1)
    assert bool((values.diff() > 0).all()) and bool((scores.diff() > 0).all())
    z = fitted.transform(x)
    assert abs(float((z.abs() > stats.norm.isf(0.05)).double().mean()) - 0.1) < 1e-3


def test_gpd_leaves_the_side_of_an_atom_as_it_is() -> None:
    x = series(rain())
    gpd, linear = (QuantilePreprocessor(tails=tails).fit(x) for tails in ("gpd", "linear"))
    z = torch.tensor([[[-4.0, -1.0, 0.0, 1.0]]], dtype=torch.float64)
    assert torch.equal(gpd.inverse_transform(z), linear.inverse_transform(z))
    assert not torch.equal(gpd.inverse_transform(z + 3), linear.inverse_transform(z + 3))


def test_gpd_needs_rows_in_the_tail() -> None:
    with pytest.raises(DataError, match="tails: gpd needs 20 different rows"):
        QuantilePreprocessor(tails="gpd", tail=0.02).fit(series(np.random.default_rng(0).normal(size=400)))


def test_atom_says_how_much_mass_makes_one() -> None:
    r = np.random.default_rng(6)
    column = r.normal(size=N)
    column[r.random(N) < 0.03] = 0.5
    x = series(column)
    z = torch.tensor([[[stats.norm.ppf((column < 0.5).mean() + 0.002)]]], dtype=torch.float64)
    assert float(QuantilePreprocessor(atom=0.02).fit(x).inverse_transform(z)) == 0.5
    assert float(QuantilePreprocessor(atom=0.1).fit(x).inverse_transform(z)) != 0.5


def test_raws_quantile_is_this_one() -> None:
    x = series(rain())
    ours, raws = QuantilePreprocessor().fit(x), RawPreprocessor(method="quantile").fit(x)
    assert torch.equal(ours.transform(x), raws.transform(x))
    assert ours.notes() == raws.notes() == ["column 1: not below 0"]


def test_log_det_is_of_the_density() -> None:
    """−½z² + log|dz/dx| integrates to 1 over a continuous marginal."""
    x = series(np.random.default_rng(7).gamma(3.0, size=N))
    fitted = QuantilePreprocessor().fit(x)
    grid = torch.linspace(-3, 30, 60_001, dtype=torch.float64).reshape(-1, 1, 1)
    log_density = -0.5 * fitted.transform(grid).flatten() ** 2 - 0.5 * math.log(2 * math.pi)
    total = torch.trapezoid((log_density + fitted.log_det(grid)).exp(), grid.flatten())
    assert abs(float(total) - 1) < 5e-3


def test_few_knots_make_a_smooth_map_that_inverts() -> None:
    """Between its knots the map is straight: equal steps in x are equal steps in z."""
    x = torch.from_numpy(np.random.default_rng(0).gamma(2.0, size=(50, 1, 20)))
    fitted = QuantilePreprocessor(knots=9, snap=False).fit(x)
    assert torch.allclose(fitted.inverse_transform(fitted.transform(x)), x, atol=1e-9)
    even = torch.linspace(float(x.min()), float(x.max()), 2001, dtype=torch.float64)[None, None]
    slopes = fitted.transform(even).diff(dim=-1)[0, 0]
    kinks = (slopes.diff().abs() > 1e-6 * slopes[1:].abs()).sum()
    assert kinks <= 2 * 9
    assert stats.kstest(fitted.transform(x).ravel().numpy(), "norm").statistic < 0.05


def test_a_column_that_wanders_keeps_to_a_straight_line() -> None:
    """Steps of a path have one size in z at every level; noise beside it still becomes normal."""
    r = np.random.default_rng(3)
    path = np.concatenate((np.linspace(0, 1, 3500), np.linspace(1, 9, 500))) + 0.01 * r.normal(size=N)
    x = torch.from_numpy(np.stack((path, r.gamma(1.0, size=N)))).reshape(2, 200, 20).transpose(0, 1)
    bent, straight = QuantilePreprocessor(knots=33), QuantilePreprocessor(knots=33, wander=0.1)
    steps = [fitted.fit(x).transform(x)[:, 0].diff(dim=-1).flatten().abs() for fitted in (bent, straight)]
    sizes = [float(s[3400:].median() / s[:3200].median()) for s in steps]
    original = x[:, 0].diff(dim=-1).flatten().abs()
    expected = float(original[3400:].median() / original[:3200].median())
    assert sizes[1] == pytest.approx(expected, rel=1e-9)
    assert sizes[0] < 0.7 * expected
    z = straight.transform(x)
    assert abs(float(z[:, 0].mean())) < 1e-9 and float(z[:, 0].std(correction=0)) == pytest.approx(1.0)
    assert torch.equal(z[:, 1], bent.transform(x)[:, 1])
    assert torch.allclose(straight.inverse_transform(z), x, atol=1e-12)
