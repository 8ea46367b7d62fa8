r"""The Gaussian that is nearest to the data, in the space that is diffused, with few directions.

Windows are whitened by the noise first, z' = R⁻¹ z with Σ = R Rᵀ, so that whatever the noise is

    Cov[z'] ≈ V diag(λ) Vᵀ + r (1 − V Vᵀ),     r the mean of the variances that are left over

and what x_t leaves of it is (Cov⁻¹ + α²/σ²)⁻¹, with eigenvalues λ σ²/(α²λ + σ²).

Where noise hides nearly all, a network's Jacobian says nothing of the data's covariance: this does.

References:
    Tipping, Bishop (1999). Probabilistic principal component analysis. doi:10.1111/1467-9868.00196
"""

from __future__ import annotations

__all__ = ["GaussianPrior"]

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.noise import BaseNoise
from ..core.randomness import forked_generator
from ..core.sde import NoiseLevel
from ..core.types import Series
from .path import like

_MOST_WINDOWS = 8192
_LARGEST_SVD = 1024
"""Numbers of a window up to which all directions are found before some are kept."""


@dataclass(frozen=True)
class GaussianPrior:
    """Mean and covariance of windows whitened by the noise.

    Args:
        mean: (C, L).
        vectors: orthonormal directions, (K, C L).
        variances: along them, (K,).
        rest: variance along each other direction.
    """

    mean: Tensor
    vectors: Tensor
    variances: Tensor
    rest: Tensor

    @classmethod
    def fit(cls, z: Series, rank: int = 256) -> GaussianPrior:
        """Of windows (N, C, L), of which some at even distances are looked at.

        Args:
            z: windows in the space that is diffused, whitened.
            rank: K at most.
        """
        flat = z[:: -(-len(z) // _MOST_WINDOWS)].double().flatten(1)
        mean, count = flat.mean(0), max(len(flat) - 1, 1)
        flat = flat - mean
        total = flat.square().sum() / count
        if flat.shape[1] > _LARGEST_SVD:
            with forked_generator(0, "directions of a prior"):
                _, singular, columns = torch.svd_lowrank(flat, min(rank, *flat.shape), niter=4)
            vectors = columns.mT
        else:
            _, singular, vectors = torch.linalg.svd(flat, full_matrices=False)
        kept = min(rank, len(singular))
        variances, others = singular[:kept].square() / count, flat.shape[1] - kept
        rest = (total - variances.sum()).clamp(min=0.0) / others if others else total.new_zeros(())
        return cls(mean.unflatten(0, z.shape[1:]), vectors[:kept], variances, rest)

    @classmethod
    def of_covariance(cls, mean: Tensor, covariance: Tensor) -> GaussianPrior:
        """Of a mean (C, L) and the covariance (C L, C L) of flattened windows, with all directions."""
        variances, vectors = torch.linalg.eigh(covariance)
        return cls(mean, vectors.mT, variances.clamp(min=0.0), variances.new_zeros(()))

    @property
    def largest(self) -> float:
        """The largest variance along any direction."""
        return float(torch.cat((self.variances, self.rest[None])).max())

    @property
    def state(self) -> dict[str, Tensor]:
        """Its tensors by name, as they are saved."""
        return {name: getattr(self, name).float() for name in ("mean", "vectors", "variances", "rest")}

    @classmethod
    def of_state(cls, state: Mapping[str, Tensor]) -> GaussianPrior | None:
        """What `state` gave; None of an empty one."""
        return cls(**state) if state else None

    def covariance(
        self, v: Series, level: NoiseLevel, noise: BaseNoise, condition: Condition | None = None
    ) -> Series:
        """Cov[x_0 | x_t] v, (B, C, L), in the space that is diffused.

        Args:
            v: what is multiplied.
            level: of x_t.
            noise: by which the windows were whitened.
            condition: what the noise may depend on.
        """
        whitened = noise.whiten(noise.apply(v, condition), condition)  # Rᵀ v
        return noise.colour(self._left_of(whitened, level), condition)

    def _left_of(self, v: Series, level: NoiseLevel) -> Series:
        inner, rest = self._left(self.variances.to(v), level, v), self._left(self.rest.to(v), level, v)
        flat, vectors = v.flatten(1), self.vectors.to(v)
        along = flat @ vectors.mT
        found = rest * flat + ((inner - rest) * along) @ vectors
        return found.unflatten(1, v.shape[1:])

    def _left(self, variances: Tensor, level: NoiseLevel, v: Series) -> Tensor:
        alpha, sigma = (
            torch.as_tensor(like(value, v), dtype=v.dtype, device=v.device).reshape(-1, 1)
            for value in (level.alpha, level.sigma)
        )
        return variances * sigma**2 / (alpha**2 * variances + sigma**2)
