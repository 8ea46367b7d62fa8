r"""Diffusion posterior sampling: the likelihood of y as if x_0 were the estimate itself. Biased.

    D_y = D + (σ²/α) Σ (∂D/∂x_t)ᵀ Hᵀ S⁻¹ (y − A x(D))

What is unknown of x_0 given x_t is left out of the likelihood's variance, so that at high noise it pulls
far too hard. Published implementations replace S by a step size per residual norm; here numbers without
noise of their own have the variance of the member's residuals. The pull is shortened to what would take the
estimate onto the observation, without which it diverges. Kept because it is what most people use: see the
table of biases in docs/concepts/guidance.md, and use `posterior`.

References:
    Chung, Kim, Mccann, Klasky, Ye (2023). Diffusion posterior sampling for general noisy inverse problems.
        arXiv:2209.14687
"""

from __future__ import annotations

__all__ = ["DPSGuidance"]

from dataclasses import dataclass

import torch

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.measurement import Measurement
from ._likelihood import Jacobian, ObservedGuidance

_SMALL = 1e-12


@register("guidance", "dps")
@dataclass(frozen=True, kw_only=True)
class DPSGuidance(ObservedGuidance):
    """Biased: posterior samples that leave out what is unknown of the estimate.

    Args:
        strength: of the pull: 1 as derived, 0 none.
    """

    def correction(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """(σ²/α) Σ Jᵀ Hᵀ S⁻¹ r, shortened; see `ObservedGuidance`."""
        at = Jacobian(denoiser, measurement, x_t, level, condition, on_prior=0.0)
        residual, known = at.tangent.residual, measurement.known
        count = known.sum((1, 2), keepdim=True).clamp(min=1)
        mean_square = residual.square().sum((1, 2), keepdim=True) / count
        variance = torch.where(measurement.noise > 0, measurement.noise, mean_square.clamp(min=_SMALL))
        change = at.spread(residual / variance)
        seen = at.tangent.ahead(change)
        length, pull = residual.square().sum((1, 2), keepdim=True), seen.square().sum((1, 2), keepdim=True)
        return at.estimate, change * torch.rsqrt((pull / length.clamp(min=_SMALL)).clamp(min=1.0))
