"""What the two variance-preserving families share: B(t) of a linear β."""

from __future__ import annotations

__all__ = ["LinearBetaSDE"]

from dataclasses import dataclass

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.sde import BaseSDE
from ...core.types import NonNegative, Positive


@dataclass(frozen=True, kw_only=True)
class LinearBetaSDE(BaseSDE):
    """α = exp(−½ B(t)), B(t) = β_min t + ½ (β_max − β_min) t².

    Args:
        beta_min: β(0), the rate of destruction at the data.
        beta_max: β(1), the rate at the noise.
    """

    beta_min: NonNegative = 0.1
    beta_max: Positive = 20.0

    def __post_init__(self) -> None:
        if self.beta_min > self.beta_max:
            raise ConfigError(
                f"beta_min = {self.beta_min:g} is above beta_max = {self.beta_max:g}: swap them"
            )

    def integral(self, t: Tensor) -> Tensor:
        """B(t)."""
        return self.beta_min * t + 0.5 * (self.beta_max - self.beta_min) * t**2

    def time_of_integral(self, integral: Tensor) -> Tensor:
        """T with B(t) = `integral`, clipped to [0, 1]."""
        root = torch.sqrt(self.beta_min**2 + 2.0 * (self.beta_max - self.beta_min) * integral)
        return (2.0 * integral / (self.beta_min + root)).clamp(0.0, 1.0)

    def alpha(self, t: Tensor) -> Tensor:
        """exp(−½ B)."""
        return torch.exp(-0.5 * self.integral(t))
