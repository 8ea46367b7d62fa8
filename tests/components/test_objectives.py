"""Losses and the statistic that they learn, the sigmoid weight, regularisers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import fft
from torch import Tensor

from undula.core.architecture import BaseArchitecture
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError, DataError
from undula.core.registry import Registry
from undula.diffusion.denoiser import NetDenoiser
from undula.diffusion.parametrization import Parametrization
from undula.diffusion.path import GaussianPath

from ..golden.problems import path_of


class Guess(BaseArchitecture):
    """F is one number, the same for every input."""

    condition_dropout = 0.0

    def __init__(self) -> None:
        super().__init__()
        self.value = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))

    def build(self, layout: Layout) -> None:
        pass

    def forward(self, x: Tensor, tau: Tensor, condition: Condition | None = None) -> Tensor:
        return self.value.expand_as(x)


def losses(objective: Any, guess: float, x_0: Tensor, path: GaussianPath, t: Tensor) -> Tensor:
    network = Guess()
    with torch.no_grad():
        network.value.fill_(guess)
        denoiser = NetDenoiser(network, path, Parametrization(prediction=objective.prediction))
        found: Tensor = objective.losses(denoiser, x_0, torch.zeros_like(x_0), t)
    return found


@pytest.mark.parametrize(
    ("loss", "delta", "statistic"),
    [
        ("mse", None, np.mean),
        ("l1", None, np.median),
        ("huber", 1e-3, np.median),
        ("huber", 1e3, np.mean),
        ("pseudo_huber", 1e-3, np.median),
        ("pseudo_huber", 1e3, np.mean),
    ],
)
def test_what_is_learned(loss: str, delta: float | None, statistic: Any) -> None:
    """The best guess of x_0 is its mean for squared errors, its median for absolute ones."""
    x = np.random.default_rng(0).gamma(0.7, size=4001)  # skewed: mean 0.7, median 0.4
    x_0 = torch.from_numpy(x)[:, None, None]
    t = torch.full((len(x),), 0.5, dtype=torch.float64)
    objective = Registry.get("objective", "denoising", loss=loss, **({"huber_delta": delta} if delta else {}))
    target = float(statistic(x))
    grid = target + np.linspace(-0.2, 0.2, 81)
    costs = [float(losses(objective, g, x_0, path_of("vpsde"), t).mean()) for g in grid]
    assert grid[int(np.argmin(costs))] == pytest.approx(target, abs=0.006)


@pytest.mark.parametrize("bias", [2.0, -1.0])
@pytest.mark.parametrize("sde", ["vpsde", "rectified"])
def test_sigmoid_is_a_mixture_of_bounds(sde: str, bias: float) -> None:
    """½ E_λ[s(b − λ) ‖ε − ε̂‖²]: with times uniform in λ, s(b − λ) times λ's range on ε's error."""
    path = path_of(sde)
    objective = Registry.get(
        "objective", "denoising", loss_weight="sigmoid", sigmoid_bias=bias, density="log_snr"
    )
    t = torch.tensor([0.1, 0.4, 0.8], dtype=torch.float64)
    x_0 = torch.ones(3, 1, 1, dtype=torch.float64)
    level = path.level(t)
    lam = torch.as_tensor(level.snr).log().flatten()
    eps_error = torch.as_tensor(level.snr).flatten()  # D = 0, x_0 = 1: ε̂ − ε = α/σ
    ends = path.sde.log_snr(torch.tensor([path.sde.t_min, 1.0], dtype=torch.float64))
    expected = 0.5 * (ends[0] - ends[1].clamp(min=np.log(1e-6))) / (1.0 + torch.exp(lam - bias)) * eps_error
    assert torch.allclose(losses(objective, 0.0, x_0, path, t), expected, rtol=1e-8)


def test_sigmoid_starts_as_the_bound() -> None:
    """At high noise every member counts as in the likelihood, at λ = b half as much."""
    path, x_0 = path_of("vpsde"), torch.ones(2, 1, 1, dtype=torch.float64)
    bias = 1.0
    t = torch.stack((torch.tensor(1.0).double(), path.sde.time_at(torch.tensor(bias).double())))
    sigmoid = Registry.get("objective", "denoising", loss_weight="sigmoid", sigmoid_bias=bias)
    bound = Registry.get("objective", "denoising", loss_weight="likelihood")
    ratio = losses(sigmoid, 0.0, x_0, path, t) / losses(bound, 0.0, x_0, path, t)
    assert ratio.tolist() == pytest.approx([1.0, 0.5], abs=1e-4)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("denoising", {"huber_delta": 1.0}, "huber_delta has no effect with loss 'mse'"),
        ("denoising", {"loss": "l1", "huber_delta": 1.0}, "huber_delta has no effect with loss 'l1'"),
        ("denoising", {"sigmoid_bias": 1.0}, "sigmoid_bias has no effect with loss_weight 'uniform'"),
        ("denoising", {"min_snr_gamma": 1.0}, "min_snr_gamma has no effect with loss_weight 'uniform'"),
        ("variational_bound", {"loss": "huber"}, "a likelihood is measured by squared errors"),
        ("denoising", {"regularisers": ["moment"]}, "did you mean 'moments'"),
        ("denoising", {"regularisers": [{"type": "increments", "params": {"lags": []}}]}, "needs a lag"),
        (
            "denoising",
            {"regularisers": [{"type": "spectrum", "params": {"floor": 0.1}}]},
            "floor has no effect",
        ),
    ],
)
def test_what_has_no_effect_is_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry.get("objective", name, **params)


# -- regularisers ----------------------------------------------------------------------------------


def pair() -> tuple[Tensor, Tensor]:
    return tuple(torch.randn(2, 3, 2, 12, dtype=torch.float64))  # type: ignore[return-value]


def test_moments_are_numpys() -> None:
    d, x = pair()
    d, x = d * 1.3 + 0.4, x - 0.2
    a, b = d.numpy(), x.numpy()
    expected = ((a.mean(-1) - b.mean(-1)) ** 2 + (a.std(-1) - b.std(-1)) ** 2).mean(1)
    found = Registry.get("regulariser", "moments").penalty(d, x, None)
    assert found.numpy() == pytest.approx(expected, rel=1e-6)


def test_increments_are_numpys() -> None:
    d, x = pair()
    error = (d - x).numpy()
    expected = np.mean([((error[..., k:] - error[..., :-k]) ** 2).mean((1, 2)) for k in (1, 4)], axis=0)
    found = Registry.get("regulariser", "increments", lags=[1, 4]).penalty(d, x, None)
    assert found.numpy() == pytest.approx(expected)


def test_increments_weigh_frequencies_by_four_sine_squared() -> None:
    n, frequency, lag = 4096, 40, 7
    t = torch.arange(n, dtype=torch.float64)
    d = torch.cos(2 * torch.pi * frequency * t / n)[None, None]
    found = Registry.get("regulariser", "increments", lags=[lag]).penalty(d, torch.zeros_like(d), None)
    gain = 4.0 * np.sin(np.pi * frequency * lag / n) ** 2
    assert float(found) == pytest.approx(0.5 * gain, rel=0.01)


@pytest.mark.parametrize("scale", ["amplitude", "log"])
@pytest.mark.parametrize("transform", ["dct", "rfft"])
def test_spectra_are_scipys(transform: str, scale: str) -> None:
    d, x = pair()
    floor = {"floor": 0.05} if scale == "log" else {}
    regulariser = Registry.get("regulariser", "spectrum", transform=transform, scale=scale, **floor)

    def measured(series: np.ndarray) -> np.ndarray:
        of = fft.dct(series, norm="ortho") if transform == "dct" else fft.rfft(series, norm="ortho")
        return np.abs(of) if scale == "amplitude" else 0.5 * np.log(np.abs(of) ** 2 + 0.05**2)

    expected = ((measured(d.numpy()) - measured(x.numpy())) ** 2).mean((1, 2))
    assert regulariser.penalty(d, x, None).numpy() == pytest.approx(expected, rel=1e-5)


def test_a_lag_beyond_the_window_and_a_spectrum_with_gaps_are_refused() -> None:
    d, x = pair()
    with pytest.raises(DataError, match="lag of 12 steps, and a window has 12"):
        Registry.get("regulariser", "increments", lags=[12]).penalty(d, x, None)
    with pytest.raises(DataError, match="spectrum needs whole windows"):
        Registry.get("regulariser", "spectrum").penalty(d, x, torch.rand(3, 1, 12) < 0.5)


def test_a_linear_penalty_keeps_the_optimum_and_another_moves_it() -> None:
    """Of two equally likely x_0 with one D for both: increments want their mean, moments more spread."""
    wave = torch.sin(torch.arange(16, dtype=torch.float64))[None, None]
    x_0 = torch.cat((1.5 * wave, 0.5 * wave.flip(-1)))
    mean = x_0.mean(0, keepdim=True)

    def slope(name: str) -> float:
        """Of the cost along a common factor of D, at the mean."""
        factor = torch.ones((), dtype=torch.float64, requires_grad=True)
        d = (factor * mean).expand_as(x_0)
        cost = Registry.get("regulariser", name).penalty(d, x_0, None).mean()
        return float(torch.autograd.grad(cost, factor)[0])

    assert slope("increments") == pytest.approx(0.0, abs=1e-9)
    assert slope("moments") < -0.01


def test_a_training_uses_its_regularisers() -> None:
    """A model fits with robust loss and regularisers, and they change what it learns."""
    from undula import DiffusionModel

    weights = []
    for regularisers in ([], [{"type": "moments", "params": {"weight": 5.0}}]):
        model = DiffusionModel(
            architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}},
            objective={"type": "edm", "params": {"loss": "pseudo_huber", "regularisers": regularisers}},
            data={"dataset": "ar1", "predict_len": 8, "stride": 64},
            training={"max_steps": 3, "batch_size": 32},
        ).fit()
        weights.append(torch.cat([p.flatten() for p in model.parts_.architecture.parameters()]))
    assert not torch.allclose(*weights)
    assert Registry.spec(model.parts_.objective)["params"]["regularisers"][0]["params"]["weight"] == 5.0
