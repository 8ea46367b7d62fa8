r"""Objectives: density × weight × prediction, and the loss that they make.

    loss = E_{t ~ p, ε} [ w(t) mean_i ρ(F − F*)_i  +  Σ_j regulariser_j(D, x_0) ]

with the mean over the elements that exist. Only ρ(r) = r² makes D the posterior mean E[x_0 | x_t]; see
`robust` for the others. A preset is a class that changes the defaults.
"""

from __future__ import annotations

__all__ = ["BaseObjective", "refuse_idle_warp"]

import functools
import operator
from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ..core.component import Component
from ..core.condition import Condition
from ..core.errors import ConfigError, IncompatibleError
from ..core.randomness import Stream
from ..core.registry import Registry
from ..core.types import Losses, Positive, Series, Times
from .denoiser import NetDenoiser
from .density import DensityName, TimeDensity, make_density
from .parametrization import Parametrization, Prediction
from .path import GaussianPath, like
from .regulariser import BaseRegulariser, masked_mean
from .robust import LossName, robust_error
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
            likelihood, sigmoid.
        min_snr_gamma: γ of the weight min_snr; null: 5.
        sigmoid_bias: b of the weight sigmoid, a log-SNR; null: 2.
        loss: of an error: mse (D becomes the posterior mean, which samplers need), huber,
            pseudo_huber or l1 (the posterior median, element by element).
        huber_delta: size of the network's error from which huber and pseudo_huber grow linearly;
            null: 1.
        regularisers: penalties on D beside x0, a list of names or specs.
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
    sigmoid_bias: float | None = None
    loss: LossName = "mse"
    huber_delta: Positive | None = None
    regularisers: tuple[BaseRegulariser, ...] = ()

    def __post_init__(self) -> None:
        for name, value, needed, there in (
            ("min_snr_gamma", self.min_snr_gamma, "loss_weight: min_snr", self.loss_weight == "min_snr"),
            ("sigmoid_bias", self.sigmoid_bias, "loss_weight: sigmoid", self.loss_weight == "sigmoid"),
            ("huber_delta", self.huber_delta, "loss: huber or pseudo_huber", "huber" in self.loss),
        ):
            if value is not None and not there:
                key = needed.partition(":")[0]
                raise ConfigError(
                    f"{name} has no effect with {key} {getattr(self, key)!r}: leave it out, or use {needed}"
                )
        if self.noise_norm and self.loss != "mse":
            raise ConfigError(
                f"a likelihood is measured by squared errors, and loss is {self.loss!r}: leave loss out, or "
                "use another objective, such as edm"
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

    def losses(
        self,
        denoiser: NetDenoiser,
        x_0: Series,
        eps: Series,
        t: Times,
        condition: Condition | None = None,
    ) -> Losses:
        """The loss of each member, regularisers included.

        Args:
            denoiser: the network with its preconditioning.
            x_0: clean series, (B, C, L).
            eps: noise of covariance Σ, (B, C, L).
            t: times, (B,).
            condition: what the network is told, and which elements exist.

        Returns:
            Shape (B,); 0 for a member without any valid element.
        """
        return functools.reduce(operator.add, self.loss_parts(denoiser, x_0, eps, t, condition).values())

    def loss_parts(
        self,
        denoiser: NetDenoiser,
        x_0: Series,
        eps: Series,
        t: Times,
        condition: Condition | None = None,
    ) -> dict[str, Losses]:
        """The terms of the loss of each member: the error, and each regulariser by name and number."""
        level = denoiser.path.level(t)
        residual, c_out = denoiser.residual(x_0, eps, level, condition)
        weight = weight_on_prediction(
            self.loss_weight,
            level,
            torch.as_tensor(c_out),
            density=self.time_density(denoiser.path),
            s=denoiser.parametrization.s,
            gamma=5.0 if self.min_snr_gamma is None else self.min_snr_gamma,
            bias=2.0 if self.sigmoid_bias is None else self.sigmoid_bias,
        )
        valid = None if condition is None else condition.valid
        if self.noise_norm:
            error = residual * denoiser.path.noise.solve(residual, condition)
        else:
            error = robust_error(residual, self.loss, self.huber_delta or 1.0)
        parts = {"error": masked_mean(like(weight, error) * error, valid)}
        if self.regularisers:
            d = x_0 + like(c_out, x_0) * residual
            for number, regulariser in enumerate(self.regularisers):
                name = f"{Registry.name(regulariser)}:{number}"
                parts[name] = regulariser.losses(d, x_0, level, valid)
        return parts


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
