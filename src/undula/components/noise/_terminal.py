r"""Do coloured noises hide the data at t = 1, in every direction?

In the coordinates y = R⁻¹ z of the training series, in which the noise is white, the terminal
signal-to-noise ratio is

    SNR_k = α(1)² E[y_k²] / σ(1)².

White noise on standardised data has the path's own, α(1)²/σ(1)². Noise that is weak where the data
are strong has a larger one, and a sampler that starts from pure noise then misses that share of the
variance there.
"""

from __future__ import annotations

__all__ = ["terminal_snr"]

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import IncompatibleError
from ...core.noise import BaseNoise
from ...core.sde import BaseSDE
from ...core.types import Series
from ...diffusion.path import LARGEST_STARTING_SNR


def terminal_snr(
    noise: BaseNoise, z: Series, sde: BaseSDE, condition: Condition | None, remedy: str
) -> Tensor:
    """The ratio at t = 1 of each white coordinate, (C, L).

    Args:
        noise: fitted.
        z: training series, (N, C, L).
        sde: the path.
        condition: what is told of them.
        remedy: what to change in the noise where it hides too little.

    Raises:
        IncompatibleError: if one is above 0.01.
    """
    z = z.double()
    valid = None if condition is None else condition.valid
    given = torch.ones_like(z) if valid is None else valid.to(z).expand_as(z)
    power = (noise.whiten(z, condition) * given).square().sum(0) / given.sum(0).clamp(min=1.0)
    (level,) = sde.levels(torch.ones(1, dtype=torch.float64))
    snr = torch.as_tensor(level.snr * power)
    if float(snr.max()) > LARGEST_STARTING_SNR:
        channel, k = divmod(int(snr.argmax()), snr.shape[1])
        raise IncompatibleError(
            f"under {type(noise).__name__} data are still visible at t = 1: coordinate {k} of feature "
            f"{channel} (for correlated noise frequency {k / (2 * snr.shape[1]):.2g} a step) has a "
            f"signal-to-noise ratio of {float(snr.max()):.2g}, and sampling from pure noise needs at most "
            f"{LARGEST_STARTING_SNR}: {remedy}, or let the sde destroy more (a larger beta_max or "
            "sigma_max, or sde: rectified)"
        )
    return snr
