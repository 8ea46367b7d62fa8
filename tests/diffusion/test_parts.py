"""Warps, densities, weights, paths, parametrizations: what the laws do not reach."""

from __future__ import annotations

import math

import pytest
import torch

from undula.core.errors import ConfigError, IncompatibleError
from undula.core.randomness import Stream
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.density import make_density
from undula.diffusion.objective import refuse_idle_warp
from undula.diffusion.parametrization import Parametrization
from undula.diffusion.path import GaussianPath
from undula.diffusion.sampler import time_grid
from undula.diffusion.warp import make_warp
from undula.diffusion.weighting import minus_snr_slope, weight_on_prediction

from ..golden.problems import SDES, ColouredNoise, path_of

T = torch.linspace(0.1, 0.9, 9, dtype=torch.float64)


def test_warps_have_their_formulas() -> None:
    u = torch.tensor([0.25], dtype=torch.float64)
    assert float(make_warp("linear")(u)) == 0.25
    assert float(make_warp("cosine")(u)) == pytest.approx(math.sin(math.pi / 8) ** 2)
    logistic = [1 / (1 + math.exp(-x)) for x in (-1.5, -3.0, 3.0)]
    expected = (logistic[0] - logistic[1]) / (logistic[2] - logistic[1])
    assert float(make_warp("sigmoid")(u)) == pytest.approx(expected)
    assert float(make_warp((0.0, 0.2, 1.0))(u)) == pytest.approx(0.1)


@pytest.mark.parametrize("values", [(0.0, 1.0, 0.5), (0.1, 1.0), (0.0,), (0.0, 0.5, 0.5, 1.0)])
def test_a_fitted_warp_must_rise(values: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="rise strictly from 0 to 1"):
        make_warp(values)


def test_the_warp_moves_training_times_and_grids() -> None:
    plain, warped = path_of("vpsde"), path_of("vpsde", Registry.get("noise", "standard", schedule="cosine"))
    q = torch.tensor([0.25], dtype=torch.float64)
    t_min = plain.sde.t_min
    warp = math.sin(math.pi / 8) ** 2
    assert float(make_density("uniform", plain).quantile(q)) == pytest.approx(t_min + (1 - t_min) * 0.25)
    assert float(make_density("uniform", warped).quantile(q)) == pytest.approx(t_min + (1 - t_min) * warp)
    assert not torch.allclose(time_grid(plain, 9, "uniform"), time_grid(warped, 9, "uniform"))
    assert torch.allclose(time_grid(plain, 9, "karras"), time_grid(warped, 9, "karras"))


def test_a_warp_without_effect_is_refused() -> None:
    path = path_of("vpsde", Registry.get("noise", "standard", schedule="cosine"))
    edm, flow = Registry.get("objective", "edm"), Registry.get("objective", "flow_matching")
    with pytest.raises(IncompatibleError, match="would do nothing"):
        refuse_idle_warp(edm, False, path)
    refuse_idle_warp(edm, True, path)
    refuse_idle_warp(flow, False, path)


@pytest.mark.parametrize("sde", SDES)
def test_grids_are_uniform_in_their_variable(sde: str) -> None:
    path = path_of(sde)
    log_snr = path.sde.log_snr(time_grid(path, 12, "log_snr"))
    steps = log_snr.diff()
    assert torch.allclose(steps, steps.mean().expand_as(steps), rtol=1e-6)
    rooted = torch.exp(-0.5 * path.sde.log_snr(time_grid(path, 12, "karras", rho=5.0)) / 5.0)
    steps = rooted.diff()
    assert torch.allclose(steps, steps.mean().expand_as(steps), rtol=1e-6)
    for grid in ("uniform", "log_snr", "karras"):
        times = time_grid(path, 12, grid)
        assert bool((times.diff() < 0).all())
        assert float(times[-1]) == path.sde.t_min


def test_a_grid_in_log_snr_cannot_start_where_it_is_infinite() -> None:
    sampler = Registry.get("sampler", "ddim", grid="karras", t_max=1.0)
    with pytest.raises(IncompatibleError, match=r"0\.999"):
        sampler.check(path_of("rectified"))
    sampler.check(path_of("vpsde"))


def test_t_max_is_where_the_grid_starts() -> None:
    path = path_of("rectified")
    for grid in ("uniform", "karras", "log_snr"):
        assert float(time_grid(path, 5, grid, t_max=0.7)[0]) == pytest.approx(0.7)


def test_stratified_times_fill_every_slice() -> None:
    path = path_of("rectified")
    density = make_density("stratified", path)
    t = density.draw(Stream(0, "t"), 3, torch.arange(50), 50)
    slices = ((t - path.sde.t_min) / (1 - path.sde.t_min) * 50).long()
    assert slices.tolist() == list(range(50))


def test_log_normal_times_have_their_moments() -> None:
    """log(σ/α) is N(mean, std²) where the path's range does not cut it."""
    path = path_of("vesde")
    t = make_density("log_normal", path, -0.3, 0.6).quantile(torch.linspace(0.0005, 0.9995, 2000).double())
    log_sigma = path.sde.sigma(t).log()
    assert float(log_sigma.mean()) == pytest.approx(-0.3, abs=0.01)
    assert float(log_sigma.std()) == pytest.approx(0.6, abs=0.01)


def test_logit_normal_times_have_their_moments() -> None:
    path = path_of("rectified")
    t = make_density("logit_normal", path, 0.4, 0.8).quantile(torch.linspace(0.0005, 0.9995, 2000).double())
    logit = torch.logit((t - path.sde.t_min) / (1 - path.sde.t_min))
    assert float(logit.mean()) == pytest.approx(0.4, abs=0.01)
    assert float(logit.std()) == pytest.approx(0.8, abs=0.01)


def test_a_density_without_parameters_takes_none() -> None:
    with pytest.raises(ConfigError, match="has no density_mean"):
        make_density("uniform", path_of("vpsde"), mean=0.0)


@pytest.mark.parametrize("sde", SDES)
def test_snr_slope_is_the_derivative(sde: str) -> None:
    path, h = path_of(sde), 1e-6
    snr = [torch.exp(path.sde.log_snr(T + s * h)) for s in (1, -1)]
    expected = -(snr[0] - snr[1]) / (2 * h)
    assert torch.allclose(minus_snr_slope(path.level(T)).flatten(), expected, rtol=1e-5)


@pytest.mark.parametrize("sde", ["vpsde", "subvpsde", "vesde"])
def test_weights_have_their_formulas(sde: str) -> None:
    """`snr` is 1 on ε's error, `edm` 1 on edm's own, `likelihood` integrates −½ SNR'."""
    path = path_of(sde)
    level = path.level(T)
    density = make_density("log_snr", path)
    c_out = {p: Parametrization(prediction=p, s=0.7)(level).c_out for p in ("eps", "edm", "x0", "v")}

    def weight(name: str, prediction: str) -> torch.Tensor:
        return weight_on_prediction(name, level, c_out[prediction], density=density, s=0.7, gamma=4.0)

    one = torch.ones_like(c_out["v"])
    assert torch.allclose(weight("snr", "eps"), one)
    assert torch.allclose(weight("edm", "edm"), one)
    assert torch.allclose(weight("uniform", "v"), one)
    assert torch.allclose(weight("uniform_x0", "v"), c_out["v"] ** 2)
    snr = (level.alpha / level.sigma) ** 2
    assert torch.allclose(weight("min_snr", "x0"), snr.clamp(max=4.0))
    # with times uniform in λ, −SNR'/p = SNR · (range of λ)
    ends = path.sde.log_snr(torch.tensor([1.0, path.sde.t_min]).double())
    width = ends[1] - max(ends[0], torch.tensor(1e-6).log())
    assert torch.allclose(weight("likelihood", "x0"), 0.5 * snr * width, rtol=1e-6)


@pytest.mark.parametrize("prediction", ["eps", "score"])
@pytest.mark.parametrize("sde", ["rectified", "cosine"])
def test_eps_needs_alpha(sde: str, prediction: str) -> None:
    with pytest.raises(IncompatibleError, match="use v, x0, velocity or edm"):
        Registry.get("objective", "score_matching", prediction=prediction).check(path_of(sde))


def test_euler_with_noise_needs_alpha_at_its_start() -> None:
    sampler = Registry.get("sampler", "euler", eta=1.0)
    with pytest.raises(IncompatibleError, match=r"t_max: 0\.999"):
        sampler.check(path_of("rectified"))
    Registry.get("sampler", "euler", eta=1.0, t_max=0.999).check(path_of("rectified"))


def test_a_path_that_keeps_the_data_is_refused() -> None:
    """T = 100 with betas to 0.02, the classic mistake: the SNR at the end is far from 0."""
    sde = Registry.get("sde", "vpsde", beta_min=0.01, beta_max=2.0)
    with pytest.raises(IncompatibleError, match="larger beta_max"):
        path_of(sde)


@pytest.mark.parametrize(
    ("alpha", "sigma", "message"),
    [
        ("1 - t + 0.3*sin(9*t)**2", "t", "falls strictly"),
        ("cos(4*t)", "t", "alpha"),
        ("1 - t", "0*t", "sigma"),
        ("1 - t", "log(t)", "sigma"),
    ],
)
def test_a_custom_sde_is_checked(alpha: str, sigma: str, message: str) -> None:
    sde = Registry.get("sde", "custom", alpha_of_t=alpha, sigma_of_t=sigma)
    with pytest.raises(IncompatibleError, match=message):
        path_of(sde)


def test_velocity_needs_a_path_that_moves_at_its_end() -> None:
    """cos² has neither height nor slope at t = 1: the velocity there says nothing of the series."""
    still = Registry.get("sde", "custom", alpha_of_t="cos(pi*t/2)**2", sigma_of_t="sin(pi*t/2)")
    with pytest.raises(IncompatibleError, match="velocity-prediction needs a path that moves at t = 1"):
        Parametrization(prediction="velocity").check(still)
    for prediction in ("v", "x0", "edm"):
        Parametrization(prediction=prediction).check(still)
    for name in SDES:
        Parametrization(prediction="velocity").check(Registry.get("sde", name))


def test_transition_composes() -> None:
    """x_t | x_s then x_s | x_0 has the moments of x_t | x_0."""
    for name in SDES:
        path = path_of(name)
        early, late = path.sde.levels(torch.tensor([0.3, 0.6]).double())
        a, v = path.transition(early, late)
        assert a * early.alpha == pytest.approx(late.alpha)
        assert a**2 * early.sigma**2 + v == pytest.approx(late.sigma**2)
        assert v > 0


def test_prior_has_the_last_levels_scale() -> None:
    """σ(1) Σ^½ white: also on sub-VP, where it is not 1, and with coloured noise."""
    x = torch.randn(3, 1, 4, dtype=torch.float64)
    noise = ColouredNoise(rho=0.5)
    for name in SDES:
        path = path_of(name, noise)
        sigma = float(path.sde.sigma(torch.ones(1).double()))
        assert torch.allclose(path.prior(x), sigma * noise.colour(x))


def test_a_level_is_returned_as_it_is() -> None:
    path, level = path_of("vpsde"), NoiseLevel(t=0.5, alpha=0.8, sigma=0.6)
    assert path.level(level) is level
    assert path.level(0.3).alpha == pytest.approx(float(path.sde.alpha(torch.tensor(0.3).double())))
    assert isinstance(path, GaussianPath)


@pytest.mark.parametrize("sde", ["vpsde", "rectified"])
def test_levels_work_without_gradients_and_in_inference(sde: str) -> None:
    path = path_of(sde)
    expected = path.sde.derivatives(T)
    with torch.no_grad():
        assert torch.equal(path.sde.derivatives(T)[0], expected[0])
    with torch.inference_mode():
        assert torch.equal(path.sde.derivatives(T.clone())[1], expected[1])


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"alpha_of_t": "1", "sigma_of_t": "t/(1-t)"}, "a finite sigma"),
        ({"alpha_of_t": "sqrt(1-t**2)", "sigma_of_t": "t"}, "a finite derivative of alpha"),
        ({"alpha_of_t": "1/0 - t", "sigma_of_t": "t"}, "a finite alpha"),
        (
            {"alpha_of_t": "1-t", "sigma_of_t": "t", "t_min": 0.0},
            r"sigma\(t\) > 0 from t_min on.*correct t_min",
        ),
    ],
)
def test_paths_that_are_not_finite_are_refused(params: dict[str, object], message: str) -> None:
    with pytest.raises(IncompatibleError, match=message):
        path_of(Registry.get("sde", "custom", **params))


@pytest.mark.parametrize("sde", ["vpsde", "subvpsde", "rectified", "cosine"])
def test_no_noise_at_t_min_is_refused(sde: str) -> None:
    with pytest.raises(IncompatibleError, match="from t_min on"):
        path_of(Registry.get("sde", sde, t_min=0.0))


def test_numbers_must_be_finite() -> None:
    with pytest.raises(ConfigError, match="beta_max = inf"):
        Registry.get("sde", "vpsde", beta_max=float("inf"))


def test_a_density_outside_the_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="no mass on this path"):
        make_density("log_normal", path_of("vesde"), mean=-30.0)


@pytest.mark.parametrize(("sde", "t_max"), [("rectified", 0.3), ("vpsde", 0.2), ("vesde", 0.1)])
def test_a_start_where_the_data_are_visible_is_refused(sde: str, t_max: float) -> None:
    with pytest.raises(IncompatibleError, match="starts from pure noise"):
        Registry.get("sampler", "ddim", t_max=t_max).check(path_of(sde))
