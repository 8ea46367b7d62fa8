"""Laws of samplers."""

from __future__ import annotations

__all__ = ["SAMPLER_LAWS"]

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.errors import IncompatibleError
from ..core.registry import Registry
from ..core.sde import NoiseLevel
from ..diffusion.analytic import GaussianDenoiser
from ..diffusion.denoiser import BaseDenoiser
from ..diffusion.path import GaussianPath
from ..diffusion.sampler import BaseSampler, SampleNoise

_PATHS = ("vpsde", "vesde", "subvpsde", "rectified", "cosine")


def _paths(sampler: BaseSampler) -> list[GaussianPath]:
    """The built-in paths that the sampler accepts; at least one."""
    accepted = []
    for name in _PATHS:
        path = GaussianPath(sde=Registry.get("sde", name), noise=Registry.get("noise", "standard"))
        try:
            sampler.check(path)
        except IncompatibleError:
            continue
        accepted.append(path)
    assert accepted, "the sampler accepts no path at all"
    return accepted


def _denoiser(path: GaussianPath) -> GaussianDenoiser:
    steps = torch.arange(5, dtype=torch.float64)
    covariance = 0.8 ** (steps[:, None] - steps).abs()
    return GaussianDenoiser(path, torch.linspace(-1, 1, 5, dtype=torch.float64)[None], covariance)


def _noise(index: Tensor, seed: int = 0) -> SampleNoise:
    return SampleNoise(seed, index, 1, 5, torch.float64)


@dataclass(frozen=True)
class _Recording(SampleNoise):
    """Noise that remembers which numbers were drawn."""

    drawn: list[int] = field(default_factory=list)

    def __call__(self, draw: int) -> Tensor:
        self.drawn.append(draw)
        return super().__call__(draw)


class _Constant(BaseDenoiser):
    """D = c, which also counts its calls."""

    def __init__(self, path: GaussianPath, value: Tensor) -> None:
        self.path, self.value, self.calls = path, value, 0

    def __call__(
        self, x_t: Tensor, t: float | Tensor | NoiseLevel, condition: Condition | None = None
    ) -> Tensor:
        level = self.path.level(t)
        assert float(torch.as_tensor(level.sigma).min()) > 0, "the denoiser is called at sigma = 0"
        self.calls += 1
        return self.value.expand_as(x_t).clone()


def is_deterministic_in_its_seed(sampler: BaseSampler) -> None:
    """The same seed gives the same samples, another seed gives others."""
    for path in _paths(sampler):
        index = torch.arange(4)
        first = sampler.sample(_denoiser(path), _noise(index))
        assert torch.equal(first, sampler.sample(_denoiser(path), _noise(index))), "not deterministic"
        assert not torch.allclose(first, sampler.sample(_denoiser(path), _noise(index, seed=1))), (
            "seed unused"
        )


def draws_noise_as_it_says(sampler: BaseSampler) -> None:
    """A stochastic sampler draws more than the prior, each number once; a deterministic one does not."""
    for path in _paths(sampler):
        noise = _Recording(0, torch.arange(2), 1, 5, torch.float64)
        sampler.sample(_denoiser(path), noise)
        drawn = noise.drawn
        assert len(set(drawn)) == len(drawn), "the same noise is used twice"
        assert (len(drawn) > 1) == sampler.stochastic, f"{len(drawn)} draws, stochastic: {sampler.stochastic}"


def does_not_depend_on_the_batch(sampler: BaseSampler) -> None:
    """Sample number i is the same whatever it is drawn with."""
    for path in _paths(sampler):
        whole = sampler.sample(_denoiser(path), _noise(torch.arange(9)))
        part = sampler.sample(_denoiser(path), _noise(torch.tensor([7, 2])))
        assert torch.allclose(whole[[7, 2]], part, atol=1e-10), "a sample depends on its batch"


def ends_on_a_constant_denoiser(sampler: BaseSampler) -> None:
    """If D is the same everywhere, samples are D; and `calls` is the number of calls."""
    for path in _paths(sampler):
        constant = _Constant(path, torch.linspace(-2, 3, 5, dtype=torch.float64))
        samples = sampler.sample(constant, _noise(torch.arange(3)))
        error = float((samples - constant.value).abs().max())
        assert error < 1e-8, f"samples differ from a constant D by {error:.1e} on {type(path.sde).__name__}"
        said = f"{constant.calls} calls, `calls` says {sampler.calls}"
        assert constant.calls == sampler.calls or not sampler.fixed_calls, said
        assert constant.calls <= sampler.calls, said


def steps_say_how_far_they_are(sampler: BaseSampler) -> None:
    """on_step counts up to the number of steps."""
    (path, *_) = _paths(sampler)
    seen: list[tuple[int, int]] = []
    sampler.sample(_denoiser(path), _noise(torch.arange(2)), on_step=lambda k, n: seen.append((k, n)))
    assert seen and seen[-1][0] == seen[-1][1], f"the last report is {seen[-1:]}"
    assert [k for k, _ in seen] == list(range(1, len(seen) + 1)), "steps are not counted one by one"


SAMPLER_LAWS: list[Callable[[Any], None]] = [
    draws_noise_as_it_says,
    is_deterministic_in_its_seed,
    does_not_depend_on_the_batch,
    ends_on_a_constant_denoiser,
    steps_say_how_far_they_are,
]
