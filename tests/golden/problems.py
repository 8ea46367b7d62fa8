"""Problems with known answers, shared by the golden tests."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from undula.core.condition import Condition
from undula.core.noise import BaseNoise
from undula.core.registry import Registry
from undula.core.sde import BaseSDE, NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.path import GaussianPath
from undula.diffusion.sampler import BaseSampler
from undula.diffusion.warp import LinearWarp

SDES = ("vpsde", "vesde", "subvpsde", "rectified", "cosine")


@dataclass(frozen=True, kw_only=True)
class ColouredNoise(BaseNoise):
    """AR(1) noise over time, Σ = ρ^|i−j|, by dense matrices: for tests alone."""

    rho: float = 0.7

    def _sigma(self, length: int) -> Tensor:
        steps = torch.arange(length, dtype=torch.float64)
        return self.rho ** (steps[:, None] - steps).abs()

    @property
    def warp(self) -> LinearWarp:
        return LinearWarp()

    def colour(self, white: Tensor, condition: Condition | None = None) -> Tensor:
        return white @ torch.linalg.cholesky(self._sigma(white.shape[-1])).mT.to(white)

    def whiten(self, x: Tensor, condition: Condition | None = None) -> Tensor:
        root = torch.linalg.cholesky(self._sigma(x.shape[-1])).to(x)
        return torch.linalg.solve(root, x.mT).mT

    def apply(self, x: Tensor, condition: Condition | None = None) -> Tensor:
        return x @ self._sigma(x.shape[-1]).to(x)

    def solve(self, x: Tensor, condition: Condition | None = None) -> Tensor:
        return torch.linalg.solve(self._sigma(x.shape[-1]).to(x), x.mT).mT

    def log_det(self, channels: int, length: int, condition: Condition | None = None) -> float:
        return channels * float(torch.linalg.slogdet(self._sigma(length)).logabsdet)


def white() -> BaseNoise:
    return Registry.get("noise", "standard")


def path_of(sde: str | BaseSDE, noise: BaseNoise | None = None) -> GaussianPath:
    return GaussianPath(sde=Registry.resolve("sde", sde), noise=noise or white())


def gaussian(d: int = 4, seed: int = 0) -> tuple[Tensor, Tensor]:
    """A mean (1, d) and a covariance (d, d) of moderate condition."""
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(1, d, generator=generator, dtype=torch.float64)
    root = torch.randn(d, d, generator=generator, dtype=torch.float64)
    return mean, root @ root.mT / d + 0.1 * torch.eye(d, dtype=torch.float64)


def marginal(path: GaussianPath, level: NoiseLevel, mean: Tensor, cov: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance of x_t."""
    d = cov.shape[0]
    sigma = path.noise.apply(torch.eye(d, dtype=torch.float64).reshape(d, *mean.shape)).reshape(d, d)
    return level.alpha * mean, level.alpha**2 * cov + level.sigma**2 * sigma


def moment_error(path: GaussianPath, sampler: BaseSampler, levels: list[NoiseLevel], d: int = 4) -> float:
    """Error of the mean and covariance that a deterministic sampler carries from levels[0] to levels[-1].

    With a Gaussian's exact denoiser the sampler is an affine map, so that the images of the mean and
    of the columns of a root of the covariance give the moments without any Monte Carlo noise.
    """
    mean, cov = gaussian(d)
    denoiser = GaussianDenoiser(path, mean, cov)
    mean_start, cov_start = marginal(path, levels[0], mean, cov)
    mean_end, cov_end = marginal(path, levels[-1], mean, cov)
    root = torch.linalg.cholesky(cov_start).mT.reshape(d, *mean.shape)
    start = torch.cat((mean_start[None], mean_start[None] + root))
    image = sampler.integrate(denoiser, start, levels)
    offset = (image[1:] - image[0]).reshape(d, d)
    error = torch.linalg.norm(image[0] - mean_end) + torch.linalg.norm(offset.mT @ offset - cov_end)
    return float(error)


def slope(errors: list[float]) -> float:
    """Order of convergence between the last two errors, each with twice the steps of the one before."""
    return math.log2(errors[-2] / errors[-1])
