"""The law of ε ~ N(0, Σ), and the warp of time that goes with it.

A noise acts on series (B, C, L): `colour` is one square root R of Σ = R Rᵀ applied to white noise,
`whiten` is R⁻¹, `apply` is Σ, `solve` Σ⁻¹. Noise may depend on the condition; it never depends on
x_0, for which no reverse process is known. Σ has a white floor: where a direction had no noise, the
data would be seen at every noise level, and no sampler could start from noise.
"""

from __future__ import annotations

__all__ = ["BaseNoise", "Warp"]

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from torch import Tensor

from .component import Component
from .condition import Condition
from .types import Series

if TYPE_CHECKING:
    from .sde import BaseSDE


@runtime_checkable
class Warp(Protocol):
    """A strictly increasing map u ↦ t of [0, 1] onto itself."""

    def __call__(self, u: Tensor) -> Tensor:
        """t(u)."""
        ...

    def inverse(self, t: Tensor) -> Tensor:
        """u(t)."""
        ...

    def slope(self, u: Tensor) -> Tensor:
        """t'(u)."""
        ...


class BaseNoise(Component, ABC):
    """The covariance Σ of the noise, mean diagonal 1.

    A noise that learns something (`fit`) is compared by identity, not by its parameters, and fitted
    once: grids of levels are kept by path.
    """

    kind: ClassVar[str] = "noise"
    any_length: ClassVar[bool] = True
    """Whether the covariance is known for series of every length."""

    @property
    def pointwise(self) -> bool:
        """Whether Σ is diagonal; if not, windows must be whole and of one length."""
        return True

    @property
    def conditional(self) -> bool:
        """Whether Σ depends on the condition."""
        return False

    @property
    def fits_warp(self) -> bool:
        """Whether `fit` chooses the warp, and with it the training times."""
        return False

    def fit(self, z: Series, sde: BaseSDE, condition: Condition | None = None) -> BaseNoise:
        """Learn from training series in the space that is diffused; return self.

        Args:
            z: training series, (N, C, L).
            sde: the path on which the noise acts.
            condition: what is told of these series.

        Raises:
            IncompatibleError: if the path would leave data visible under this noise, if it needs
                a condition that is not there, or whole windows and these are not.
        """
        return self

    @property
    @abstractmethod
    def warp(self) -> Warp:
        """The warp of time that `schedule` names."""

    @abstractmethod
    def colour(self, white: Series, condition: Condition | None = None) -> Series:
        """R applied to white noise, where Σ = R Rᵀ."""

    @abstractmethod
    def whiten(self, x: Series, condition: Condition | None = None) -> Series:
        """The inverse of `colour`."""

    @abstractmethod
    def apply(self, x: Series, condition: Condition | None = None) -> Series:
        """Σ x."""

    @abstractmethod
    def solve(self, x: Series, condition: Condition | None = None) -> Series:
        """Σ⁻¹ x."""

    @abstractmethod
    def log_det(self, channels: int, length: int, condition: Condition | None = None) -> float | Tensor:
        """Log det Σ for series of C channels and L time steps; (B,) where it depends on the condition."""
