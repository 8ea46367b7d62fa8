"""The kinds of components: what each is, its base class, and where the built-in ones lie."""

from __future__ import annotations

__all__ = ["KINDS", "Kind"]

import importlib
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .component import Component


@dataclass(frozen=True)
class Kind:
    """A kind of component.

    Args:
        summary: what the kind is, in a line.
        base: the base class, as "module:Class".
        package: the package whose modules are the built-in components.
        of_list: the component that a list of specs stands for, and its parameter that takes the
            list, as "name:parameter"; empty: a list means nothing here.
    """

    summary: str
    base: str
    package: str
    of_list: str = ""

    def base_class(self) -> type[Component]:
        """Import and return the base class."""
        module, _, name = self.base.partition(":")
        return typing.cast("type[Component]", getattr(importlib.import_module(module), name))

    def spec_of_list(self, specs: Sequence[Any]) -> dict[str, Any] | None:
        """The spec that a list of specs stands for; None: a list means nothing here."""
        name, _, parameter = self.of_list.partition(":")
        return {"type": name, "params": {parameter: list(specs)}} if name else None


KINDS: dict[str, Kind] = {
    "preprocessing": Kind(
        "map between the user's units and what is diffused",
        "undula.core.preprocessing:BasePreprocessor",
        "undula.components.preprocessing",
        of_list="pipeline:steps",
    ),
    "architecture": Kind(
        "the network", "undula.core.architecture:BaseArchitecture", "undula.components.architectures"
    ),
    "noise": Kind(
        "the noise's covariance and the warp of time",
        "undula.core.noise:BaseNoise",
        "undula.components.noise",
    ),
    "sde": Kind("how data turn into noise", "undula.core.sde:BaseSDE", "undula.components.sde"),
    "objective": Kind(
        "what the network predicts, when, and with which weight",
        "undula.diffusion.objective:BaseObjective",
        "undula.components.objectives",
    ),
    "regulariser": Kind(
        "a penalty beside the objective's error",
        "undula.diffusion.regulariser:BaseRegulariser",
        "undula.components.regularisers",
    ),
    "sampler": Kind(
        "how noise turns into data", "undula.diffusion.sampler:BaseSampler", "undula.components.samplers"
    ),
    "trend": Kind(
        "a point forecast of a window; diffusion models what it leaves",
        "undula.core.trend:BaseTrend",
        "undula.components.trend",
    ),
    "operator": Kind(
        "a linear measurement: which numbers of a series are seen, and how",
        "undula.core.operator:BaseOperator",
        "undula.components.operators",
        of_list="chain:parts",
    ),
    "guidance": Kind(
        "what steers the denoiser in sampling",
        "undula.diffusion.guidance:BaseGuidance",
        "undula.components.guidance",
    ),
    "dataset": Kind(
        "data by name: made, shipped, fetched, or read from a file by their own rules",
        "undula.core.source:BaseSource",
        "undula.data.sources",
    ),
    "baseline": Kind(
        "what a diffusion model has to beat", "undula.core.baseline:BaseBaseline", "undula.baselines"
    ),
    "forecaster": Kind(
        "what a probabilistic forecast has to beat",
        "undula.core.forecaster:BaseForecaster",
        "undula.baselines.forecasting",
    ),
    "experiment": Kind(
        "how a run is set up, trained and evaluated",
        "undula.experiments.base:BaseExperiment",
        "undula.experiments.builtin",
    ),
}
