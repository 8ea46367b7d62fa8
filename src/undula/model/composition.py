"""Components put together: a model's parts, checked against each other before anything runs."""

from __future__ import annotations

__all__ = ["Composition"]

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.architecture import BaseArchitecture
from ..core.component import Component
from ..core.noise import BaseNoise
from ..core.preprocessing import BasePreprocessor
from ..core.registry import Registry
from ..core.sde import BaseSDE
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.objective import BaseObjective, refuse_idle_warp
from ..diffusion.parametrization import Parametrization
from ..diffusion.path import GaussianPath
from ..diffusion.sampler import BaseSampler

Spec = str | Mapping[str, Any] | Component | Sequence[Any]


class Composition:
    """The exchangeable parts of a model.

    Args:
        preprocessing: map to the space that is diffused.
        architecture: the network.
        noise: covariance and warp.
        sde: the path; None: the objective's own.
        objective: what is learned.
        sampler: how samples are drawn.

    Raises:
        UnknownNameError: if there is no such component.
        IncompatibleError: if two of them cannot work together, with the remedy.
    """

    def __init__(
        self,
        preprocessing: Spec,
        architecture: Spec,
        noise: Spec,
        sde: Spec | None,
        objective: Spec,
        sampler: Spec,
    ) -> None:
        self.objective: BaseObjective = Registry.resolve("objective", objective)
        self.sde: BaseSDE = Registry.resolve("sde", self.objective.default_sde if sde is None else sde)
        self.noise: BaseNoise = copy.deepcopy(Registry.resolve("noise", noise))
        self.path = GaussianPath(sde=self.sde, noise=self.noise)
        self.sampler: BaseSampler = Registry.resolve("sampler", sampler)
        self.architecture: BaseArchitecture = copy.deepcopy(Registry.resolve("architecture", architecture))
        self.preprocessing: BasePreprocessor = copy.deepcopy(Registry.resolve("preprocessing", preprocessing))
        self.objective.check(self.path)
        self.check_sampler(self.sampler)

    def check_sampler(self, sampler: BaseSampler) -> None:
        """Refuse a sampler that does not go with the path or the objective."""
        sampler.check(self.path)
        refuse_idle_warp(self.objective, sampler.grid == "uniform", self.path)

    def denoiser(self, s: float) -> NetDenoiser:
        """The network with its preconditioning, for data of standard deviation s."""
        parametrization = Parametrization(prediction=self.objective.prediction, s=s)
        return NetDenoiser(self.architecture, self.path, parametrization)

    def specs(self) -> dict[str, dict[str, Any]]:
        """The parts as specs, by kind."""
        parts = (self.preprocessing, self.architecture, self.noise, self.sde, self.objective, self.sampler)
        return {part.kind: Registry.spec(part) for part in parts}
