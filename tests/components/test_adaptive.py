"""The adaptive noise: even loss, and a scale that the history sets."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch

from tests.components.test_correlated import ar1
from undula import DiffusionModel
from undula.core.condition import Condition
from undula.core.errors import ConfigError, DataError, IncompatibleError
from undula.core.noise import BaseNoise, Warp
from undula.core.registry import Registry
from undula.core.sde import BaseSDE
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.path import GaussianPath
from undula.diffusion.warp import LinearWarp, make_warp

SDES = ("vpsde", "rectified", "vesde")
PHI, LENGTH = 0.95, 16


def adaptive(**params: object) -> BaseNoise:
    return Registry.get("noise", "adaptive", **params)


def exact_denoiser(sde: BaseSDE) -> GaussianDenoiser:
    steps = torch.arange(LENGTH, dtype=torch.float64)
    path = GaussianPath(sde=sde, noise=Registry.get("noise", "standard"))
    return GaussianDenoiser(path, torch.zeros(1, LENGTH).double(), PHI ** (steps[:, None] - steps).abs())


def loss_per_slice(sde: BaseSDE, warp: Warp, slices: int = 16) -> torch.Tensor:
    """What each of equal slices of u adds to the exact denoiser's error E‖x_0 − D‖²; mean 1."""
    u = torch.linspace(0, 1, slices + 1, dtype=torch.float64)
    levels = sde.levels(sde.t_min + (1 - sde.t_min) * warp(u))
    rise = torch.tensor([exact_denoiser(sde).residual_variance(level) for level in levels]).diff()
    return rise / rise.mean()


@pytest.mark.parametrize("sde", SDES)
def test_loss_is_even_under_the_fitted_warp(sde: str) -> None:
    """Within 3 % a slice, for an exact denoiser that the fit has never seen; linear time is far from it."""
    chosen = Registry.get("sde", sde)
    noise = adaptive(floor=0.0).fit(ar1(4000, LENGTH, PHI), chosen)
    even = loss_per_slice(chosen, noise.warp)
    linear = loss_per_slice(chosen, LinearWarp())
    assert float((even - 1).abs().max()) < 0.03, even
    assert float(linear.max() / linear.min()) > 4, linear


def test_floor_keeps_every_level_in_practice() -> None:
    """No slice costs more than 1/(1 − floor) of the mean, and u'(t) is at least the floor."""
    sde = Registry.get("sde", "vpsde")
    noise = adaptive(floor=0.3).fit(ar1(4000, LENGTH, PHI), sde)
    assert float(loss_per_slice(sde, noise.warp).max()) < 1.03 / 0.7
    slope = noise.warp.slope(torch.linspace(0.001, 0.999, 500, dtype=torch.float64))
    assert float(slope.max()) < 1.001 / 0.3
    bare = adaptive(floor=0.0).fit(ar1(4000, LENGTH, PHI), sde)
    assert float(bare.warp.slope(torch.tensor([0.9999]).double())) > 20


def test_large_windows_are_cut() -> None:
    """Windows of 3000 steps give nearly the spectrum, hence nearly the warp, of their pieces."""
    sde = Registry.get("sde", "vpsde")
    long = adaptive().fit(ar1(60, 3000, 0.9), sde)
    short = adaptive().fit(ar1(2000, 100, 0.9), sde)
    u = torch.linspace(0, 1, 33, dtype=torch.float64)
    assert torch.allclose(long.warp(u), short.warp(u), atol=0.005)


def test_missing_elements_are_zeros() -> None:
    """Values that do not exist cannot sway the warp."""
    z, valid = ar1(300, LENGTH, PHI), torch.rand(300, 1, LENGTH) < 0.8
    sde = Registry.get("sde", "vpsde")
    one = adaptive().fit(z, sde, Condition(valid=valid))
    other = adaptive().fit(torch.where(valid, z, 1e3), sde, Condition(valid=valid))
    assert torch.equal(one.knots_, other.knots_)


def history(*spreads: float) -> torch.Tensor:
    """Histories (B, 1, 4) of these standard deviations and another mean each."""
    unit = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    return torch.stack([unit * spread + 10 * k for k, spread in enumerate(spreads)])[:, None]


def test_scale_follows_the_history() -> None:
    """c² = r²/mean r², r = sd/typical in [¼, 4]; the past is in the user's units, NaN where missing."""
    past = history(1.0, 2.0, 0.5, 1.0, 1.0)
    past = torch.cat((past, torch.full((1, 1, 4), math.nan)))
    z, condition = ar1(6, 8, 0.5), Condition(past=past)
    noise = adaptive(scale="history", schedule="linear").fit(z, Registry.get("sde", "vpsde"), condition)
    mean_square = (1 + 4 + 0.25 + 1 + 1) / 5
    expected = torch.tensor([1, 4, 0.25, 1, 1, mean_square], dtype=torch.float64) / mean_square
    ones = torch.ones(6, 1, 8).double()
    assert torch.allclose(noise.apply(ones, condition)[:, 0, 0], expected, rtol=1e-12)
    new = history(100.0, 0.0, 3.0)
    new[2, 0, 1:3] = math.nan  # two values remain, 23 and 17
    found = noise.apply(ones[:3], Condition(past=new))[:, 0, 0] * mean_square
    assert torch.allclose(found, torch.tensor([16.0, 1 / 16, 9.0]).double(), rtol=1e-9)
    dropped = condition.drop("history", torch.tensor([True, False, False, False, False, False]))
    assert float(noise.apply(ones, dropped)[0, 0, 0]) == 1.0
    assert torch.equal(noise.apply(ones), ones)
    assert torch.allclose(noise.log_det(1, 8, condition), 8 * expected.log(), rtol=1e-9)


def test_features_count_by_their_own_units() -> None:
    """A feature in units a thousand times larger changes nothing: spreads are relative, a feature each."""
    past = torch.cat((history(1.0, 2.0, 0.5), history(3.0, 1.0, 1.0)), 1)
    z, sde = ar1(3, 8, 0.5), Registry.get("sde", "vpsde")
    scaled = past * torch.tensor([1.0, 1000.0]).double()[:, None]
    found = [
        adaptive(scale="history").fit(z, sde, Condition(past=p)).colour(z, Condition(past=p))
        for p in (past, scaled)
    ]
    assert torch.allclose(*found, rtol=1e-9)


def test_warp_is_that_of_the_scaled_series() -> None:
    """With a scale from the history the loss is that of z/c."""
    z, sde = ar1(4000, 8, 0.9), Registry.get("sde", "vpsde")
    spreads = torch.linspace(0.5, 2.0, 4000, dtype=torch.float64)
    condition = Condition(past=history(1.0) * spreads[:, None, None])
    relative = spreads / spreads.log().mean().exp()
    c = relative / relative.square().mean().sqrt()
    scaled = adaptive(scale="history").fit(z * c[:, None, None], sde, condition)
    assert torch.allclose(scaled.knots_, adaptive().fit(z, sde).knots_, atol=1e-9)


def test_scale_that_hides_too_little_is_refused() -> None:
    """Large series after calm histories: z²/c² beyond what the path destroys."""
    z, sde = torch.ones(4, 1, 8).double(), Registry.get("sde", "vpsde", beta_max=9.5)
    calm = Condition(past=history(0.3, 1.0, 2.0, 3.0))
    with pytest.raises(IncompatibleError, match=r"still visible.*use scale: none, or let the sde"):
        adaptive(scale="history").fit(z, sde, calm)
    adaptive(scale="history").fit(z, Registry.get("sde", "vpsde"), calm)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"schedule": "linear"}, "adapts to nothing"),
        ({"schedule": "cosine", "scale": "history", "floor": 0.2}, "floor has no effect"),
        ({"schedule": [0.0, 0.9, 0.5, 1.0], "scale": "history"}, "rise strictly"),
        ({"schedule": "even"}, "schedule"),
        ({"floor": 1.0}, "floor"),
    ],
)
def test_wrong_options_are_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        adaptive(**params)


def test_a_fixed_schedule_stays() -> None:
    noise = adaptive(schedule="cosine", scale="history")
    noise.fit(ar1(6, 8, 0.5), Registry.get("sde", "vpsde"), Condition(past=history(1, 2, 3, 4, 5, 6)))
    u = torch.linspace(0, 1, 9, dtype=torch.float64)
    assert torch.equal(noise.warp(u), make_warp("cosine")(u))
    assert "knots_" not in noise.state


def test_histories_are_needed() -> None:
    z, sde = ar1(3, 8, 0.5), Registry.get("sde", "vpsde")
    noise = adaptive(scale="history")
    with pytest.raises(IncompatibleError, match=r"needs a history: set data\.history_len"):
        noise.fit(z, sde)
    with pytest.raises(DataError, match="all constant or missing"):
        noise.fit(z, sde, Condition(past=history(0.0, 0.0, 0.0)))
    with pytest.raises(ConfigError, match="has not seen data"):
        adaptive(scale="history").colour(z, Condition(past=history(1.0, 1.0, 1.0)))


TINY = {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 8}}


def returns(rows: int = 600) -> pd.DataFrame:
    generator = np.random.default_rng(0)
    volatility = np.exp(np.sin(np.arange(rows) / 40))
    return pd.DataFrame({"r": generator.normal(size=rows) * volatility})


UNIFORM = {"type": "flow_matching", "params": {"density": "uniform"}}


def model(**params: object) -> DiffusionModel:
    return DiffusionModel(
        **{
            "architecture": TINY,
            "noise": {"type": "adaptive", "params": {"scale": "history"}},
            "objective": UNIFORM,
            "data": {"predict_len": 8, "history_len": 12},
            "training": {"max_steps": 2, "batch_size": 16},
            **params,
        }
    )


def test_a_whole_model_is_scaled_by_its_history(tmp_path: object) -> None:
    """Windows after wild histories start from more noise; what was learned is in the model's file."""
    fitted = model().fit(returns())
    given = returns().iloc[:12]
    samples = fitted.sample(3, seed=1, given=given)
    assert not np.allclose(samples, fitted.sample(3, seed=1, given=given * 3))
    assert np.isfinite(fitted.sample(3, unconditional=True)).all()
    fitted.save(str(tmp_path))
    loaded = DiffusionModel.load(str(tmp_path))
    assert np.array_equal(loaded.sample(3, seed=1, given=given), samples)
    assert torch.equal(loaded.parts_.noise.knots_, fitted.parts_.noise.knots_)


def test_times_are_chosen_once() -> None:
    """A logit-normal density on top of a fitted warp starves both ends: refused before any data."""
    with pytest.raises(IncompatibleError, match="chooses them once more: use density: uniform"):
        model(objective="flow_matching").compose()
    fixed = {"type": "adaptive", "params": {"scale": "history", "schedule": "linear"}}
    model(objective="flow_matching", noise=fixed).compose()
    model(objective="edm", sde="vpsde").compose()


def test_a_warp_that_nothing_feels_is_refused() -> None:
    """Before any data are seen."""
    idle = {
        "objective": {"type": "edm"},
        "sde": "vpsde",
        "sampler": {"type": "heun", "params": {"grid": "karras"}},
    }
    with pytest.raises(IncompatibleError, match="it would do nothing"):
        model(**idle).compose()
    fixed = {"type": "adaptive", "params": {"scale": "history", "schedule": "linear"}}
    model(**idle, noise=fixed).compose()


@pytest.mark.parametrize("sde", SDES)
def test_the_fitted_warp_places_steps_better(sde: str) -> None:
    """20 steps of Heun on the exact denoiser: the covariance's error falls by a quarter at the least."""
    chosen, exact = Registry.get("sde", sde), exact_denoiser(Registry.get("sde", sde))
    sampler, errors = Registry.get("sampler", "heun", num_steps=20), []
    for noise in (Registry.get("noise", "standard"), adaptive().fit(ar1(4000, LENGTH, PHI), chosen)):
        exact.path = GaussianPath(sde=chosen, noise=noise)
        levels = sampler.levels(exact.path)
        start = float(levels[0].sigma) * torch.eye(LENGTH, dtype=torch.float64)[:, None]
        image = sampler.integrate(exact, start, levels)[:, 0]
        errors.append(float(torch.linalg.norm(image.mT @ image - exact.covariance)))
    assert errors[1] < 0.75 * errors[0], errors
