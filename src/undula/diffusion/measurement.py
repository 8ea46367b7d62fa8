r"""A measurement of the series that are being sampled, as a likelihood sees it.

    y = A x + n,    n ~ N(0, S) with a variance for each number,    x = decode(z) in the user's units

A sampler works on z, in the space that is diffused; `decode` is the preprocessing's way back. Where it is
not affine, it counts as its tangent at the estimate that is at hand (the extended Kalman filter's step).

References:
    Kalman (1960). A new approach to linear filtering and prediction problems. doi:10.1115/1.3662552
"""

from __future__ import annotations

__all__ = ["Measurement", "Tangent"]

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..core.operator import BaseOperator
from ..core.types import Measured, Series
from .prior import GaussianPrior

Map = Callable[[Series], Series]


def _same(x: Series) -> Series:
    return x


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What was measured of each member of a batch.

    Args:
        y: in the user's units, (B, C', L'); numbers that are unknown are not looked at.
        variance: of the noise of each number, (B, C', L'): 0 is exact, ∞ unknown.
        operator: A.
        decode: from the space that is diffused to the user's units, differentiable.
        encode: its inverse.
        prior: the Gaussian nearest to the data in that space; None: not known.
    """

    y: Measured
    variance: Measured
    operator: BaseOperator
    decode: Map = _same
    encode: Map = _same
    prior: GaussianPrior | None = None

    @property
    def known(self) -> Tensor:
        """True where there is a number, (B, C', L')."""
        return torch.isfinite(self.variance)

    @property
    def noise(self) -> Measured:
        """The variance, 0 where nothing is known."""
        return torch.where(self.known, self.variance, 0.0)

    def to(self, z: Tensor) -> Measurement:
        """The same in the type and on the device of z."""
        return replace(self, y=self.y.to(z), variance=self.variance.to(z))

    def residual(self, x: Series) -> Measured:
        """Y − A x for series in the user's units, 0 where nothing is known."""
        return torch.where(self.known, self.y - self.operator(x), 0.0)


class Tangent:
    """z ↦ A decode(z) near an estimate, and what is left of y there.

    Args:
        measurement: of the batch.
        z: the estimate, in the space that is diffused.
    """

    def __init__(self, measurement: Measurement, z: Series) -> None:
        with torch.enable_grad():
            self._z = z.detach().requires_grad_()
            self._value = measurement.operator(measurement.decode(self._z))
        self._known = measurement.known
        self.residual = torch.where(self._known, measurement.y - self._value.detach(), 0.0)
        self._dual: Tensor | None = None
        self._pulled: Tensor | None = None

    def back(self, v: Measured) -> Series:
        """Hᵀ v, the vector-Jacobian product; unknown numbers do not count."""
        v = torch.where(self._known, v, 0.0)
        (found,) = torch.autograd.grad(self._value, self._z, v, retain_graph=True)
        return found

    def ahead(self, u: Series) -> Measured:
        """H u, the Jacobian-vector product: the derivative of Hᵀ v in v, which is linear in v."""
        if self._pulled is None:
            with torch.enable_grad():
                self._dual = torch.zeros_like(self._value, requires_grad=True)
                (self._pulled,) = torch.autograd.grad(self._value, self._z, self._dual, create_graph=True)
        assert self._dual is not None
        (found,) = torch.autograd.grad(self._pulled, self._dual, u, retain_graph=True)
        return torch.where(self._known, found, 0.0)
