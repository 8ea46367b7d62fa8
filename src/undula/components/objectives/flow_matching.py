"""Flow matching with independent coupling: predict the velocity.

References:
    Lipman et al. (2023). arXiv:2210.02747
    Esser et al. (2024). arXiv:2403.03206 (logit-normal times)
"""

from __future__ import annotations

__all__ = ["FlowMatchingObjective"]

from dataclasses import dataclass
from typing import ClassVar

from ...core.registry import register
from ...diffusion.density import DensityName
from ...diffusion.objective import BaseObjective
from ...diffusion.parametrization import Prediction


@register("objective", "flow_matching")
@dataclass(frozen=True, kw_only=True)
class FlowMatchingObjective(BaseObjective):
    """The network predicts the velocity at logit-normal times; the path is rectified by default."""

    default_sde: ClassVar[str] = "rectified"

    prediction: Prediction = "velocity"
    density: DensityName = "logit_normal"
