"""Components put together: a model's parts, checked against each other before anything runs."""

from __future__ import annotations

__all__ = ["Composition", "Spec", "resolve_guidance"]

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from ..core.architecture import BaseArchitecture
from ..core.component import Component
from ..core.condition import Layout
from ..core.errors import ConfigError, IncompatibleError
from ..core.noise import BaseNoise
from ..core.preprocessing import BasePreprocessor
from ..core.registry import Registry
from ..core.sde import BaseSDE
from ..diffusion.denoiser import NetDenoiser
from ..diffusion.guidance import BaseGuidance, check_order
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
        guidance: what steers the denoiser in sampling, from the inside out.

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
        guidance: Sequence[Spec] = (),
    ) -> None:
        self.objective: BaseObjective = Registry.resolve("objective", objective)
        self.sde: BaseSDE = Registry.resolve("sde", self.objective.default_sde if sde is None else sde)
        self.noise: BaseNoise = copy.deepcopy(Registry.resolve("noise", noise))
        self.path = GaussianPath(sde=self.sde, noise=self.noise)
        self.sampler: BaseSampler = Registry.resolve("sampler", sampler)
        self.architecture: BaseArchitecture = copy.deepcopy(Registry.resolve("architecture", architecture))
        self.preprocessing: BasePreprocessor = copy.deepcopy(Registry.resolve("preprocessing", preprocessing))
        self.guidance = resolve_guidance(guidance)
        self.objective.check(self.path)
        self.check_sampler(self.sampler)

    def check_sampler(self, sampler: BaseSampler) -> None:
        """Refuse a sampler that does not go with the path or the objective."""
        sampler.check(self.path)
        refuse_idle_warp(self.objective, sampler.grid == "uniform", self.path)

    def check_likelihood(self) -> None:
        """Refuse likelihoods in the data's units where the preprocessing has no log-determinant."""
        if not self.preprocessing.has_log_det:
            raise IncompatibleError(
                f"bits per dimension need a log-determinant, and preprocessing "
                f"{Registry.name(self.preprocessing)!r} as it is given has none: set "
                "evaluation.bits_per_dim: false, or use another preprocessing"
            )

    def sampler_for(self, spec: Spec | None, num_steps: int | None) -> BaseSampler:
        """The sampler of one sampling: the given one or the model's own, with its number of steps.

        Raises:
            ConfigError: if it does not go with the model.
        """
        chosen = self.sampler if spec is None else Registry.resolve("sampler", spec)
        if num_steps is not None:
            own = Registry.spec(chosen)
            chosen = Registry.resolve("sampler", {**own, "params": {**own["params"], "num_steps": num_steps}})
        assert isinstance(chosen, BaseSampler)
        self.check_sampler(chosen)
        return chosen

    def check_guidance(self, guidance: Sequence[BaseGuidance], layout: Layout) -> None:
        """Refuse guidance that this model cannot follow; `layout` is that of the data."""
        for one in guidance:
            one.check(self.path, self.preprocessing.layout(layout), self.architecture)

    def guidance_for(
        self,
        specs: Spec | Sequence[Spec] | None,
        scale: float | None,
        unconditional: bool,
        layout: Layout,
        observed: bool = False,
    ) -> list[BaseGuidance]:
        """The guidance of one sampling, from the inside out.

        Args:
            specs: instead of the model's own; None: its own.
            scale: of classifier-free guidance, which is added if there is none; None: as it is.
            unconditional: whether the network is told nothing; its own classifier-free guidance is then
                left out.
            layout: of the data.
            observed: whether there is an observation; `posterior` is added if nothing follows it.

        Raises:
            ConfigError: if they do not go together, or not with the model.
        """
        stack = self.guidance if specs is None else resolve_guidance(specs)
        free = [one for one in stack if one.layer == "classifier_free"]
        others = [one for one in stack if one not in free]
        if unconditional:
            if scale is not None or (specs is not None and free):
                raise ConfigError(
                    "classifier-free guidance compares with and without the condition, and unconditional "
                    "leaves it out: leave one of the two out"
                )
            stack = others
        if scale is not None:
            own = [Registry.spec(one)["params"] for one in free if Registry.name(one) == "cfg" and scale != 1]
            stack = [
                Registry.get("guidance", "cfg", **{**(own or [{}])[0], "guidance_scale": scale}),
                *others,
            ]
        if observed and not any(one.observes for one in stack):
            stack = [*stack, Registry.get("guidance", "posterior")]
        self.check_guidance(stack, layout)
        return stack

    def denoiser(self, s: float) -> NetDenoiser:
        """The network with its preconditioning, for data of standard deviation s."""
        parametrization = Parametrization(prediction=self.objective.prediction, s=s)
        return NetDenoiser(self.architecture, self.path, parametrization)

    def specs(self) -> dict[str, Any]:
        """The parts as specs, by kind; of guidance a list."""
        parts = (self.preprocessing, self.architecture, self.noise, self.sde, self.objective, self.sampler)
        return {part.kind: Registry.spec(part) for part in parts} | {
            "guidance": [Registry.spec(part) for part in self.guidance]
        }


def resolve_guidance(specs: Spec | Sequence[Spec]) -> list[BaseGuidance]:
    """Guidances from one spec or several.

    Raises:
        IncompatibleError: if they are not given from the inside out.
    """
    several = [specs] if isinstance(specs, str | Mapping | Component) else specs
    found: list[BaseGuidance] = [Registry.resolve("guidance", spec) for spec in several]
    check_order(found)
    return found
