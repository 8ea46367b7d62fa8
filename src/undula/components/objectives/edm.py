"""The preconditioning, times and weight of EDM.

References:
    Karras, Aittala, Aila, Laine (2022). Elucidating the design space of diffusion-based
    generative models. arXiv:2206.00364
"""

from __future__ import annotations

__all__ = ["EDMObjective"]

from dataclasses import dataclass

from ...core.registry import register
from ...diffusion.density import DensityName
from ...diffusion.objective import BaseObjective
from ...diffusion.parametrization import Prediction
from ...diffusion.weighting import WeightName


@register("objective", "edm")
@dataclass(frozen=True, kw_only=True)
class EDMObjective(BaseObjective):
    """The network corrects the best linear denoiser; log(σ/α) is normal in training."""

    prediction: Prediction = "edm"
    density: DensityName = "log_normal"
    loss_weight: WeightName = "edm"
