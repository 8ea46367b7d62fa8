r"""What the network predicts: one affine pair.

    D(x_t, t) = c_skip x_t + c_out F(c_in x_t, τ),     c_in = 1/√(α² s² + σ²)

    F predicts                c_skip                    c_out                   needs
    x0                        0                         1
    eps                       1/α                       −σ/α                    α > 0
    score = −ε                1/α                       σ/α                     α > 0
    v = α ε − σ x_0           α/(α² + σ²)               −σ/(α² + σ²)
    velocity = α' x_0 + σ' ε  −σ'/(α'σ − ασ')           σ/(α'σ − ασ')           α'σ ≠ ασ'
    edm                       α s²/(α² s² + σ²)         σ s/√(α² s² + σ²)       s = sd of what is diffused

With x_t = α x_0 + σ ε the target follows from the pair,

    F* = (x_0 − c_skip x_t)/c_out = a x_0 + b ε,   a = (1 − c_skip α)/c_out,   b = −c_skip σ/c_out,

and in this form no small difference of large numbers is taken.

References:
    Salimans, Ho (2022). Progressive distillation. arXiv:2202.00512 (v)
    Lipman et al. (2023). Flow matching for generative modeling. arXiv:2210.02747 (velocity)
    Karras et al. (2022). Elucidating the design space of diffusion-based generative models.
    arXiv:2206.00364 (edm)
"""

from __future__ import annotations

__all__ = ["PREDICTIONS", "Coefficients", "Parametrization", "Prediction"]

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from ..core.errors import IncompatibleError
from ..core.sde import BaseSDE, NoiseLevel

Prediction = Literal["x0", "eps", "score", "v", "velocity", "edm"]
PREDICTIONS: tuple[Prediction, ...] = get_args(Prediction)

Number = float | Tensor


class Coefficients(NamedTuple):
    """The affine pair and the input's scale at one noise level."""

    c_skip: Number
    c_out: Number
    c_in: Number


@dataclass(frozen=True, kw_only=True)
class Parametrization:
    """The affine pair of a prediction.

    Args:
        prediction: what F predicts, a row of the table above.
        s: standard deviation of what is diffused.
    """

    prediction: Prediction
    s: float = 1.0

    def __call__(self, level: NoiseLevel) -> Coefficients:
        """c_skip, c_out and c_in at a noise level; numbers for numbers, tensors for tensors."""
        alpha, sigma, s = level.alpha, level.sigma, self.s
        variance = alpha**2 * s**2 + sigma**2
        c_in = variance**-0.5
        match self.prediction:
            case "x0":
                return Coefficients(0.0 * alpha, 1.0 + 0.0 * alpha, c_in)
            case "eps":
                return Coefficients(1.0 / alpha, -sigma / alpha, c_in)
            case "score":
                return Coefficients(1.0 / alpha, sigma / alpha, c_in)
            case "v":
                norm = alpha**2 + sigma**2
                return Coefficients(alpha / norm, -sigma / norm, c_in)
            case "velocity":
                norm = level.alpha_dot * sigma - alpha * level.sigma_dot
                return Coefficients(-level.sigma_dot / norm, sigma / norm, c_in)
            case "edm":
                return Coefficients(alpha * s**2 / variance, sigma * s * c_in, c_in)

    def target(self, level: NoiseLevel) -> tuple[Number, Number]:
        """A and b of F* = a x_0 + b ε."""
        c_skip, c_out, _ = self(level)
        return (1.0 - c_skip * level.alpha) / c_out, -c_skip * level.sigma / c_out

    def check(self, sde: BaseSDE, t_max: float = 1.0) -> None:
        """Refuse a path on which the pair is not defined.

        Raises:
            IncompatibleError: if the prediction divides by α and α(t_max) = 0, or by α'σ − ασ' and that is 0.
        """
        level = sde.levels(torch.tensor([t_max], dtype=torch.float64))[0]
        name = type(sde).__name__
        if self.prediction in ("eps", "score") and level.alpha < 1e-12:
            raise IncompatibleError(
                f"{self.prediction}-prediction needs alpha > 0 at t = {t_max:g}, {name} has 0: use v, x0, "
                "velocity or edm"
            )
        norm = float(level.alpha_dot * level.sigma - level.alpha * level.sigma_dot)
        if self.prediction == "velocity" and abs(norm) < 1e-9 * float(level.sigma):
            raise IncompatibleError(
                f"velocity-prediction needs a path that moves at t = {t_max:g}, and on {name} alpha and its "
                "slope are both 0 there: use v, x0 or edm, or an alpha that falls to 0 with a slope"
            )
