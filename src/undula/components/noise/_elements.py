r"""How noisy each element is, as a condition tells it.

v = (1 − floor) var / mean + floor,    v = 1 where nothing is told
"""

from __future__ import annotations

__all__ = ["ElementScale", "ScaleIs"]

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import ConfigError, DataError, IncompatibleError

ScaleIs = Literal["ivar", "variance", "sigma"]

_POWER = {"ivar": -1, "variance": 1, "sigma": 2}


@dataclass(frozen=True)
class ElementScale:
    """Variances from an aligned part or a known covariate.

    Args:
        name: of the part.
        scale_is: what its values are; None: as it is named.
        floor: least share of the mean variance that an element has.

    Raises:
        ConfigError: if it is not known what the values are.
    """

    name: str
    scale_is: ScaleIs | None
    floor: float

    def __post_init__(self) -> None:
        if self.scale_is is None and self.name not in _POWER:
            raise ConfigError(
                f"noise 'structured' takes its scale from {self.name!r}: say what that is with "
                "scale_is: ivar, variance or sigma"
            )

    def variance(self, mean: Tensor, channels: int, length: int, condition: Condition | None) -> Tensor:
        """v, float64 (B, 1 or C, L).

        Args:
            mean: the training set's mean variance.
            channels: C.
            length: L.
            condition: that tells it.
        """
        told = self._told(channels, length, condition)
        v = (1.0 - self.floor) * told / mean.to(told) + self.floor
        return torch.where(told.isnan(), 1.0, v)

    def mean(self, weights: Tensor, length: int, condition: Condition | None) -> Tensor:
        """The mean variance over the elements of which something is told.

        Args:
            weights: of the features, (C,).
            length: L.
            condition: of the training series.

        Raises:
            DataError: if there are negative values, or no positive ones.
        """
        channels = len(weights)
        told = self._told(channels, length, condition).expand(-1, channels, -1)
        if bool((self._part(condition) < 0).any()):
            raise DataError(
                f"{self.name!r} has negative values, and no {self.scale_is or self.name} is negative: name "
                "the right column (0 or a missing value where nothing is known)"
            )
        known = weights[:, None] * ~told.isnan()
        if not bool(known.any()):
            raise DataError(f"{self.name!r} has no positive number in the training part: it tells no scale")
        return (known * told.nan_to_num()).sum() / known.sum()

    def _part(self, condition: Condition | None) -> Tensor:
        part = None if condition is None else condition.told(self.name)
        if part is None:
            names = [] if condition is None else [*condition.aligned, *condition.known]
            raise IncompatibleError(
                f"noise 'structured' takes its scale from {self.name!r}, of which nothing is told (there is "
                f"{', '.join(names) or 'no aligned part'}): name it in data.roles.known_covariates"
            )
        return part

    def _told(self, channels: int, length: int, condition: Condition | None) -> Tensor:
        """The variance in the part's units, NaN where its value is missing or not positive."""
        part = self._part(condition)
        if part.shape[1] not in (1, channels) or part.shape[2] != length:
            raise IncompatibleError(
                f"{self.name!r} has {part.shape[1]} channels of {part.shape[2]} steps, and what is diffused "
                f"has {channels} of {length}: use preprocessing: raw, which moves no steps"
            )
        variance = part.double() ** _POWER[self.scale_is or self.name]
        return torch.where((part > 0) & variance.isfinite(), variance, torch.nan)
