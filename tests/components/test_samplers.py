"""Churn, adaptive steps, and what samplers refuse."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from undula.core.condition import Condition
from undula.core.errors import ConfigError
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser, GaussianMixtureDenoiser
from undula.diffusion.denoiser import BaseDenoiser
from undula.diffusion.guidance import CountedDenoiser
from undula.diffusion.path import GaussianPath
from undula.diffusion.sampler import SampleNoise

from ..golden.problems import SDES, ColouredNoise, gaussian, path_of


class Recorder(BaseDenoiser):
    """D = 0; remembers levels and series."""

    def __init__(self, path: GaussianPath) -> None:
        self.path = path
        self.seen: list[tuple[NoiseLevel, Tensor]] = []

    def __call__(self, x_t: Tensor, t: object, condition: Condition | None = None) -> Tensor:
        self.seen.append((self.path.level(t), x_t.clone()))  # type: ignore[arg-type]
        return torch.zeros_like(x_t)


# -- churn -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("churn", [2.0, 400.0])
@pytest.mark.parametrize("sde", SDES)
def test_churn_raises_the_level(sde: str, churn: float) -> None:
    """EDM's algorithm 2: σ/α by 1 + min(churn/N, √2 − 1), inside the limits, with the noise it takes."""
    noise = ColouredNoise(rho=0.5)
    path = path_of(sde, noise)
    sampler = Registry.get(
        "sampler", "heun", num_steps=12, churn=churn, churn_min=0.05, churn_max=2.0, churn_noise=1.1
    )
    recorder, draws = Recorder(path), SampleNoise(0, torch.arange(3), 1, 4, torch.float64)
    x = path.prior(draws(0))
    levels = sampler.levels(path)
    sampler.integrate(recorder, x, levels, draws)
    gamma = min(churn / 12, math.sqrt(2.0) - 1.0)
    raised = 0
    for k in range(12):
        (level, here), grid = recorder.seen[2 * k], levels[k]
        ratio = grid.sigma / grid.alpha if grid.alpha else math.inf
        expected = (1.0 + gamma) * ratio if 0.05 <= ratio <= 2.0 else ratio
        assert level.sigma / level.alpha == pytest.approx(expected, rel=1e-6) if grid.alpha else level == grid
        if expected != ratio:
            raised += 1
            a = level.alpha / grid.alpha
            spread = 1.1 * math.sqrt(level.sigma**2 - (a * grid.sigma) ** 2)
            assert torch.allclose(here, a * x + spread * noise.colour(draws(k + 1)), rtol=1e-6)
        # D = 0: the step only shrinks x, by σ_s/σ_t
        x = here * levels[k + 1].sigma / level.sigma
        if k + 1 < 12:
            assert torch.allclose(recorder.seen[2 * k + 1][1], x, rtol=1e-6)
            x = _heun_of_zero(here, level, levels[k + 1])
    assert raised >= 2


def _heun_of_zero(x: Tensor, start: NoiseLevel, end: NoiseLevel) -> Tensor:
    """Heun's step of dx̄/dτ = x̄/τ."""
    straight, ratio = x / (start.alpha + start.sigma), end.tau / start.tau
    slope = straight / start.tau
    straight = straight + 0.5 * (end.tau - start.tau) * (slope + straight * ratio / end.tau)
    return straight * (end.alpha + end.sigma)


def test_churn_never_leaves_the_path() -> None:
    """At t = 1 there is nowhere higher to go."""
    path = path_of("vpsde")
    sampler = Registry.get("sampler", "heun", num_steps=5, churn=50.0)
    recorder = Recorder(path)
    sampler.sample(recorder, SampleNoise(0, torch.arange(2), 1, 4))
    assert recorder.seen[0][0] == path.level(1.0)


# -- adaptive --------------------------------------------------------------------------------------


def bimodal(sde: str = "rectified") -> GaussianMixtureDenoiser:
    means = torch.tensor([[[-2.0, -2.0]], [[2.0, 1.0]]], dtype=torch.float64)
    covariances = 0.05 * torch.eye(2, dtype=torch.float64).expand(2, 2, 2)
    return GaussianMixtureDenoiser(path_of(sde), torch.tensor([0.5, 0.5]).double(), means, covariances)


@pytest.mark.parametrize("sde", ["rectified", "vpsde"])
def test_tolerance_decides_error_and_calls(sde: str) -> None:
    """A hundredth of the tolerance: far smaller an error, for more calls; both are within their bounds."""
    denoiser, noise = bimodal(sde), SampleNoise(0, torch.arange(24), 1, 2, torch.float64)
    exact = Registry.get("sampler", "dpm", order=3, method="singlestep", num_steps=300).sample(
        denoiser, noise
    )
    errors, calls = [], []
    for tolerance in (0.1, 0.01, 0.001):
        sampler = Registry.get("sampler", "adaptive", num_steps=2000, rtol=tolerance, atol=tolerance)
        counted = CountedDenoiser(denoiser)
        errors.append(float((sampler.sample(counted, noise) - exact).abs().median()))
        calls.append(counted.members / 24)
        assert calls[-1] <= sampler.calls
    assert errors[2] < 0.1 * errors[0]
    assert errors[1] < 0.05
    assert calls[0] < calls[1] < calls[2] < 400


@pytest.mark.parametrize("sde", ["rectified", "vesde"])
def test_with_no_tolerance_it_is_heun_on_its_grid(sde: str) -> None:
    path = path_of(sde)
    denoiser, noise = (
        GaussianDenoiser(path, *gaussian()),
        SampleNoise(0, torch.arange(5), 1, 4, torch.float64),
    )
    grid = {"num_steps": 12, "grid": "log_snr"}
    adaptive = Registry.get("sampler", "adaptive", rtol=1e-12, atol=1e-12, **grid)
    heun = Registry.get("sampler", "heun", **grid)
    assert torch.allclose(adaptive.sample(denoiser, noise), heun.sample(denoiser, noise), rtol=1e-9)


def test_every_sample_has_its_own_steps() -> None:
    """A member's calls and values do not depend on its companions, which need other steps."""
    denoiser = bimodal()
    sampler = Registry.get("sampler", "adaptive", rtol=0.003, atol=0.003)
    alone, costs = [], []
    for i in range(6):
        counted = CountedDenoiser(denoiser)
        alone.append(sampler.sample(counted, SampleNoise(0, torch.tensor([i]), 1, 2, torch.float64)))
        costs.append(counted.members)
    counted = CountedDenoiser(denoiser)
    together = sampler.sample(counted, SampleNoise(0, torch.arange(6), 1, 2, torch.float64))
    assert torch.allclose(together, torch.cat(alone), atol=1e-9)
    assert counted.members == sum(costs)
    assert len(set(costs)) > 1


class Rough(BaseDenoiser):
    """Nothing that any step could follow: D jumps with the level."""

    def __init__(self, path: GaussianPath) -> None:
        self.path, self.calls = path, 0

    def __call__(self, x_t: Tensor, t: object, condition: Condition | None = None) -> Tensor:
        self.calls += 1
        return 50.0 * torch.sin(1e4 * torch.as_tensor(self.path.level(t).tau)).expand_as(x_t)  # type: ignore[arg-type]


@pytest.mark.parametrize("num_steps", [1, 2, 40, 300])
def test_the_most_calls_are_the_most(num_steps: int) -> None:
    """Where every tolerance is missed the grid itself is stepped through, within the stated calls."""
    rough = Rough(path_of("vpsde"))
    sampler = Registry.get("sampler", "adaptive", num_steps=num_steps, rtol=1e-9, atol=1e-9)
    sampler.sample(rough, SampleNoise(0, torch.arange(1), 1, 2, torch.float64))
    assert 2 * num_steps - 1 <= rough.calls <= sampler.calls


def test_how_the_next_step_is_chosen() -> None:
    """0.9 e^−½ times the last, between a fifth and twice; a refused one at most half; the shortest is taken."""
    error = torch.tensor([1e-9, 0.81, 1.01, 4.0, 1e9, 1e9], dtype=torch.float64)
    tried = torch.tensor([10, 10, 10, 10, 10, 1])
    jump, taken = Registry.get("sampler", "adaptive")._decide(error, tried)  # type: ignore[attr-defined]
    assert taken.tolist() == [True, True, False, False, False, True]
    assert jump.tolist() == [20, 10, 5, 4, 2, 1]


def test_padding_has_no_say_in_the_error() -> None:
    """What does not exist neither shortens nor lengthens the steps."""
    path = path_of("rectified")
    mean, cov = gaussian(8)
    sampler = Registry.get("sampler", "adaptive", rtol=0.003, atol=0.003)
    exists = (torch.arange(8) < 4).expand(2, 1, 8)

    class Padded(BaseDenoiser):
        def __init__(self, beyond: float) -> None:
            self.path, self.beyond = path, beyond
            self.inner = GaussianDenoiser(path, mean[:, :4], cov[:4, :4])

        def __call__(self, x_t: Tensor, t: object, condition: Condition | None = None) -> Tensor:
            d = torch.full_like(x_t, self.beyond)
            d[..., :4] = self.inner(x_t[..., :4], t)  # type: ignore[arg-type]
            return d * (1.0 + (x_t * self.beyond) ** 2 * ~exists[:1])

    noise = SampleNoise(0, torch.arange(2), 1, 8, torch.float64)
    found = [sampler.sample(Padded(b), noise, Condition(exists=exists)) for b in (0.0, 0.9)]
    assert torch.equal(found[0][..., :4], found[1][..., :4])


# -- refusals --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("heun", {"churn_noise": 1.01}, "churn_noise has no effect with churn 0"),
        ("heun", {"churn_min": 0.0}, "churn_min has no effect with churn 0"),
        ("heun", {"churn": 1.0, "churn_min": 2.0, "churn_max": 1.0}, "no level has churn"),
        ("dpm", {"order": 1, "method": "singlestep"}, "method: singlestep has no effect with order 1"),
        ("dpm", {"eta": 1.0, "method": "singlestep"}, "multistep of order 1 or 2"),
        ("dpm", {"eta": 1.0, "order": 3}, "multistep of order 1 or 2"),
        ("dpm", {"order": 4}, "order"),
        ("unipc", {"rho": 5.0}, "rho has no effect with grid 'uniform'"),
        ("pc", {"corrector_steps": 0}, "corrector_steps"),
        ("ddpm", {"variance": "learned"}, "variance"),
    ],
)
def test_parameters_without_effect_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry.get("sampler", name, **params)


@pytest.mark.parametrize("name", ["ddpm", "pc"])
def test_a_stochastic_rule_needs_its_noise(name: str) -> None:
    path = path_of("vpsde")
    sampler = Registry.get("sampler", name, num_steps=3)
    with pytest.raises(ValueError, match="needs its noise"):
        sampler.integrate(Recorder(path), torch.zeros(1, 1, 4), sampler.levels(path))


@pytest.mark.parametrize(
    ("params", "calls"),
    [
        ({}, 20),
        ({"order": 3}, 21),
        ({"order": 3, "num_steps": 1}, 1),
        ({"method": "singlestep"}, 39),
        ({"method": "singlestep", "order": 3}, 58),
    ],
)
def test_calls_of_dpm(params: dict[str, Any], calls: int) -> None:
    sampler = Registry.get("sampler", "dpm", **params)
    recorder = Recorder(path_of("rectified"))
    sampler.sample(recorder, SampleNoise(0, torch.arange(2), 1, 4))
    assert sampler.calls == len(recorder.seen) == calls


def test_singlesteps_call_within_the_step() -> None:
    """At ⅓ and ⅔ of the step in log(α/σ); of a step from α = 0, in α/σ."""
    sampler = Registry.get("sampler", "dpm", method="singlestep", order=3, num_steps=4)
    recorder = Recorder(path_of("rectified"))
    sampler.sample(recorder, SampleNoise(0, torch.arange(2), 1, 4, torch.float64))
    ratio = [level.alpha / level.sigma for level, _ in recorder.seen]
    assert ratio[0] == 0
    assert ratio[1:3] == pytest.approx([ratio[3] / 3, 2 * ratio[3] / 3])
    logs = [math.log(r) for r in ratio[3:7]]
    assert [b - a for a, b in itertools.pairwise(logs)] == pytest.approx([(logs[3] - logs[0]) / 3] * 3)
