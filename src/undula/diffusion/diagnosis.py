r"""What a denoiser does, noise level by noise level.

    error(λ)         E‖D − x_0‖²/(C L s²), beside the same of the Gaussian that has the data's moments
    loss(λ)          the objective's own, weight included
    calibration(λ)   slope of x_0 on D: 1 where E[x_0 | D] = D, whatever the data
    slope(λ)         of D on the Gaussian's D_G, both less the mean: 1 where the data are Gaussian
    excess(λ)        ‖D − D_G‖²/E‖D_G − x_0‖²: for Gaussian data, by how much D's error exceeds the least

Every level sees the same series and the same noise, so that curves are smooth in λ. On the sampler's
path, x_t and D of every call are kept by a denoiser that passes calls on.

References:
    Kingma, Gao (2023). Understanding diffusion objectives as the ELBO. arXiv:2303.00848 (loss by λ)
"""

from __future__ import annotations

__all__ = ["Call", "LevelRow", "RecordingDenoiser", "by_noise_level", "gaussian_reference", "spread_along"]

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..core.condition import Condition
from ..core.errors import UndulaError
from ..core.randomness import Stream
from ..core.sde import NoiseLevel
from ..core.types import Series, Times
from .analytic import GaussianDenoiser
from .denoiser import BaseDenoiser, NetDenoiser
from .objective import BaseObjective
from .regulariser import masked_mean
from .sampler import time_grid

_LARGEST_GAUSSIAN = 2048
_LEAST_SPREAD = 1e-6


@dataclass(frozen=True)
class Call:
    """One call of a denoiser.

    Args:
        level: the noise level.
        x_t: what it was given, (B, C, L).
        d: what it answered.
    """

    level: NoiseLevel
    x_t: Series
    d: Series


class RecordingDenoiser(BaseDenoiser):
    """A denoiser that keeps its calls.

    Args:
        denoiser: that answers them.
        most: members of a batch that are kept.
    """

    def __init__(self, denoiser: BaseDenoiser, most: int = 64) -> None:
        self.path, self.denoiser, self.most = denoiser.path, denoiser, most
        self.calls: list[Call] = []

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """E[x_0 | x_t, c]; see `BaseDenoiser`."""
        d = self.denoiser(x_t, t, condition)
        kept = slice(0, self.most)
        self.calls.append(Call(self.path.level(t), x_t[kept].clone().cpu(), d[kept].clone().cpu()))
        return d


@dataclass(frozen=True)
class LevelRow:
    """What was found at one noise level; None where there is no Gaussian to compare with.

    Args:
        t: time.
        log_snr: λ.
        loss: the objective's, weight included.
        error: E‖D − x_0‖² a number, in units of s².
        calibration: slope of x_0 on D; None where D hardly varies.
        gaussian_error: that of the Gaussian's exact denoiser on the same draws.
        gaussian_slope: slope of D on the Gaussian's.
        gaussian_excess: ‖D − D_G‖²/E‖D_G − x_0‖².
    """

    t: float
    log_snr: float
    loss: float
    error: float
    calibration: float | None
    gaussian_error: float | None = None
    gaussian_slope: float | None = None
    gaussian_excess: float | None = None


def gaussian_reference(denoiser: NetDenoiser, z: Series) -> GaussianDenoiser | str:
    """The exact denoiser of the Gaussian with the moments of training series, or why there is none.

    Args:
        denoiser: gives the path.
        z: training series in what is diffused, whole and of one length, (N, C, L).
    """
    numbers = z[0].numel()
    if numbers > _LARGEST_GAUSSIAN:
        return (
            f"a window has {numbers:,} numbers, more than the {_LARGEST_GAUSSIAN:,} of the largest covariance"
        )
    if len(z) < 2:
        return "there are fewer than two training windows"
    try:
        return GaussianDenoiser.fit(denoiser.path, z.double())
    except (UndulaError, TypeError, AttributeError) as error:
        return f"the noise depends on the condition ({error})"


@torch.no_grad()
def by_noise_level(
    denoiser: NetDenoiser,
    objective: BaseObjective,
    z: Series,
    condition: Condition | None = None,
    gaussian: GaussianDenoiser | None = None,
    num_levels: int = 24,
    seed: int = 0,
) -> list[LevelRow]:
    """Loss, error and calibration on a grid that is uniform in λ, from noise to data.

    Args:
        denoiser: the trained network's.
        objective: whose loss is told.
        z: held-out series in what is diffused, (N, C, L).
        condition: what the network is told of them, and where they have values.
        gaussian: to compare with, of series without missing values.
        num_levels: levels.
        seed: of the noise, which is the same at every level.
    """
    path, s = denoiser.path, denoiser.parametrization.s
    valid = None if condition is None else condition.valid
    x_0 = z if valid is None else z * valid
    white = Stream(seed, "diagnosis").normal(0, torch.arange(len(z), device=z.device), *z.shape[1:])
    eps = path.noise.colour(white, condition)
    rows = []
    for t in time_grid(path, num_levels, "log_snr").tolist():
        level = path.level(t)
        x_t = path.perturb(x_0, eps, level)
        d = denoiser(x_t, level, condition)
        times = torch.full((len(z),), t, dtype=torch.float64, device=z.device)
        loss = objective.losses(denoiser, x_0, eps, times, condition)
        row = {
            "t": t,
            "log_snr": float(path.sde.log_snr(torch.tensor(t, dtype=torch.float64))),
            "loss": float(loss.double().mean()),
            "error": float(masked_mean((d - x_0) ** 2, valid).mean()) / s**2,
            "calibration": _slope(d, x_0, valid),
        }
        if gaussian is not None:
            exact = gaussian(x_t.double(), level).to(d)
            mean = gaussian.mean.to(d)
            least = float((exact - x_0).square().mean())
            row |= {
                "gaussian_error": least / s**2,
                "gaussian_slope": _slope(exact - mean, d - mean, valid, about=0.0),
                "gaussian_excess": float((d - exact).square().mean()) / least,
            }
        rows.append(LevelRow(**row))
    return rows


def _slope(x: Tensor, y: Tensor, valid: Tensor | None, about: float | None = None) -> float | None:
    """Of the regression of y on x over all numbers; None where x hardly varies."""
    if valid is not None:
        given = valid.expand_as(x)
        x, y = x[given], y[given]
    x, y = x.double().flatten(), y.double().flatten()
    x, y = (x - x.mean(), y - y.mean()) if about is None else (x, y)
    variance = float(x.square().mean())
    if variance < _LEAST_SPREAD * float(y.square().mean()) or variance == 0:
        return None
    return float((x * y).mean()) / variance


def spread_along(calls: Sequence[Call], s: float) -> list[tuple[float, float, float]]:
    """Per call: λ, the spread of x_t over the one it should have, and ‖D − D_last‖ in units of s.

    Args:
        calls: of one path.
        s: standard deviation of what is diffused.
    """
    last, found = calls[-1].d, []
    for call in calls:
        alpha, sigma = float(call.level.alpha), float(call.level.sigma)
        expected = math.sqrt((alpha * s) ** 2 + sigma**2)
        log_snr = 2.0 * math.log(alpha / sigma) if alpha > 0 else -math.inf
        spread = float(call.x_t.double().square().mean().sqrt()) / expected
        found.append((log_snr, spread, float((call.d - last).double().square().mean().sqrt()) / s))
    return found
