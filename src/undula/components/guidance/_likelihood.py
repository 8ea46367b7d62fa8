"""What guidances by an observation share."""

from __future__ import annotations

__all__ = ["Jacobian", "ObservedGuidance", "Steered", "prior_variance"]

from abc import abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import ConfigError
from ...core.registry import Registry
from ...core.sde import NoiseLevel
from ...core.types import NonNegative, Series, Times
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.guidance import BaseGuidance, GuidanceLayer
from ...diffusion.measurement import Measurement, Tangent
from ...diffusion.path import like


@dataclass(frozen=True, kw_only=True)
class ObservedGuidance(BaseGuidance):
    """Steers towards an observation.

    Args:
        strength: of the correction: 1 as derived, 0 none.
    """

    layer: ClassVar[GuidanceLayer] = "likelihood"
    needs: ClassVar[str] = "an observation at sampling"
    observes: ClassVar[bool] = True

    strength: NonNegative = 1.0

    def neutral(self) -> BaseGuidance:
        """With a strength of 0."""
        return replace(self, strength=0.0)

    def apply(self, denoiser: BaseDenoiser) -> BaseDenoiser:
        """Nothing to steer towards: refused.

        Raises:
            ConfigError: with what is missing.
        """
        name = Registry.name(self)
        raise ConfigError(
            f"guidance {name} steers towards an observation, and there is none: pass observation=…, or use "
            "impute or forecast"
        )

    def steer(self, denoiser: BaseDenoiser, measurement: Measurement | None) -> BaseDenoiser:
        """The steered denoiser; see `BaseGuidance.steer`."""
        if measurement is None:
            return self.apply(denoiser)
        self.check_measurement(measurement)
        return denoiser if self.strength == 0 else Steered(denoiser, self, measurement)

    def check_measurement(self, measurement: Measurement) -> None:
        """Refuse a measurement that this guidance cannot follow.

        Raises:
            IncompatibleError: with the remedy.
        """

    @abstractmethod
    def correction(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """D and what is to be added to it at a strength of 1, each (B, C, L)."""


class Steered(BaseDenoiser):
    """D + strength × correction.

    Args:
        inner: the denoiser.
        guidance: what corrects it.
        measurement: of the batch.
    """

    def __init__(self, inner: BaseDenoiser, guidance: ObservedGuidance, measurement: Measurement) -> None:
        self.inner, self.path = inner, inner.path
        self.guidance, self.measurement = guidance, measurement

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """The steered estimate."""
        level = self.path.level(t)
        d, change = self.guidance.correction(self.inner, self.measurement.to(x_t), x_t, level, condition)
        return d + self.guidance.strength * change


class Jacobian:
    """D at x_t, with C = Cov[x_0 | x_t] = (σ²/α) Σ (∂D/∂x_t)ᵀ as a product.

    Attributes:
        estimate: D.
        tangent: of the measurement there.
        all_low: whether C is the fitted Gaussian's, for every member.

    Args:
        denoiser: D.
        measurement: of the batch.
        x_t: noisy series.
        level: their noise level.
        condition: what the denoiser is told.
        on_prior: the product of SNR and the largest variance of the fitted Gaussian below which C is that
            Gaussian's.
    """

    def __init__(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
        on_prior: float,
    ) -> None:
        self._level, self._prior, self._path = level, measurement.prior, denoiser.path
        self._condition = condition
        largest = 1.0 if self._prior is None else self._prior.largest
        low = (
            torch.as_tensor(like(level.alpha, x_t)) ** 2 * largest
            < on_prior * torch.as_tensor(like(level.sigma, x_t)) ** 2
        )
        self.all_low, self._low = bool(low.all()), low if bool(low.any()) else None
        if self.all_low:
            self.estimate = denoiser(x_t, level, condition)
        else:
            with torch.enable_grad():
                self._x = x_t.detach().requires_grad_()
                self._d = denoiser(self._x, level, condition)
            self.estimate = self._d.detach()
        self.tangent = Tangent(measurement, self.estimate)

    def hidden_spread(self, v: Tensor) -> Series:
        """C Hᵀ v with C of the fitted Gaussian."""
        return self._hidden(self.tangent.back(v))

    def spread(self, v: Tensor) -> Series:
        """C Hᵀ v."""
        pulled = self.tangent.back(v)
        if self.all_low:
            return self._hidden(pulled)
        (found,) = torch.autograd.grad(self._d, self._x, pulled, retain_graph=True)
        alpha, sigma = like(self._level.alpha, found), like(self._level.sigma, found)
        if self._low is None:
            return self._path.noise.apply(found, self._condition) * (sigma**2 / alpha)
        factor = torch.as_tensor(sigma**2) / torch.where(self._low, 1.0, torch.as_tensor(alpha))
        visible = self._path.noise.apply(found, self._condition) * factor
        return torch.where(self._low, self._hidden(pulled), visible)

    def _hidden(self, v: Series) -> Series:
        if self._prior is not None:
            return self._prior.covariance(v, self._level, self._path.noise, self._condition)
        return v * prior_variance(self._level, v)


def prior_variance(level: NoiseLevel, like_this: Tensor) -> float | Tensor:
    """σ²/(α² + σ²): what is left of a variance of 1."""
    alpha, sigma = like(level.alpha, like_this), like(level.sigma, like_this)
    return sigma**2 / (alpha**2 + sigma**2)
