"""Paths against the stochastic differential equations of their papers, and paths of the user's own."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.golden.problems import white
from undula import BaseSDE, DiffusionModel
from undula.core.errors import ConfigError, IncompatibleError, UnknownNameError
from undula.core.registry import Registry
from undula.diffusion.path import GaussianPath

T = torch.linspace(0.05, 0.95, 19, dtype=torch.float64)
TINY = {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 8}}


def linear_beta() -> tuple[Tensor, Tensor]:
    """β(t) and its integral for β_min = 0.2, β_max = 15."""
    return 0.2 + 14.8 * T, 0.2 * T + 7.4 * T**2


def published(name: str) -> tuple[Tensor, Tensor]:
    """f and g² as the papers write them."""
    beta, integral = linear_beta()
    match name:
        case "vpsde":
            return -0.5 * beta, beta
        case "subvpsde":
            return -0.5 * beta, beta * (1 - torch.exp(-2 * integral))
        case "vesde":
            sigma = 0.01 * (50 / 0.01) ** T
            return torch.zeros_like(T), sigma**2 * 2 * math.log(50 / 0.01)
        case "rectified":
            return -1 / (1 - T), 2 * T / (1 - T)
        case _:
            angle = 0.5 * math.pi * T
            return -0.5 * math.pi * torch.tan(angle), math.pi * torch.tan(angle)


PARAMS = {
    "vpsde": {"beta_min": 0.2, "beta_max": 15.0},
    "subvpsde": {"beta_min": 0.2, "beta_max": 15.0},
    "vesde": {"sigma_min": 0.01, "sigma_max": 50.0},
    "rectified": {},
    "cosine": {},
}


@pytest.mark.parametrize("name", PARAMS)
def test_drift_and_diffusion_are_the_published_ones(name: str) -> None:
    sde = Registry.get("sde", name, **PARAMS[name])
    drift, squared = published(name)
    assert torch.allclose(sde.drift(T), drift, rtol=1e-9, atol=1e-12)
    assert torch.allclose(sde.diffusion_squared(T), squared, rtol=1e-9)


@pytest.mark.parametrize(("name", "sum_of_betas"), [("vpsde", 9.3), ("subvpsde", 9.3)])
def test_needs_say_where_the_data_vanish(name: str, sum_of_betas: float) -> None:
    """The number in `needs` is accepted, and a tenth less is not."""
    assert str(sum_of_betas) in Registry.inspect("sde", name).needs
    GaussianPath(sde=Registry.get("sde", name, beta_min=0.1, beta_max=sum_of_betas - 0.1), noise=white())
    with pytest.raises(IncompatibleError, match="signal-to-noise ratio"):
        GaussianPath(sde=Registry.get("sde", name, beta_min=0.1, beta_max=sum_of_betas - 0.2), noise=white())


class Straight(BaseSDE):
    """A class without a name."""

    def alpha(self, t: Tensor) -> Tensor:
        return 1 - t

    def sigma(self, t: Tensor) -> Tensor:
        return t


def fit(sde: object) -> DiffusionModel:
    series = np.random.default_rng(0).normal(size=(300, 1))
    options = {"data": {"predict_len": 8}, "training": {"max_steps": 2, "batch_size": 16}}
    return DiffusionModel(architecture=TINY, sde=sde, sampler="ddim", **options).fit(series)


def test_a_class_without_a_name_trains_and_samples_but_is_not_saved(tmp_path: Path) -> None:
    """It is the built-in path of the same formulas, to the last bit; a file could only name it."""
    model = fit(Straight())
    assert np.array_equal(model.sample(3, seed=1), fit("rectified").sample(3, seed=1))
    with pytest.raises(ConfigError, match=r"Straight has no name.*@register.*plugins.*not code"):
        model.save(tmp_path)


PLUGIN = '''
import torch
from undula import BaseSDE, register

@register("sde", "from_a_file")
class FromAFile(BaseSDE):
    """A path in a plugin file."""
    def alpha(self, t): return torch.cos(0.5 * torch.pi * t)
    def sigma(self, t): return torch.sin(0.5 * torch.pi * t)
'''


def test_a_class_in_a_plugin_is_saved_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the plugin the load says what is missing; nothing in the model's folder is code."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    for table in ("_classes", "_names"):
        monkeypatch.setattr(Registry, table, dict(getattr(Registry, table)))
    Registry.load_plugin(tmp_path / "mine.py")
    model = fit("from_a_file")
    model.save(tmp_path / "model")
    samples = model.sample(2, seed=1)
    assert np.array_equal(DiffusionModel.load(tmp_path / "model").sample(2, seed=1), samples)
    assert {file.suffix for file in (tmp_path / "model").iterdir()} == {".json", ".safetensors"}
    del Registry._classes["sde", "from_a_file"]
    with pytest.raises(UnknownNameError, match=r"unknown sde 'from_a_file'.*plugins"):
        DiffusionModel.load(tmp_path / "model")


def of(alpha: object, sigma: object = lambda t: 100 * t) -> BaseSDE:
    made = type("Mine", (BaseSDE,), {"alpha": lambda _, t: alpha(t), "sigma": lambda _, t: sigma(t)})
    return made()


@pytest.mark.parametrize(
    ("alpha", "message"),
    [
        (lambda t: 1.0, "returns float for times of shape"),
        (lambda t: torch.ones(1), r"returns \(1,\) for times of shape"),
        (lambda t: torch.from_numpy(1 - t.detach().numpy()), "has no derivative"),
        (lambda t: 1 - t.detach(), "has no derivative"),
        (lambda t: torch.as_tensor(np.cos(t.numpy())), r"alpha\(t\) fails on a tensor"),
        (lambda t: math.cos(t.detach()), r"alpha\(t\) fails on a tensor"),
        (lambda t: 1 - t + 0.3 * torch.sin(20 * t) ** 2, "falls strictly"),
    ],
)
def test_a_class_is_checked(alpha: object, message: str) -> None:
    """A constant by mistake, a function without a derivative, an SNR that rises in between."""
    with pytest.raises(IncompatibleError, match=message):
        GaussianPath(sde=of(alpha, lambda t: t), noise=white())


def test_a_constant_is_no_mistake() -> None:
    GaussianPath(sde=of(torch.ones_like, lambda t: 0.01 * 10000**t), noise=white())
