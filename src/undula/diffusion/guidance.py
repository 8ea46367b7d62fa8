r"""Guidance: Denoiser → Denoiser, so that every sampler works with every guidance.

Guidances stack, innermost first: classifier-free, which calls the network with and without its
condition; then likelihoods, D + (σ²/α) Σ ∇log p(y | x_t); then hard constraints on what is left.
"""

from __future__ import annotations

__all__ = ["BaseGuidance", "CountedDenoiser", "check_order", "guided"]

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Literal, get_args

from ..core.architecture import BaseArchitecture
from ..core.component import Component
from ..core.condition import Condition, Layout
from ..core.errors import IncompatibleError
from ..core.registry import Registry
from ..core.sde import NoiseLevel
from ..core.types import Series, Times
from .denoiser import BaseDenoiser
from .measurement import Measurement
from .path import GaussianPath

GuidanceLayer = Literal["classifier_free", "likelihood", "constraint"]
_LAYERS: tuple[GuidanceLayer, ...] = get_args(GuidanceLayer)


class BaseGuidance(Component, ABC):
    """Steers a denoiser in sampling; training knows nothing of it.

    Attributes:
        layer: where it stands in a stack: classifier_free (innermost), likelihood or constraint.
        observes: whether it steers towards an observation, which then has to be there.
    """

    kind: ClassVar[str] = "guidance"
    layer: ClassVar[GuidanceLayer]
    observes: ClassVar[bool] = False

    def check(self, path: GaussianPath, layout: Layout, architecture: BaseArchitecture) -> None:
        """Refuse a model that this guidance cannot steer.

        Args:
            path: on which the model works.
            layout: what the network is built for.
            architecture: the network.

        Raises:
            IncompatibleError: with the remedy.
        """

    @abstractmethod
    def neutral(self) -> BaseGuidance:
        """The same guidance with the strength at which it changes nothing."""

    @abstractmethod
    def apply(self, denoiser: BaseDenoiser) -> BaseDenoiser:
        """The steered denoiser."""

    def steer(self, denoiser: BaseDenoiser, measurement: Measurement | None) -> BaseDenoiser:
        """The steered denoiser, of members of which something was measured.

        Args:
            denoiser: to be steered.
            measurement: of the members of a batch; None: nothing. Only one that `observes` looks at it.
        """
        return self.apply(denoiser)


def check_order(guidances: Sequence[BaseGuidance]) -> None:
    """Refuse a stack that is not given from the inside out.

    Raises:
        IncompatibleError: naming two that have to change places.
    """
    for inner, outer in itertools.pairwise(guidances):
        if _LAYERS.index(inner.layer) > _LAYERS.index(outer.layer):
            first, second = Registry.name(outer), Registry.name(inner)
            raise IncompatibleError(
                f"guidance stacks from the inside out ({', '.join(_LAYERS)}): put {first} before {second}"
            )
        if inner.layer == outer.layer == "classifier_free":
            raise IncompatibleError(
                "guidance has two classifier-free members, and the second would take the first for the "
                "network: keep one"
            )


def guided(
    denoiser: BaseDenoiser, guidances: Sequence[BaseGuidance], measurement: Measurement | None = None
) -> BaseDenoiser:
    """The denoiser with guidances applied, the first innermost; see `BaseGuidance.steer`."""
    for guidance in guidances:
        denoiser = guidance.steer(denoiser, measurement)
    return denoiser


class CountedDenoiser(BaseDenoiser):
    """A denoiser that counts how often it is asked.

    Args:
        inner: the denoiser.

    Attributes:
        members: series that it was asked for, over all calls.
    """

    def __init__(self, inner: BaseDenoiser) -> None:
        self.inner, self.path, self.members = inner, inner.path, 0

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """E[x_0 | x_t, c] of the inner denoiser."""
        self.members += len(x_t)
        return self.inner(x_t, t, condition)
