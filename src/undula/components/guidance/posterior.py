r"""Moment-matched posterior sampling: the estimate given y as well, by the denoiser's own covariance.

    D_y = D + C Hᵀ (S + H C Hᵀ)⁻¹ (y − A x(D)),     C = Cov[x_0 | x_t] = (σ²/α) Σ (∂D/∂x_t)ᵀ

with H the derivative of z ↦ A decode(z). It is E[x_0 | x_t, y] where x_0 given x_t is Gaussian, exactly so
for Gaussian data, whatever the operator and the noise of the observation; elsewhere it matches two moments.
Products with C are vector-Jacobian products of the denoiser, one a solver iteration; the covariance of a
Gaussian fitted to the training data preconditions the solver.

Where noise hides nearly all, the Jacobian of a network says nothing, and C is the covariance that a
Gaussian fitted to the training data leaves.

References:
    Finzi et al. (2023). User-defined event sampling and uncertainty quantification in diffusion models for
        physical dynamical systems. arXiv:2306.07526
    Boys et al. (2023). Tweedie moment projected diffusions for inverse problems. arXiv:2310.06721
    Rozet et al. (2024). Learning diffusion priors from observations by expectation maximization.
        arXiv:2405.13712
"""

from __future__ import annotations

__all__ = ["PosteriorGuidance"]

from dataclasses import dataclass

from ...core.condition import Condition
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Measured, NonNegative, PositiveInt, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.krylov import conjugate_gradients, solve
from ...diffusion.measurement import Measurement
from ._likelihood import Jacobian, ObservedGuidance, prior_variance

_OF_THE_PRIOR = 50
"""Most iterations of a solver that does not ask the network."""


@register("guidance", "posterior")
@dataclass(frozen=True, kw_only=True)
class PosteriorGuidance(ObservedGuidance):
    """Posterior samples by the denoiser's covariance: the one to use unless there is a reason.

    Args:
        strength: of the correction: 1 as derived, 0 none.
        iterations: of the solver; each costs a backward pass through the network.
        on_prior: signal-to-noise ratio, times the largest variance of the data, below which C is that of the
            fitted Gaussian.
    """

    iterations: PositiveInt = 2
    on_prior: NonNegative = 1.0

    def correction(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """C Hᵀ (S + H C Hᵀ)⁻¹ r; see `ObservedGuidance`."""
        at = Jacobian(denoiser, measurement, x_t, level, condition, self.on_prior)
        given = at.tangent.ahead, at.tangent.residual, measurement.noise, prior_variance(level, x_t)
        if at.all_low:
            return at.estimate, conjugate_gradients(at.hidden_spread, *given, _OF_THE_PRIOR)[1]

        def inverse(v: Measured) -> Measured:
            ahead, _, noise, variance = given
            return conjugate_gradients(at.hidden_spread, ahead, v, noise, variance, _OF_THE_PRIOR)[0]

        known = None if measurement.prior is None else inverse
        _, change = solve(at.spread, *given, self.iterations, known)
        return at.estimate, change
