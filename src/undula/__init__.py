"""undula: diffusion models of one-dimensional data, in the user's own units.

    import undula

    model = undula.DiffusionModel().fit("prices.csv")
    windows = model.sample(1000, seed=7)

Importing undula is cheap: torch is imported when a name below is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "BaseArchitecture": "core.architecture",
    "BaseBaseline": "core.baseline",
    "BaseDenoiser": "diffusion.denoiser",
    "BaseGuidance": "diffusion.guidance",
    "BaseExperiment": "experiments.base",
    "BaseNoise": "core.noise",
    "BaseObjective": "diffusion.objective",
    "BasePreprocessor": "core.preprocessing",
    "BaseRegulariser": "diffusion.regulariser",
    "BaseSDE": "core.sde",
    "BaseSampler": "diffusion.sampler",
    "BaseSource": "core.source",
    "Condition": "core.condition",
    "Config": "config.schema",
    "ConfigBuilder": "config.builder",
    "DataOptions": "data.options",
    "DiffusionModel": "model",
    "ExperimentRunner": "experiments.runner",
    "GaussianDenoiser": "diffusion.analytic",
    "GaussianMixtureDenoiser": "diffusion.analytic",
    "GaussianPath": "diffusion.path",
    "Layout": "core.condition",
    "NetDenoiser": "diffusion.denoiser",
    "Parametrization": "diffusion.parametrization",
    "Observation": "data.observation",
    "Registry": "core.registry",
    "TrainingOptions": "training.options",
    "UndulaError": "core.errors",
    "evaluate": "experiments.assessment",
    "register": "core.registry",
    "validate_config": "experiments.validation",
}

__all__ = [*_HOMES, "__version__"]  # noqa: PLE0604

if TYPE_CHECKING:
    from .config.builder import ConfigBuilder
    from .config.schema import Config
    from .core.architecture import BaseArchitecture
    from .core.baseline import BaseBaseline
    from .core.condition import Condition, Layout
    from .core.errors import UndulaError
    from .core.noise import BaseNoise
    from .core.preprocessing import BasePreprocessor
    from .core.registry import Registry, register
    from .core.sde import BaseSDE
    from .core.source import BaseSource
    from .data.observation import Observation
    from .data.options import DataOptions
    from .diffusion.analytic import GaussianDenoiser, GaussianMixtureDenoiser
    from .diffusion.denoiser import BaseDenoiser, NetDenoiser
    from .diffusion.guidance import BaseGuidance
    from .diffusion.objective import BaseObjective
    from .diffusion.parametrization import Parametrization
    from .diffusion.path import GaussianPath
    from .diffusion.regulariser import BaseRegulariser
    from .diffusion.sampler import BaseSampler
    from .experiments.assessment import evaluate
    from .experiments.base import BaseExperiment
    from .experiments.runner import ExperimentRunner
    from .experiments.validation import validate_config
    from .model import DiffusionModel
    from .training.options import TrainingOptions


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'undula' has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
