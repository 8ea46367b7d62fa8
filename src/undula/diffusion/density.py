r"""Densities of training times: which noise levels a network practises.

Every density is given by its quantile function, so that a time is a pure function of a uniform
number (counter-based, reproducible, stratifiable), and by its probability density p(t), which
importance weights divide by. All live on [t_min, 1].

    uniform       t = t_min + (1 − t_min) w(q)           w the warp of time
    stratified    the same, with q spread evenly over the batch
    logit_normal  t = t_min + (1 − t_min) w(s(m + d z))  z standard normal, s logistic
    log_normal    log(σ/α) = m + d z, cut to the path's range
    log_snr       λ uniform between λ(1), but at least log 1e-6, and λ(t_min)

References:
    Karras et al. (2022). arXiv:2206.00364 (log-normal in σ)
    Esser et al. (2024). Scaling rectified flow transformers. arXiv:2403.03206 (logit-normal)
    Kingma et al. (2021). arXiv:2107.00630 (stratified; uniform in λ)
"""

from __future__ import annotations

__all__ = ["DensityName", "TimeDensity", "make_density"]

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ..core.errors import ConfigError
from ..core.randomness import Stream
from ..core.types import Times
from .path import GaussianPath

DensityName = Literal["uniform", "stratified", "logit_normal", "log_normal", "log_snr"]

_LOWEST_LOG_SNR = math.log(1e-6)
_LEAST_MASS = 1e-6


@dataclass(frozen=True, kw_only=True)
class TimeDensity(ABC):
    """A density p(t) on [t_min, 1].

    Args:
        path: gives t_min, λ(t) and the warp.
    """

    path: GaussianPath

    in_time: ClassVar[bool] = True
    """Whether the density is stated in t, where the warp of time acts, or in λ."""

    @abstractmethod
    def quantile(self, q: Tensor) -> Tensor:
        """T with P(time ≤ t) = q, or with P(time ≥ t) = q; elementwise in float64."""

    @abstractmethod
    def pdf(self, t: Tensor) -> Tensor:
        """p(t)."""

    def draw(self, stream: Stream, step: int, position: Tensor, batch: int) -> Times:
        """Training times.

        Args:
            stream: the draws' stream.
            step: the training step.
            position: the members' places in the global batch, integers (B,).
            batch: size of the global batch.
        """
        return self.quantile(self.spread(stream.uniform(step, position)[:, 0], position, batch))

    def spread(self, q: Tensor, position: Tensor, batch: int) -> Tensor:
        """The uniform numbers of a batch; independent unless a density says otherwise."""
        return q

    def _from_unit(self, u: Tensor) -> Tensor:
        t_min = self.path.sde.t_min
        return t_min + (1.0 - t_min) * self.path.noise.warp(u)

    def _to_unit(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """U and du/dt."""
        t_min, warp = self.path.sde.t_min, self.path.noise.warp
        u = warp.inverse(((t - t_min) / (1.0 - t_min)).clamp(0.0, 1.0))
        return u, 1.0 / ((1.0 - t_min) * warp.slope(u))


@dataclass(frozen=True, kw_only=True)
class Uniform(TimeDensity):
    """Uniform in u, hence in t where the warp is linear."""

    def quantile(self, q: Tensor) -> Tensor:
        """T at probability q."""
        return self._from_unit(q)

    def pdf(self, t: Tensor) -> Tensor:
        """p(t) = du/dt."""
        return self._to_unit(t)[1]


@dataclass(frozen=True, kw_only=True)
class Stratified(Uniform):
    """Uniform, with one time in each of the batch's B equal slices."""

    def spread(self, q: Tensor, position: Tensor, batch: int) -> Tensor:
        """Q in the slice of the member's place."""
        return (position + q) / batch


@dataclass(frozen=True, kw_only=True)
class LogitNormal(TimeDensity):
    """u is the logistic function of a normal number.

    Args:
        mean: of logit u.
        std: of logit u.
    """

    mean: float = 0.0
    std: float = 1.0

    def quantile(self, q: Tensor) -> Tensor:
        """T at probability q."""
        return self._from_unit(torch.sigmoid(self.mean + self.std * torch.special.ndtri(q)))

    def pdf(self, t: Tensor) -> Tensor:
        """p(t)."""
        u, du_dt = self._to_unit(t)
        z = (torch.logit(u) - self.mean) / self.std
        density = _normal_pdf(z) / (self.std * u * (1.0 - u))
        return torch.where((u > 0) & (u < 1), density, torch.zeros_like(u)) * du_dt


@dataclass(frozen=True, kw_only=True)
class _InLogSNR(TimeDensity):
    """A density stated in λ, cut to the path's range."""

    in_time: ClassVar[bool] = False

    @property
    def _range(self) -> tuple[Tensor, Tensor]:
        ends = self.path.sde.log_snr(torch.tensor([1.0, self.path.sde.t_min], dtype=torch.float64))
        return ends[0].clamp(min=_LOWEST_LOG_SNR), ends[1]

    def _log_snr_slope(self, t: Tensor) -> Tensor:
        """−λ'(t) = g²/σ² > 0."""
        return self.path.sde.diffusion_squared(t) / self.path.sde.sigma(t) ** 2


@dataclass(frozen=True, kw_only=True)
class LogNormal(_InLogSNR):
    """log(σ/α) = −λ/2 is normal, cut to the path's range.

    Args:
        mean: of log(σ/α).
        std: of log(σ/α).
    """

    mean: float = -1.2
    std: float = 1.2

    def __post_init__(self) -> None:
        low, high = self._cut()
        if not float(high - low) > _LEAST_MASS:
            most, least = (-0.5 * float(v) for v in self._range)
            raise ConfigError(
                f"density log_normal with mean {self.mean:g} and standard deviation {self.std:g} has no mass "
                f"on this path, whose log(σ/α) runs from {least:.3g} to {most:.3g}: set density_mean inside"
            )

    def quantile(self, q: Tensor) -> Tensor:
        """T at probability q."""
        low, high = self._cut()
        z = torch.special.ndtri(low + q * (high - low))
        return self.path.sde.time_at(-2.0 * (self.mean + self.std * z))

    def pdf(self, t: Tensor) -> Tensor:
        """p(t)."""
        low, high = self._cut()
        z = self._standard(self.path.sde.log_snr(t))
        inside = (z >= torch.special.ndtri(low)) & (z <= torch.special.ndtri(high))
        density = _normal_pdf(z) / self.std * 0.5 * self._log_snr_slope(t) / (high - low)
        return torch.where(inside, density, torch.zeros_like(density))

    def _standard(self, log_snr: Tensor) -> Tensor:
        return (-0.5 * log_snr - self.mean) / self.std

    def _cut(self) -> tuple[Tensor, Tensor]:
        least, most = self._range
        return torch.special.ndtr(self._standard(most)), torch.special.ndtr(self._standard(least))


@dataclass(frozen=True, kw_only=True)
class UniformLogSNR(_InLogSNR):
    """λ uniform: the density under which an ε-error costs the likelihood the same at every λ."""

    def quantile(self, q: Tensor) -> Tensor:
        """T at probability q."""
        least, most = self._range
        return self.path.sde.time_at(most + q * (least - most))

    def pdf(self, t: Tensor) -> Tensor:
        """p(t) = −λ'(t) over the range of λ."""
        least, most = self._range
        log_snr = self.path.sde.log_snr(t)
        inside = (log_snr >= least) & (log_snr <= most)
        density = self._log_snr_slope(t) / (most - least)
        return torch.where(inside, density, torch.zeros_like(density))


def make_density(
    name: DensityName, path: GaussianPath, mean: float | None = None, std: float | None = None
) -> TimeDensity:
    """The density of that name.

    Args:
        name: see the module.
        path: the Gaussian path.
        mean: of logit u (logit_normal) or log(σ/α) (log_normal); None: the density's default.
        std: likewise.

    Raises:
        ConfigError: if `mean` or `std` is given for a density that has none.
    """
    parameters = {k: v for k, v in (("mean", mean), ("std", std)) if v is not None}
    if name in ("logit_normal", "log_normal"):
        return (LogitNormal if name == "logit_normal" else LogNormal)(path=path, **parameters)
    if parameters:
        raise ConfigError(
            f"density {name!r} has no {' or '.join(f'density_{k}' for k in parameters)}: "
            "leave it out, or use logit_normal or log_normal"
        )
    plain: dict[str, type[TimeDensity]] = {
        "uniform": Uniform,
        "stratified": Stratified,
        "log_snr": UniformLogSNR,
    }
    return plain[name](path=path)


def _normal_pdf(z: Tensor) -> Tensor:
    return torch.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
