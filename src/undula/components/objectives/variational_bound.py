"""Maximum likelihood: the variational bound's own density, weight and norm.

The loss is the bound's integral, −½ ∫ SNR'(t) ‖x_0 − D‖²_{Σ⁻¹} dt per element, estimated with times
uniform in λ. `DiffusionModel.bits_per_dim` gives the whole bound, prior and reconstruction
included.

References:
    Kingma, Salimans, Poole, Ho (2021). Variational diffusion models. arXiv:2107.00630
    Song, Durkan, Murray, Ermon (2021). Maximum likelihood training. arXiv:2101.09258
"""

from __future__ import annotations

__all__ = ["VariationalBoundObjective"]

from dataclasses import dataclass
from typing import ClassVar

from ...core.registry import register
from ...diffusion.density import DensityName
from ...diffusion.objective import BaseObjective
from ...diffusion.parametrization import Prediction
from ...diffusion.weighting import WeightName


@register("objective", "variational_bound")
@dataclass(frozen=True, kw_only=True)
class VariationalBoundObjective(BaseObjective):
    """The network minimises a bound on the negative log-likelihood."""

    noise_norm: ClassVar[bool] = True

    prediction: Prediction = "v"
    density: DensityName = "log_snr"
    loss_weight: WeightName = "likelihood"
