r"""Objectives: density × weight × prediction, and the loss that they make.

    loss = E_{t ~ p, ε} w(t) mean_i (F − F*)_i²

with the mean over the elements that exist. A preset is a class that changes the defaults.
"""

from __future__ import annotations

__all__ = ["BaseObjective", "masked_mean", "refuse_idle_warp"]

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..core.component import Component
from ..core.condition import Condition
from ..core.errors import ConfigError, IncompatibleError
from ..core.randomness import Stream
from ..core.types import Losses, Mask, Positive, Series, Times
from .denoiser import NetDenoiser
from .density import DensityName, TimeDensity, make_density
from .parametrization import Parametrization, Prediction
from .path import GaussianPath, like
from .warp import LinearWarp
from .weighting import WeightName, weight_on_prediction


@dataclass(frozen=True, kw_only=True)
class BaseObjective(Component, ABC):
    """What the network predicts, at which times it practises, and how much each counts.

    Args:
        prediction: what F predicts: x0, eps, score, v, velocity or edm.
        density: of training times: uniform, stratified, logit_normal, log_normal or log_snr.
        density_mean: of logit t (logit_normal) or log(σ/α) (log_normal).
        density_std: of logit t (logit_normal) or log(σ/α) (log_normal).
        loss_weight: uniform (1 on F's error), or on x0's error: uniform_x0, snr, min_snr, edm,
            likelihood.
        min_snr_gamma: γ of the weight min_snr.
    """

    kind: ClassVar[str] = "objective"
    default_sde: ClassVar[str] = "vpsde"
    """The path that goes with this objective where a config names none."""

    noise_norm: ClassVar[bool] = False
    """Whether errors are measured in the norm of Σ⁻¹ (the likelihood's) or plainly."""

    prediction: Prediction = "eps"
    density: DensityName = "uniform"
    density_mean: float | None = None
    density_std: Positive | None = None
    loss_weight: WeightName = "uniform"
    min_snr_gamma: Positive | None = None

    def __post_init__(self) -> None:
        if self.min_snr_gamma is not None and self.loss_weight != "min_snr":
            raise ConfigError(
                f"min_snr_gamma has no effect with loss_weight {self.loss_weight!r}: "
                "leave it out, or use loss_weight: min_snr"
            )

    def time_density(self, path: GaussianPath) -> TimeDensity:
        """The density of training times on a path."""
        return make_density(self.density, path, self.density_mean, self.density_std)

    def check(self, path: GaussianPath) -> None:
        """Refuse a path on which this objective is not defined.

        Raises:
            IncompatibleError: with a prediction or a path that goes together.
        """
        Parametrization(prediction=self.prediction).check(path.sde)
        self.time_density(path)
        if path.noise.fits_warp and self.density == "logit_normal":
            raise IncompatibleError(
                f"the fitted schedule of {type(path.noise).__name__} chooses the training times, and density "
                f"{self.density!r} chooses them once more: use density: uniform, or noise.schedule: linear"
            )

    def times(self, path: GaussianPath, stream: Stream, step: int, position: Tensor, batch: int) -> Times:
        """Training times of a batch; see `TimeDensity.draw`."""
        return self.time_density(path).draw(stream, step, position, batch)

    def loss(
        self,
        denoiser: NetDenoiser,
        x_0: Series,
        eps: Series,
        t: Times,
        condition: Condition | None = None,
    ) -> Losses:
        """The loss of each member.

        Args:
            denoiser: the network with its preconditioning.
            x_0: clean series, (B, C, L).
            eps: noise of covariance Σ, (B, C, L).
            t: times, (B,).
            condition: what the network is told, and which elements exist.

        Returns:
            Shape (B,); 0 for a member without any valid element.
        """
        level = denoiser.path.level(t)
        residual, c_out = denoiser.residual(x_0, eps, level, condition)
        weight = weight_on_prediction(
            self.loss_weight,
            level,
            torch.as_tensor(c_out),
            density=self.time_density(denoiser.path),
            s=denoiser.parametrization.s,
            gamma=5.0 if self.min_snr_gamma is None else self.min_snr_gamma,
        )
        other = denoiser.path.noise.solve(residual, condition) if self.noise_norm else residual
        valid = None if condition is None else condition.valid
        return masked_mean(like(weight, residual) * residual * other, valid)


def masked_mean(x: Series, valid: Mask | None) -> Losses:
    """Mean of each member over its valid elements; 0 where there are none."""
    if valid is None:
        return x.mean((1, 2))
    weight = valid.to(x).expand_as(x)
    return (x * weight).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1.0)


def refuse_idle_warp(objective: BaseObjective, grid_in_time: bool, path: GaussianPath) -> None:
    """Refuse a warp of time that neither the training density nor the sampling grid feels.

    Raises:
        IncompatibleError: with what to change.
    """
    if isinstance(path.noise.warp, LinearWarp) or grid_in_time or objective.time_density(path).in_time:
        return
    raise IncompatibleError(
        f"noise.schedule warps time, but density {objective.density!r} and the sampler's grid are "
        "stated in log-SNR, so it would do nothing: use schedule: linear, or grid: uniform"
    )
