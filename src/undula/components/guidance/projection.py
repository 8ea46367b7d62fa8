r"""Projection: at every step the estimate is made consistent with the observation, exactly.

    x ← x + A⁺ (y − A x),     x = decode(D) in the user's units

The smallest change of x after which A x = y wherever there is such an x (the null-space decomposition: what
A sees comes from y, the rest from the model). The last step of every sampler ends on the estimate, hence so
do samples. It takes y as free of noise, and does not tell the rest what y says of it: the spread of what is
not observed is that of the model without y. For a network that is told y already, it is the right thing to
add.

References:
    Wang, Yu, Zhang (2023). Zero-shot image restoration using denoising diffusion null-space model.
        arXiv:2212.00490
"""

from __future__ import annotations

__all__ = ["ProjectionGuidance"]

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ...core.condition import Condition
from ...core.errors import IncompatibleError
from ...core.registry import Registry, register
from ...core.sde import NoiseLevel
from ...core.types import Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.guidance import GuidanceLayer
from ...diffusion.measurement import Measurement
from ...diffusion.path import GaussianPath
from ._likelihood import ObservedGuidance


@register("guidance", "projection")
@dataclass(frozen=True, kw_only=True)
class ProjectionGuidance(ObservedGuidance):
    """Samples that agree with the observation exactly.

    Args:
        strength: share of the way to the observation at every step: 1 all of it, 0 none.
    """

    layer: ClassVar[GuidanceLayer] = "constraint"

    def check_measurement(self, measurement: Measurement) -> None:
        """Refuse noise, and gaps that an operator mixes with what is known."""
        name = Registry.name(self)
        if bool((measurement.noise > 0).any()):
            raise IncompatibleError(
                f"guidance {name} takes the observation as exact, and this one has noise: use posterior, or "
                "leave sigma and ivar out"
            )
        if not measurement.operator.pointwise and not bool(measurement.known.all()):
            raise IncompatibleError(
                f"guidance {name} cannot go back from a part of what "
                f"{Registry.name(measurement.operator)} gives, and the observation has unknown numbers: use "
                "posterior, or observe all of it"
            )

    def correction(
        self,
        denoiser: BaseDenoiser,
        measurement: Measurement,
        x_t: Series,
        level: NoiseLevel,
        condition: Condition | None,
    ) -> tuple[Series, Series]:
        """From D to the nearest series that agrees; see `ObservedGuidance`."""
        estimate = denoiser(x_t, level, condition)
        x = measurement.decode(estimate)
        missing = measurement.operator.pseudo_inverse(measurement.residual(x), *x.shape[1:])
        return estimate, measurement.encode(x + self.share(denoiser.path, level) * missing) - estimate

    def share(self, path: GaussianPath, level: NoiseLevel) -> float | Tensor:
        """How much of the way to the observation an estimate at this noise level goes."""
        return 1.0
