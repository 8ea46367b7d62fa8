r"""Exact denoisers of a Gaussian and of a Gaussian mixture.

For x_0 ~ N(m, C) and x_t = α x_0 + σ ε, ε ~ N(0, Σ),

    E[x_0 | x_t] = m + α C (α² C + σ² Σ)⁻¹ (x_t − α m).

With the eigenvectors of Σ^−½ C Σ^−½ = U Λ Uᵀ, P = Uᵀ Σ^−½ and P⁻ = Σ^½ U this is

    m + P⁻ [αΛ/(α²Λ + σ²)] P (x_t − α m),

so that every noise level costs two matrix products. A mixture weighs its members' means by their
responsibilities at x_t. They are the golden tests' truth, baselines, and bases for a network.
"""

from __future__ import annotations

__all__ = ["GaussianDenoiser", "GaussianMixtureDenoiser"]

from functools import cached_property

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.errors import IncompatibleError
from ..core.randomness import Stream
from ..core.sde import NoiseLevel
from ..core.types import Series, Times
from .denoiser import ClosedFormDenoiser
from .path import GaussianPath, like


class _Gaussians:
    """K Gaussians on flattened series, in coordinates where C and Σ are both diagonal."""

    def __init__(self, path: GaussianPath, mean: Tensor, covariance: Tensor) -> None:
        if path.noise.conditional:
            raise IncompatibleError(
                f"an exact denoiser needs one covariance of the noise, and {type(path.noise).__name__} "
                "changes with the condition: use noise without scale_from and scale: history"
            )
        self.mean = mean.flatten(-2)  # (K, d)
        d = self.mean.shape[-1]
        basis = torch.eye(d, dtype=mean.dtype, device=mean.device).unflatten(-1, mean.shape[-2:])
        whiten = path.noise.whiten(basis).flatten(-2).mT
        colour = path.noise.colour(basis).flatten(-2).mT
        self.eigenvalues, vectors = torch.linalg.eigh(whiten @ covariance @ whiten.mT)
        self.eigenvalues = self.eigenvalues.clamp(min=0.0)  # (K, d)
        self.project = vectors.mT @ whiten  # (K, d, d)
        self.back = colour @ vectors  # (K, d, d)

    def coordinates(self, x_t: Series, level: NoiseLevel) -> tuple[Tensor, Tensor]:
        """P(x_t − α m) and the gain αΛ/(α²Λ + σ²), each (B, K, d)."""
        alpha = like(level.alpha, x_t)
        offset = x_t.flatten(1)[:, None] - alpha * self.mean.to(x_t)
        y = torch.einsum("kij,bkj->bki", self.project.to(x_t), offset)
        return y, alpha * self.eigenvalues.to(x_t) / self.variance(x_t, level)

    def variance(self, x_t: Series, level: NoiseLevel) -> Tensor:
        """α²Λ + σ², the variance of x_t in these coordinates, (B or 1, K, d)."""
        alpha, sigma = like(level.alpha, x_t), like(level.sigma, x_t)
        return alpha**2 * self.eigenvalues.to(x_t) + sigma**2

    def posterior_mean(self, x_t: Series, level: NoiseLevel) -> tuple[Tensor, Tensor]:
        """Each member's E[x_0 | x_t] and log-density at x_t up to a shared constant."""
        y, gain = self.coordinates(x_t, level)
        variance = self.variance(x_t, level)
        means = self.mean.to(x_t) + torch.einsum("kij,bkj->bki", self.back.to(x_t), gain * y)
        return means, -0.5 * (y**2 / variance + torch.log(variance)).sum(-1)


class GaussianMixtureDenoiser(ClosedFormDenoiser):
    """The exact denoiser of a mixture of Gaussians.

    Args:
        path: the Gaussian path; its noise must not depend on the condition.
        weights: the members' probabilities, (K,).
        means: (K, C, L).
        covariances: of the flattened series, (K, C·L, C·L).
    """

    _residual_draws = 512

    def __init__(self, path: GaussianPath, weights: Tensor, means: Tensor, covariances: Tensor) -> None:
        self.path = path
        self.shape = (means.shape[-2], means.shape[-1])
        self.log_weights = torch.log(weights / weights.sum())
        self.covariances = covariances
        self._members = _Gaussians(path, means, covariances)

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """E[x_0 | x_t]; see `BaseDenoiser`."""
        means, log_density = self._members.posterior_mean(x_t, self.path.level(t))
        weights = torch.softmax(log_density + self.log_weights.to(x_t), dim=-1)
        return torch.einsum("bk,bki->bi", weights, means).unflatten(-1, self.shape)

    def log_prob(self, x_t: Series, t: float | Times | NoiseLevel) -> Tensor:
        """Log p(x_t), (B,)."""
        _, log_density = self._members.posterior_mean(x_t, self.path.level(t))
        channels, length = self.shape
        d = channels * length
        constant = d * torch.log(torch.tensor(2.0 * torch.pi)) + self.path.noise.log_det(channels, length)
        return torch.logsumexp(log_density + self.log_weights.to(x_t), dim=-1) - 0.5 * constant.to(x_t)

    def sample(self, n: int, seed: int = 0) -> Series:
        """Exact draws of x_0, (n, C, L)."""
        index = torch.arange(n)
        chosen = Stream(seed, "mixture member").uniform(0, index)[:, 0]
        member = torch.searchsorted(self.log_weights.exp().double().cumsum(0), chosen.contiguous())
        member = member.clamp(max=len(self.log_weights) - 1)
        white = Stream(seed, "mixture draw").normal(0, index, *self.shape, torch.float64).flatten(1)
        scaled = white * self._members.eigenvalues.double()[member].sqrt()
        flat = torch.einsum("bij,bj->bi", self._members.back.double()[member], scaled)
        mean = self._members.mean.double()[member]
        return (mean + flat).unflatten(-1, self.shape).to(self.covariances)

    def residual_variance(self, level: NoiseLevel) -> float | Tensor:
        """E‖x_0 − D‖²/(C L); measured on draws of the mixture and interpolated in λ."""
        log_snr, log_variance = self._residual_table
        lam = torch.as_tensor(level.snr, dtype=torch.float64).log().clamp(log_snr[0], log_snr[-1])
        right = torch.searchsorted(log_snr, lam.contiguous()).clamp(1, len(log_snr) - 1)
        share = (lam - log_snr[right - 1]) / (log_snr[right] - log_snr[right - 1])
        value = torch.lerp(log_variance[right - 1], log_variance[right], share).exp()
        return value if isinstance(level.alpha, Tensor) else float(value)

    @cached_property
    def _residual_table(self) -> tuple[Tensor, Tensor]:
        log_snr = torch.linspace(-16.0, 20.0, 73, dtype=torch.float64)
        x_0 = self.sample(self._residual_draws).double()
        index = torch.arange(len(x_0))
        white = Stream(0, "residual variance").normal(0, index, *self.shape, torch.float64)
        eps = self.path.noise.colour(white)
        values = []
        for lam in log_snr.tolist():
            sigma = (1.0 + torch.tensor(lam).exp().item()) ** -0.5
            level = NoiseLevel(t=float("nan"), alpha=(1.0 - sigma**2) ** 0.5, sigma=sigma)
            error = x_0 - self(self.path.perturb(x_0, eps, level), level)
            values.append(error.square().mean())
        return log_snr, torch.stack(values).clamp(min=1e-12).log()


class GaussianDenoiser(ClosedFormDenoiser):
    """The exact denoiser of one Gaussian.

    Args:
        path: the Gaussian path; its noise must not depend on the condition.
        mean: m, (C, L).
        covariance: C, of the flattened series, (C·L, C·L).
    """

    def __init__(self, path: GaussianPath, mean: Tensor, covariance: Tensor) -> None:
        self.path = path
        self.mean = mean
        self.covariance = covariance
        self._gaussian = _Gaussians(path, mean[None], covariance[None])

    @classmethod
    def fit(cls, path: GaussianPath, x: Series) -> GaussianDenoiser:
        """The Gaussian with the mean and covariance of the series x (N, C, L)."""
        covariance = torch.cov(x.double().flatten(1).mT).reshape(x[0].numel(), -1)
        return cls(path, x.double().mean(0).to(x), covariance.to(x))

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """E[x_0 | x_t]; see `BaseDenoiser`."""
        means, _ = self._gaussian.posterior_mean(x_t, self.path.level(t))
        return means[:, 0].unflatten(-1, self.mean.shape)

    def residual_variance(self, level: NoiseLevel) -> float | Tensor:
        """Tr Cov[x_0 | x_t]/(C L), in closed form."""
        x = self._gaussian.eigenvalues.double()
        variance = (
            x * like(level.sigma, x) ** 2 / (like(level.alpha, x) ** 2 * x + like(level.sigma, x) ** 2)
        )  # (B or 1, 1, d)
        scale = self._gaussian.back.double().square().sum(-2)
        value = (variance * scale).mean(-1)[..., None]
        return value if isinstance(level.alpha, Tensor) else float(value)
