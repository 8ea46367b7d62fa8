"""Moments of stochastic samplers without Monte Carlo.

With a Gaussian's exact denoiser a sampler is an affine map of its start and of every number that it
draws. One member of the batch for each of them, and one for none, give the whole map, and hence the
mean and the covariance of the samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from undula.core.sde import NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.path import GaussianPath
from undula.diffusion.sampler import BaseSampler, SampleNoise

from .problems import gaussian, marginal


@dataclass(frozen=True)
class Probes(SampleNoise):
    """Draw k is 1 in one place for the members that probe it, else 0."""

    first: int = 0

    def __call__(self, draw: int) -> Tensor:
        white = torch.zeros(len(self.index), self.channels, self.length, dtype=self.dtype)
        rows = self.first + (draw - 1) * self.length + torch.arange(self.length)
        white[rows, 0, torch.arange(self.length)] = 1.0
        return white


def carried_moments(
    path: GaussianPath,
    sampler: BaseSampler,
    levels: list[NoiseLevel],
    draws: int,
    mean: Tensor,
    cov: Tensor,
) -> tuple[Tensor, Tensor]:
    """Mean and covariance at levels[-1] of samples that start from the exact marginal at levels[0]."""
    d = cov.shape[0]
    mean_start, cov_start = marginal(path, levels[0], mean, cov)
    size = 1 + d + draws * d
    start = mean_start.expand(size, 1, d).clone()
    start[1 : 1 + d, 0] += torch.linalg.cholesky(cov_start).mT
    noise = Probes(0, torch.arange(size), 1, d, torch.float64, first=1 + d)
    image = sampler.integrate(GaussianDenoiser(path, mean, cov), start, levels, noise)[:, 0]
    columns = image[1:] - image[0]
    return image[0], columns.mT @ columns


def stochastic_error(
    path: GaussianPath, sampler: BaseSampler, levels: list[NoiseLevel], draws: int, d: int = 2
) -> float:
    """Error of mean and covariance at levels[-1]."""
    mean, cov = gaussian(d)
    found_mean, found_cov = carried_moments(path, sampler, levels, draws, mean, cov)
    mean_end, cov_end = marginal(path, levels[-1], mean, cov)
    return float(torch.linalg.norm(found_mean - mean_end) + torch.linalg.norm(found_cov - cov_end))
