r"""Wiener's filter at every step: the estimate given y, by a covariance that was fitted beforehand.

    D_y = D + C Hᵀ (S + H C Hᵀ)⁻¹ (y − A x(D)),     C = (C_data⁻¹ + α²/σ² Σ⁻¹)⁻¹

with C_data the covariance of the training data in the space that is diffused. The network is only called,
not differentiated: nearly as fast as sampling without guidance. Exact for Gaussian data; elsewhere what the
network knows beyond second moments does not reach what is not observed.

References:
    Wiener (1949). Extrapolation, interpolation, and smoothing of stationary time series. MIT Press.
"""

from __future__ import annotations

__all__ = ["WienerGuidance"]

from dataclasses import dataclass

from ...core.condition import Condition
from ...core.errors import IncompatibleError
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Measured, PositiveInt, Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.krylov import conjugate_gradients
from ...diffusion.measurement import Measurement, Tangent
from ._likelihood import ObservedGuidance, prior_variance


@register("guidance", "wiener")
@dataclass(frozen=True, kw_only=True)
class WienerGuidance(ObservedGuidance):
    """Posterior samples by the covariance of the training data.

    Args:
        strength: of the correction: 1 as derived, 0 none.
        iterations: most of the solver, which does not ask the network.
    """

    iterations: PositiveInt = 50

    def check_measurement(self, measurement: Measurement) -> None:
        """Refuse a model without a fitted covariance."""
        if measurement.prior is None:
            raise IncompatibleError(
                "guidance wiener needs the covariance of the training data, and this model has none (it is "
                "of an older version, or its windows vary in length): use posterior"
            )

    def correction(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """C Hᵀ (S + H C Hᵀ)⁻¹ r; see `ObservedGuidance`."""
        estimate = denoiser(x_t, level, condition)
        tangent, prior = Tangent(measurement, estimate), measurement.prior
        assert prior is not None

        def spread(v: Measured) -> Series:
            return prior.covariance(tangent.back(v), level, denoiser.path.noise, condition)

        _, change = conjugate_gradients(
            spread, tangent.ahead, tangent.residual, measurement.noise,
            prior_variance(level, x_t), self.iterations,
        )  # fmt: skip
        return estimate, change
