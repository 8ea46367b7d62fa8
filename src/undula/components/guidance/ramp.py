r"""Projection with a weight that grows as the noise falls.

    x ← x + w A⁺ (y − A x),     w = 1 − s by default, s = (σ(t) − σ(t_min))/(σ(1) − σ(t_min))

At high noise the estimate is a blurred mean, and the model has not decided yet: a weight below 1 leaves it
room. The weight is 1 at the end, so that samples agree with the observation as exactly as those of
`projection`.

References:
    Choi, Kim, Jeong, Gwon, Yoon (2021). ILVR: conditioning method for denoising diffusion probabilistic
        models.
        arXiv:2108.02938 (constraints at chosen noise levels)
"""

from __future__ import annotations

__all__ = ["RampGuidance"]

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.expression import Expression
from ...core.kept import kept
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...diffusion.path import GaussianPath
from .projection import ProjectionGuidance


@register("guidance", "ramp")
@dataclass(frozen=True, kw_only=True)
class RampGuidance(ProjectionGuidance):
    """Samples that agree with the observation in the end.

    Args:
        strength: factor of the weight.
        schedule: the weight as a formula of s, the noise's share of that at the start, with values from
            0 to 1 and 1 at s = 0: "1 - s", "(1 - s)**2", "exp(-5*s)".
    """

    schedule: str = "1 - s"

    def __post_init__(self) -> None:
        s = torch.linspace(0.0, 1.0, 101, dtype=torch.float64)
        weights = self._weight(s)
        if not bool(((weights > -1e-9) & (weights < 1 + 1e-9)).all()) or abs(float(weights[0]) - 1.0) > 1e-9:
            raise ConfigError(
                f"ramp: schedule {self.schedule!r} goes from {float(weights[0]):.3g} at s = 0 to "
                f"{float(weights[-1]):.3g} at s = 1: give weights from 0 to 1, with 1 at s = 0"
            )

    @cached_property
    def _weight(self) -> Expression:
        return Expression(self.schedule, "s")

    def share(self, path: GaussianPath, level: NoiseLevel) -> float | Tensor:
        """The weight; see `ProjectionGuidance.share`."""
        last, first = kept(_ends, path)
        s = (torch.as_tensor(level.sigma, dtype=torch.float64) - last) / (first - last)
        weight = self._weight(s.clamp(0.0, 1.0))
        return weight if isinstance(level.sigma, Tensor) else float(weight)


def _ends(path: GaussianPath) -> tuple[float, float]:
    """σ at the last call of a sampler, and at t = 1."""
    return float(path.level(path.sde.t_min).sigma), float(path.level(1.0).sigma)
