r"""Errors of differences over lags.

    penalty = mean over lags l and times i of [(D_{i+l} − D_i) − (x_{i+l} − x_i)]²

over the pairs of which both elements count. It weighs the squared error at angular frequency ω by
4 sin²(ω l/2): slow drifts less, and for l = 1 fast changes most. Being linear it leaves the
optimum D = E[x_0 | x_t] where it is.
"""

from __future__ import annotations

__all__ = ["IncrementsRegulariser"]

from dataclasses import dataclass

import torch

from ...core.errors import ConfigError, DataError
from ...core.registry import register
from ...core.types import Losses, Mask, PositiveInt, Series
from ...diffusion.regulariser import BaseRegulariser, masked_mean


@register("regulariser", "increments")
@dataclass(frozen=True, kw_only=True)
class IncrementsRegulariser(BaseRegulariser):
    """Differences over given lags are those of the clean series.

    Args:
        lags: time steps over which differences are taken.
    """

    lags: tuple[PositiveInt, ...] = (1,)

    def __post_init__(self) -> None:
        if not self.lags:
            raise ConfigError("regulariser increments needs a lag: give lags such as [1, 5]")

    def penalty(self, d: Series, x_0: Series, valid: Mask | None) -> Losses:
        """See the module."""
        error, length = d - x_0, d.shape[-1]
        if max(self.lags) >= length:
            raise DataError(
                f"regulariser increments has a lag of {max(self.lags)} steps, and a window has {length}: "
                "give lags below that, or longer windows"
            )
        terms = []
        for lag in self.lags:
            both = None if valid is None else valid[..., lag:] & valid[..., :-lag]
            terms.append(masked_mean((error[..., lag:] - error[..., :-lag]).square(), both))
        return torch.stack(terms).mean(0)
