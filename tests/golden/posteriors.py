"""Linear-Gaussian inverse problems with their closed-form posteriors."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from undula.core.noise import BaseNoise
from undula.core.operator import BaseOperator
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.guidance import guided
from undula.diffusion.measurement import Measurement
from undula.diffusion.path import GaussianPath
from undula.diffusion.prior import GaussianPrior
from undula.diffusion.sampler import BaseSampler

from .problems import ColouredNoise, gaussian, marginal, path_of

D = 12
SCALE, SHIFT = 3.0, 20.0


@dataclass(frozen=True)
class Problem:
    """Measurements of a Gaussian series of 12 steps, in units in which x = 20 + 3 z.

    Args:
        operator: A.
        variance: of the noise of each number measured, in those units; ∞ where there is none.
        noise: of the diffusion.
    """

    operator: Any = "identity"
    variance: list[float] = field(default_factory=lambda: [1.0] * D)
    noise: BaseNoise | None = None

    @property
    def path(self) -> GaussianPath:
        return path_of("vpsde", self.noise)

    @property
    def prior(self) -> tuple[Tensor, Tensor]:
        """Mean (1, D) and covariance (D, D) of z."""
        return gaussian(D, seed=3)

    @property
    def whitened(self) -> tuple[Tensor, Tensor]:
        """The same of z whitened by the noise."""
        mean, cov = self.prior
        whiten = self.path.noise.whiten(torch.eye(D, dtype=torch.float64)[:, None])[:, 0].mT
        return mean @ whiten.mT, whiten @ cov @ whiten.mT

    @property
    def matrix(self) -> Tensor:
        """A, of the flattened series, and of z: A x = A (20 + 3 z)."""
        operator: BaseOperator = Registry.resolve("operator", self.operator)
        return operator(torch.eye(D, dtype=torch.float64)[:, None])[:, 0].mT

    @property
    def y(self) -> Tensor:
        """A measurement of a draw of z, (1, L')."""
        generator = torch.Generator().manual_seed(7)
        mean, cov = self.prior
        z = mean[0] + torch.linalg.cholesky(cov) @ torch.randn(D, generator=generator, dtype=torch.float64)
        noise = torch.randn(len(self.matrix), generator=generator, dtype=torch.float64)
        known = torch.tensor(self.variance, dtype=torch.float64)
        y = self.matrix @ (SHIFT + SCALE * z) + known.where(known.isfinite(), 0.0).sqrt() * noise
        return torch.where(known.isfinite(), y, 1e3)[None]

    def posterior(self, level: NoiseLevel | None = None) -> tuple[Tensor, Tensor]:
        """Mean (1, D) and covariance (D, D) of z given y; at a noise level, of z_t."""
        mean, cov = self.prior
        known = torch.tensor(self.variance).isfinite()
        h = SCALE * self.matrix[known]
        s = torch.diag(torch.tensor(self.variance, dtype=torch.float64)[known])
        gain = cov @ h.mT @ torch.linalg.pinv(h @ cov @ h.mT + s, hermitian=True, rtol=1e-12)
        rest = self.y[0, known] - self.matrix[known] @ torch.full((D,), SHIFT, dtype=torch.float64)
        after = mean + gain @ (rest - h @ mean[0]), cov - gain @ h @ cov
        return after if level is None else marginal(self.path, level, *after)

    def measurement(self, size: int) -> Measurement:
        """The same for every member of a batch."""
        variance = torch.tensor(self.variance, dtype=torch.float64).expand(size, 1, -1)
        return Measurement(
            y=self.y.expand(size, 1, -1),
            variance=variance,
            operator=Registry.resolve("operator", self.operator),
            decode=lambda z: SHIFT + SCALE * z,
            encode=lambda x: (x - SHIFT) / SCALE,
            prior=GaussianPrior.of_covariance(*self.whitened),
        )

    def carried(self, guidance: Any, sampler: BaseSampler, levels: list[NoiseLevel]) -> tuple[Tensor, Tensor]:
        """Mean and covariance of guided samples that start from the exact marginal at levels[0]."""
        mean, cov = self.posterior(levels[0])
        root = torch.linalg.cholesky(cov).mT[:, None]
        start = torch.cat((mean[None], mean[None] + root))
        denoiser = guided(
            GaussianDenoiser(self.path, *self.prior),
            [Registry.resolve("guidance", guidance)],
            self.measurement(len(start)),
        )
        with torch.no_grad():
            image = sampler.integrate(denoiser, start, levels)[:, 0]
        columns = image[1:] - image[0]
        return image[:1], columns.mT @ columns


_UNKNOWN = torch.inf
PROBLEMS = {
    "heteroscedastic": Problem(variance=[0.1 + 0.5 * (i % 5) for i in range(D)]),
    "masked": Problem(variance=[_UNKNOWN if i % 3 else 0.5 for i in range(D)]),
    "exact, masked": Problem(variance=[_UNKNOWN if i % 2 else 0.0 for i in range(D)]),
    "blurred": Problem({"type": "blur", "params": {"sigma": 1.0}}, [0.2 + 0.1 * i for i in range(D)]),
    "decimated": Problem(
        {"type": "decimation", "params": {"factor": 3, "method": "mean"}}, [0.3, 0.0, 1.0, 2.0]
    ),
    "low frequencies": Problem({"type": "low_pass", "params": {"components": 4}}, [0.0] * D),
    "coloured noise": Problem(variance=[0.4, _UNKNOWN, 1.0] * 4, noise=ColouredNoise(rho=0.6)),
}
