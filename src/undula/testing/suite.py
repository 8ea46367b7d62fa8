"""Which laws belong to which kind."""

from __future__ import annotations

__all__ = ["check_component", "laws_of"]

from collections.abc import Callable
from typing import Any

from ..core.component import Component
from . import (
    baselines,
    common,
    data,
    experiments,
    forecasters,
    guiding,
    networks,
    noise,
    operators,
    paths,
    preprocessing,
    sampling,
)

Law = Callable[[Any], None]

_LAWS: dict[str, list[Law]] = {
    "sde": paths.SDE_LAWS,
    "noise": noise.NOISE_LAWS,
    "objective": networks.OBJECTIVE_LAWS,
    "architecture": networks.ARCHITECTURE_LAWS,
    "sampler": sampling.SAMPLER_LAWS,
    "operator": operators.OPERATOR_LAWS,
    "guidance": guiding.GUIDANCE_LAWS,
    "regulariser": guiding.REGULARISER_LAWS,
    "preprocessing": preprocessing.PREPROCESSING_LAWS,
    "dataset": data.DATASET_LAWS,
    "baseline": baselines.BASELINE_LAWS,
    "forecaster": forecasters.FORECASTER_LAWS,
    "experiment": experiments.EXPERIMENT_LAWS,
}


def laws_of(kind: str) -> list[Law]:
    """The laws of a kind, those of all components first."""
    return [*common.COMMON_LAWS, *_LAWS.get(kind, [])]


def check_component(component: Component) -> None:
    """Check a component against all laws of its kind.

    Args:
        component: registered, not fitted and not built.

    Raises:
        AssertionError: naming the law that is broken.
    """
    for law in laws_of(component.kind):
        try:
            law(component)
        except AssertionError as error:
            raise AssertionError(
                f"{type(component).__name__} breaks the law {law.__name__}: {error}"
            ) from error
