"""Denoising score matching: predict the noise.

References:
    Vincent (2011). doi:10.1162/NECO_a_00142;  Song et al. (2021). arXiv:2011.13456
"""

from __future__ import annotations

__all__ = ["ScoreMatchingObjective"]

from dataclasses import dataclass

from ...core.registry import register
from ...diffusion.objective import BaseObjective
from ...diffusion.parametrization import Prediction


@register("objective", "score_matching")
@dataclass(frozen=True, kw_only=True)
class ScoreMatchingObjective(BaseObjective):
    """The network predicts the noise ε at uniform times, weight 1 on its error."""

    needs = "eps-prediction: alpha > 0 at t = 1 (not rectified or cosine)"

    prediction: Prediction = "eps"
