"""The probe's figures: errors by quantile, statistics of sets, distances of latents."""

from __future__ import annotations

import numpy as np
import pytest

from undula.evaluation.bottleneck import (
    PROBED,
    Bottleneck,
    Units,
    latent_mismatch,
    probe_bands,
    probe_statistics,
)
from undula.report.bottleneck import probe_lines, probe_rows


def test_bands_hold_the_errors_of_their_quantiles() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2000, 10, 1))
    (bands,) = probe_bands(x, 0.5 * x)  # error −x/2: largest in the tails, biased towards the middle
    assert [b.low for b in bands] == [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999]
    assert bands[0].bias > 1.5 and bands[-1].bias < -1.5
    inside = x[(x > np.quantile(x, 0.9)) & (x < np.quantile(x, 0.99))]
    assert bands[5].rmse == pytest.approx(0.5 * np.sqrt((inside**2).mean()), rel=1e-3)
    assert bands[5].bias == pytest.approx(-0.5 * inside.mean(), rel=1e-3)
    (exact,) = probe_bands(x, x)
    assert all(b.rmse == 0 for b in exact)


def test_statistics_are_by_set_and_column() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(500, 20, 2)) * [1.0, 5.0]
    found = probe_statistics({"data": x, "mean": 2 * x})
    assert found["data"].keys() == set(PROBED)
    assert found["data"]["std"] == pytest.approx([1.0, 5.0], rel=0.03)
    assert found["mean"]["std"] == pytest.approx([2.0, 10.0], rel=0.03)


def test_mismatch_of_latents() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(4000, 3))
    mix = np.array([[1.0, 0.8, 0.0], [0.0, 0.6, 0.0], [0.0, 0.0, 1.0]])
    same = latent_mismatch(a, rng.normal(size=(4000, 3)))
    assert same["wasserstein"] < 0.05 and same["correlation"] < 0.05
    moved = latent_mismatch(a + 2.0, a)
    assert moved["wasserstein"] == pytest.approx(2.0, rel=0.05) and moved["correlation"] == pytest.approx(0.0)
    assert latent_mismatch(a @ mix, a)["correlation"] == pytest.approx(0.8 / np.sqrt(3), abs=0.03)
    assert latent_mismatch(10.0 * a + 20.0, 10.0 * a)["wasserstein"] == pytest.approx(2.0, rel=0.05)
    assert latent_mismatch(a[:, :1], a[:, :1])["correlation"] == 0.0


def probe(posterior: float) -> Bottleneck:
    numbers = {"data": 5.0, "mean": 30.0, "posterior": posterior, "prior": 1.0}
    sets = {"training": {who: {name: [value] for name in PROBED} for who, value in numbers.items()}}
    bands = probe_bands(np.arange(100.0).reshape(10, 10, 1), np.zeros((10, 10, 1)))
    return Bottleneck(["price"], Units(2, 3, [1.5, 0.5, 0.0], [1.0, 1.0, 1.0]), sets, bands, "test part", 100)


def test_words_say_what_no_diffusion_repairs() -> None:
    lost = probe_lines(probe(posterior=3.0))
    assert (
        lost[0]
        == "bottleneck probe: 2 of 3 latent units are active, 2 nats a window; nats a unit: 1.5, 0.5, 0"
    )
    assert "repairs: kurtosis 3 instead of 5; " in lost[-1]
    assert "over the prior: kurtosis from 1 to 3; " in lost[-1]
    kept = probe_lines(probe(posterior=5.2))
    assert "repairs: nothing that is probed here." in kept[-1]
    assert probe_rows(probe(5.0))[0][:2] == ["part", "windows"]
    assert len({len(row) for row in probe_rows(probe(5.0))}) == 1


def test_numbers_that_are_not_finite_become_null() -> None:
    found = probe(posterior=float("nan")).as_json()
    assert found["sets"]["training"]["posterior"]["std"] == [None]
    assert found["units"]["kl"] == [1.5, 0.5, 0.0]
