"""What each baseline keeps of the training data, and what it loses."""

from __future__ import annotations

import numpy as np
import pytest

from undula.core.errors import DataError
from undula.core.registry import Registry
from undula.evaluation.statistics import autocorrelation


@pytest.fixture(scope="module")
def series() -> list[np.ndarray]:
    """An AR(1) column and a heavy-tailed one, in two stretches of distinct numbers."""
    rng = np.random.default_rng(0)
    found = []
    for n in (4000, 2500):
        x = np.empty(n)
        x[0] = rng.normal()
        for t in range(1, n):
            x[t] = 0.9 * x[t - 1] + np.sqrt(1 - 0.81) * rng.normal()
        found.append(np.stack([x, rng.standard_t(3, n)], axis=1))
    return found


def windows(name: str, series: list[np.ndarray], n: int = 3000, **params: object) -> np.ndarray:
    return Registry.get("baseline", name, **params).fit(series, 20).sample(n, seed=1)


def test_the_gaussian_has_all_second_moments_and_no_tails(series: list[np.ndarray]) -> None:
    x = windows("gaussian", series)
    rho = autocorrelation(x[:, :, 0])
    assert rho == pytest.approx(0.9 ** np.arange(1, 11), abs=0.06)
    heavy = x[:, :, 1] / x[:, :, 1].std()
    assert (heavy**4).mean() == pytest.approx(3.0, abs=0.15)


def test_the_iid_bootstrap_draws_rows_and_forgets_order(series: list[np.ndarray]) -> None:
    x = windows("iid_bootstrap", series)
    rows = {tuple(row) for stretch in series for row in stretch}
    assert {tuple(row) for row in x.reshape(-1, 2)} <= rows
    assert np.abs(autocorrelation(x[:, :, 0])).max() < 0.03


def test_the_block_bootstrap_joins_stretches_of_geometric_length(series: list[np.ndarray]) -> None:
    x = windows("block_bootstrap", series, block_length=8)
    whole = np.concatenate(series)
    place = {tuple(row): i for i, row in enumerate(whole)}
    places = np.array([[place[tuple(row)] for row in window] for window in x])
    goes_on = np.diff(places, axis=1) == 1
    assert goes_on.mean() == pytest.approx(1 - 1 / 8, abs=0.01)
    assert not ((places[:, :-1] == len(series[0]) - 1) & goes_on).any()


def test_missing_rows_are_not_drawn(series: list[np.ndarray]) -> None:
    holed = [s.copy() for s in series]
    holed[0][::7] = np.nan
    for name in ("iid_bootstrap", "block_bootstrap"):
        assert np.isfinite(windows(name, holed, n=200)).all()


def test_a_gaussian_needs_a_stretch_of_a_window(series: list[np.ndarray]) -> None:
    with pytest.raises(DataError, match="gaussian needs a training stretch of 9,000 rows"):
        Registry.get("baseline", "gaussian").fit(series, 9000)


def test_the_autoencoder_has_scales_that_differ_between_windows() -> None:
    rng = np.random.default_rng(1)
    calm_and_stormy = np.repeat(rng.choice([0.3, 3.0], size=150), 40)
    stretch = [5.0 + (calm_and_stormy * rng.normal(size=6000))[:, None]]
    x = windows("vae", stretch, latent_dim=2, hidden_dim=32, steps=300, learning_rate=3e-3, kl_warmup=0)
    spread = np.log(x[:, :, 0].std(1))
    assert x.mean() == pytest.approx(5.0, abs=0.2)
    assert x.std() == pytest.approx(stretch[0].std(), rel=0.25)
    assert spread.std() > 0.4  # a Gaussian of the same windows: 0.16


def test_timevae_has_trends_and_seasons_and_is_smooth_as_published() -> None:
    rng = np.random.default_rng(2)
    t = np.arange(4000)
    stretch = [(np.sin(2 * np.pi * t / 5) + 0.3 * rng.normal(size=4000))[:, None]]
    options = {"latent_dim": 2, "hidden_dim": 16, "encoder": "mlp", "steps": 400, "learning_rate": 5e-3}
    smooth = windows("timevae", stretch, seasons=[5], **options)[:, :, 0]
    noisy = windows("timevae", stretch, seasons=[5], decoder_noise=True, **options)[:, :, 0]
    assert np.corrcoef(smooth[:, :-5].ravel(), smooth[:, 5:].ravel())[0, 1] > 0.9
    assert noisy.std() == pytest.approx(stretch[0].std(), rel=0.1)
    assert 0.25 < (noisy - smooth).std() < 0.6


def test_an_autoencoder_needs_a_whole_window(series: list[np.ndarray]) -> None:
    with pytest.raises(DataError, match="vae needs a training stretch of 9,000 rows"):
        Registry.get("baseline", "vae").fit(series, 9000)


def test_the_block_bootstrap_shrinks_autocovariances_by_the_chance_of_no_jump(
    series: list[np.ndarray],
) -> None:
    """Politis and Romano: rows at lag k come from one stretch with probability (1 − 1/b)^k."""
    x = windows("block_bootstrap", [series[0]], n=20_000, block_length=8)[:, :, 0]
    data = series[0][:, 0]
    for k in (1, 3, 6):
        c = np.mean((data[:-k] - data.mean()) * (data[k:] - data.mean()))
        found = np.mean((x[:, :-k] - data.mean()) * (x[:, k:] - data.mean()))
        assert found == pytest.approx(c * (1 - 1 / 8) ** k, abs=0.03)


def test_the_optimal_length_grows_with_dependence() -> None:
    rng = np.random.default_rng(0)
    white = rng.normal(size=(3000, 1))
    slow = white.copy()
    for t in range(1, len(slow)):
        slow[t] += 0.95 * slow[t - 1]
    lengths = []
    for x in (white, slow):
        fitted = Registry.get("baseline", "block_bootstrap", block_length="optimal").fit([x], 10)
        lengths.append(float(fitted.notes()[0].split()[2]))
    assert 1.0 <= lengths[0] < 8 < 20 < lengths[1]
    with pytest.raises(
        DataError, match="block_length: optimal needs 50 training rows, there are 30: give a number"
    ):
        Registry.get("baseline", "block_bootstrap", block_length="optimal").fit([white[:30]], 10)


def test_a_stretch_must_be_a_table() -> None:
    with pytest.raises(DataError, match=r"gaussian: a training stretch has shape \(20,\): expected \(T, C\)"):
        Registry.get("baseline", "gaussian").fit([np.zeros(20)], 5)
