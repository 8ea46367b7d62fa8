"""Objectives as the table of presets has them, and what a training step draws."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from undula.components.preprocessing.raw import RawPreprocessor
from undula.core.architecture import BaseArchitecture
from undula.core.condition import Condition, Layout
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.denoiser import NetDenoiser
from undula.diffusion.loss import DiffusionLoss, TrainingBatch
from undula.diffusion.objective import BaseObjective
from undula.diffusion.parametrization import Parametrization
from undula.diffusion.path import GaussianPath

from ..golden.problems import ColouredNoise, path_of

S = 0.7
OUTPUT = 0.3
ONE_SIGMA = 0.5 * (1.0 + math.erf(1.0 / math.sqrt(2.0)))  # the normal distribution's function at 1
QUANTILES = torch.tensor([0.5, ONE_SIGMA], dtype=torch.float64)
TIMES = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)


class Constant(BaseArchitecture):
    """F = 0.3 everywhere."""

    condition_dropout = 0.0

    def build(self, layout: Layout) -> None:
        pass

    def forward(self, x: Tensor, tau: Tensor, condition: Condition | None = None) -> Tensor:
        return torch.full_like(x, OUTPUT)


def denoiser_of(path: GaussianPath, objective: BaseObjective) -> NetDenoiser:
    return NetDenoiser(Constant(), path, Parametrization(prediction=objective.prediction, s=S))


# -- the table of presets ------------------------------------------------------------------------


def _time(path: GaussianPath, t: Tensor) -> Tensor:
    """From [t_min, 1] to [0, 1]."""
    return (t - path.sde.t_min) / (1.0 - path.sde.t_min)


def _logit_time(path: GaussianPath, t: Tensor) -> Tensor:
    return torch.logit(_time(path, t))


def _log_ratio(path: GaussianPath, t: Tensor) -> Tensor:
    """log(σ/α)."""
    return torch.log(path.sde.sigma(t) / path.sde.alpha(t))


def _log_snr_share(path: GaussianPath, t: Tensor) -> Tensor:
    """Place of λ between its largest and its smallest value."""
    most, least = path.sde.log_snr(torch.tensor([path.sde.t_min, 1.0], dtype=torch.float64))
    return (path.sde.log_snr(t) - most) / (least - most)


class Preset(NamedTuple):
    """A row of the table: on which path, the density as two quantiles of a variable, F*, the weight."""

    name: str
    sde: str
    variable: Callable[[GaussianPath, Tensor], Tensor]
    quantiles: tuple[float, float]
    target: Callable[[NoiseLevel, Tensor, Tensor], Any]
    weight: Callable[[GaussianPath, NoiseLevel], Any]


def _edm_target(level: NoiseLevel, x_0: Tensor, eps: Tensor) -> Any:
    """(x0 − c_skip x_t)/c_out with EDM's table 1, α = 1."""
    sigma = level.sigma
    x_t = x_0 + sigma * eps
    return (x_0 - S**2 / (S**2 + sigma**2) * x_t) / (sigma * S / (S**2 + sigma**2) ** 0.5)


def _bound_weight(path: GaussianPath, level: NoiseLevel) -> Any:
    """½ (−SNR')/p(t) = ½ SNR · (range of λ) on x0 for λ uniform, times c_out² = σ² on v where α² + σ² = 1."""
    most, least = path.sde.log_snr(torch.tensor([path.sde.t_min, 1.0], dtype=torch.float64))
    return 0.5 * level.snr * (most - least) * level.sigma**2


def _one(path: GaussianPath, level: NoiseLevel) -> float:
    return 1.0


PRESETS = [
    Preset("denoising", "vpsde", _time, (0.5, ONE_SIGMA), lambda level, x_0, eps: x_0, _one),
    Preset("score_matching", "vpsde", _time, (0.5, ONE_SIGMA), lambda level, x_0, eps: eps, _one),
    Preset("flow_matching", "rectified", _logit_time, (0.0, 1.0), lambda level, x_0, eps: eps - x_0, _one),
    Preset(
        "variational_bound",
        "vpsde",
        _log_snr_share,
        (0.5, ONE_SIGMA),
        lambda level, x_0, eps: level.alpha * eps - level.sigma * x_0,
        _bound_weight,
    ),
    Preset("edm", "vesde", _log_ratio, (-1.2, -1.2 + 1.2), _edm_target, _one),
]


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_a_preset_has_its_density(preset: Preset) -> None:
    path = path_of(preset.sde)
    density = Registry.get("objective", preset.name).time_density(path)
    rises = bool(density.quantile(QUANTILES).diff() > 0)  # quantiles may count from the noisy end
    found = preset.variable(path, density.quantile(QUANTILES if rises else 1.0 - QUANTILES))
    assert found.tolist() == pytest.approx(preset.quantiles, abs=1e-3)


@pytest.mark.parametrize("preset", PRESETS, ids=[preset.name for preset in PRESETS])
def test_a_preset_has_its_prediction_and_weight(preset: Preset) -> None:
    """For a network F = 0.3 the loss is w (0.3 − F*)²: the target's sign counts, and the weight."""
    path, objective = path_of(preset.sde), Registry.get("objective", preset.name)
    x_0, eps = torch.randn(2, 3, 2, 5, dtype=torch.float64)
    level = path.level(TIMES)
    found = objective.losses(denoiser_of(path, objective), x_0, eps, TIMES)
    expected = preset.weight(path, level) * (OUTPUT - preset.target(level, x_0, eps)) ** 2
    assert torch.allclose(found, expected.mean((1, 2)), rtol=1e-6)


def test_presets_bring_their_path() -> None:
    found = {preset.name: Registry.get("objective", preset.name).default_sde for preset in PRESETS}
    assert found.pop("flow_matching") == "rectified"
    assert set(found.values()) == {"vpsde"}


def test_density_parameters_reach_the_density() -> None:
    path = path_of("vesde")
    objective = Registry.get("objective", "edm", density_mean=0.3, density_std=0.5)
    found = _log_ratio(path, objective.time_density(path).quantile(QUANTILES))
    assert found.tolist() == pytest.approx([0.3, 0.8], abs=1e-3)


# -- coloured noise ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["variational_bound", "denoising", "score_matching"])
def test_only_the_bound_measures_errors_in_the_noises_norm(name: str) -> None:
    """The bound's loss is the squared whitened error, w ‖Σ^-½ (F − F*)‖²; the others' is plain."""
    preset = next(preset for preset in PRESETS if preset.name == name)
    noise = ColouredNoise(rho=0.7)
    path, objective = path_of(preset.sde, noise), Registry.get("objective", name)
    x_0, white = torch.randn(2, 3, 2, 5, dtype=torch.float64)
    eps, level = noise.colour(white), path.level(TIMES)
    plain = OUTPUT - preset.target(level, x_0, eps)
    error = noise.whiten(plain) if name == "variational_bound" else plain
    expected = (preset.weight(path, level) * error**2).mean((1, 2))
    found = objective.losses(denoiser_of(path, objective), x_0, eps, TIMES)
    assert torch.allclose(found, expected, rtol=1e-6)
    assert not torch.allclose(noise.whiten(plain).square().mean(), plain.square().mean(), rtol=0.1)


# -- what a training step and a validation draw --------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Recording(BaseObjective):
    """Keeps what it is asked, (eps, t, condition)."""

    asked: list[tuple[Tensor, Tensor, Condition | None]] = field(default_factory=list)

    def losses(
        self,
        denoiser: NetDenoiser,
        x_0: Tensor,
        eps: Tensor,
        t: Tensor,
        condition: Condition | None = None,
    ) -> Tensor:
        self.asked.append((eps, t, condition))
        return torch.zeros(len(x_0))


def recorded(condition_dropout: float | dict[str, float] = 0.0) -> tuple[DiffusionLoss, Recording]:
    objective = Recording()
    preprocessing = RawPreprocessor().fit(torch.randn(8, 1, 8))
    denoiser = denoiser_of(path_of("vpsde"), objective)
    return DiffusionLoss(denoiser, objective, preprocessing, 0, condition_dropout), objective


def test_validation_has_noise_of_its_own_at_every_time() -> None:
    """The grid's times do not share one noise; asked again, they are the same times and noises."""
    loss, objective = recorded()
    index = torch.arange(6)
    batch = TrainingBatch(torch.randn(6, 1, 16), None)
    loss.at_fixed_times(batch, index)
    loss.at_fixed_times(batch, index)
    first, again = objective.asked[:4], objective.asked[4:]
    assert len(again) == 4
    for (eps, t, _), (eps_again, t_again, _) in zip(first, again, strict=True):
        assert torch.equal(eps, eps_again)
        assert torch.equal(t, t_again)
    noise = torch.stack([eps.flatten() for eps, _, _ in first])
    assert float(torch.corrcoef(noise).fill_diagonal_(0.0).abs().max()) < 0.5
    members = torch.cat([eps[:, 0] for eps, _, _ in first])
    assert float((members[:, None] - members).abs().amax(-1).fill_diagonal_(1.0).min()) > 0.1
    times = torch.stack([t for _, t, _ in first]).sort(dim=0).values
    assert torch.all(times.diff(dim=0) > 0.1)  # a slice of the density each


def test_noise_and_times_of_training_are_functions_of_the_step() -> None:
    loss, objective = recorded()
    position, batch = torch.arange(6), TrainingBatch(torch.randn(6, 1, 16), None)
    for step in (0, 1, 0):
        loss(batch, step, position, 6)
    (eps, t, _), (other_eps, other_t, _), (eps_again, t_again, _) = objective.asked
    assert torch.equal(eps, eps_again)
    assert torch.equal(t, t_again)
    assert float((eps - other_eps).abs().mean()) > 0.5
    assert float((t - other_t).abs().mean()) > 0.1


def test_condition_parts_are_dropped_independently() -> None:
    loss, objective = recorded(condition_dropout=0.3)
    count = 4000
    parts = {"a": torch.zeros(count, 1), "b": torch.zeros(count, 1)}
    condition = Condition(
        static=parts,
        sequence={"history": torch.zeros(count, 1, 2)},
        aligned={"observed": torch.ones(count, 1, 4)},
    )
    batch = TrainingBatch(torch.zeros(count, 1, 4), condition)
    for step in (0, 1, 0):
        loss(batch, step, torch.arange(count), count)
    dropped, later, again = (dict(told.dropped) for _, _, told in objective.asked if told is not None)
    assert dropped.keys() == {"a", "b", "history"}  # "observed" says what is missing: never unknown
    columns = [dropped[name].double() for name in ("a", "b", "history")]
    columns += [later["a"].double(), (objective.asked[0][1] > 0.5).double()]
    for column in columns[:4]:
        assert float(column.mean()) == pytest.approx(0.3, abs=0.03)
    correlation = torch.corrcoef(torch.stack(columns)).fill_diagonal_(0.0)
    assert float(correlation.abs().max()) < 0.08
    assert all(torch.equal(dropped[name], again[name]) for name in dropped)


def test_each_condition_part_is_dropped_with_its_own_probability() -> None:
    """A part that is not named is never dropped, nor is one at 0."""
    loss, objective = recorded(condition_dropout={"history": 0.3, "b": 0.7, "c": 0.0})
    count = 4000
    condition = Condition(
        static={name: torch.zeros(count, 1) for name in ("a", "b", "c")},
        sequence={"history": torch.zeros(count, 1, 2)},
    )
    loss(TrainingBatch(torch.zeros(count, 1, 4), condition), 0, torch.arange(count), count)
    ((_, _, told),) = objective.asked
    assert told is not None
    shares = {name: float(where.double().mean()) for name, where in told.dropped.items()}
    assert shares == {"history": pytest.approx(0.3, abs=0.03), "b": pytest.approx(0.7, abs=0.03)}
