r"""Pseudo-inverse guidance: the likelihood of y as if x_0 given x_t had one variance everywhere.

    D_y = D + (σ²/α) Σ (∂D/∂x_t)ᵀ Hᵀ (r² H Hᵀ + S)⁻¹ (y − A x(D)),     r² = σ²/(α² + σ²)

Cheaper than `posterior` (one backward pass, the solver does not ask the network) and biased: r² is the
variance that white data of variance 1 would have.

References:
    Song, Vahdat, Mardani, Kautz (2023). Pseudoinverse-guided diffusion models for inverse problems. ICLR.
        https://openreview.net/forum?id=9_gsMA8MRKQ
"""

from __future__ import annotations

__all__ = ["PseudoInverseGuidance"]

from dataclasses import dataclass

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import PositiveInt, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.krylov import conjugate_gradients
from ...diffusion.measurement import Measurement
from ._likelihood import Jacobian, ObservedGuidance, prior_variance


@register("guidance", "pseudo_inverse")
@dataclass(frozen=True, kw_only=True)
class PseudoInverseGuidance(ObservedGuidance):
    """Posterior samples, roughly: one variance for all that is unknown.

    Args:
        strength: of the correction: 1 as derived, 0 none.
        iterations: most of the solver, which does not ask the network.
    """

    iterations: PositiveInt = 50

    def correction(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """(σ²/α) Σ Jᵀ Hᵀ (r² H Hᵀ + S)⁻¹ r; see `ObservedGuidance`."""
        at = Jacobian(denoiser, measurement, x_t, level, condition, on_prior=0.0)
        variance = prior_variance(level, x_t)
        v, _ = conjugate_gradients(
            lambda v: variance * at.tangent.back(v), at.tangent.ahead, at.tangent.residual, measurement.noise,
            variance, self.iterations,
        )  # fmt: skip
        return at.estimate, at.spread(v)
