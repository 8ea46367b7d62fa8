"""Predict the clean series, every noise level alike.

References:
    Ho, Jain, Abbeel (2020). arXiv:2006.11239;  Salimans, Ho (2022). arXiv:2202.00512
"""

from __future__ import annotations

__all__ = ["DenoisingObjective"]

from dataclasses import dataclass

from ...core.registry import register
from ...diffusion.objective import BaseObjective
from ...diffusion.parametrization import Prediction


@register("objective", "denoising")
@dataclass(frozen=True, kw_only=True)
class DenoisingObjective(BaseObjective):
    """The network predicts x0 at uniform times, weight 1 on its error."""

    prediction: Prediction = "x0"
