r"""Regularisers: penalties on the estimate D beside the error of its elements.

    loss += weight · 1[SNR(t) > min_snr] · penalty(D, x_0)

At high noise D = E[x_0 | x_t] has less spread, and a smoother spectrum, than any x_0: a penalty on them is
wrong there, so that each acts only above a signal-to-noise ratio. The squared error of a *linear* function
of x_0 (a mean, an increment) leaves the optimum D = E[x_0 | x_t] where it is and only weighs some errors
more; the others (a standard deviation, an amplitude) move it, the less the higher `min_snr` is.
"""

from __future__ import annotations

__all__ = ["BaseRegulariser", "masked_mean"]

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch

from ..core.component import Component
from ..core.sde import NoiseLevel
from ..core.types import Losses, Mask, NonNegative, Positive, Series


@dataclass(frozen=True, kw_only=True)
class BaseRegulariser(Component, ABC):
    """A penalty on D.

    Args:
        weight: factor of the penalty.
        min_snr: signal-to-noise ratio α²/σ² above which it acts.
    """

    kind: ClassVar[str] = "regulariser"

    weight: Positive = 0.1
    min_snr: NonNegative = 1.0

    def losses(self, d: Series, x_0: Series, level: NoiseLevel, valid: Mask | None = None) -> Losses:
        """The weighted penalty of each member, 0 where the noise is too high for it.

        Args:
            d: D at x_t, (B, C, L).
            x_0: clean series, (B, C, L).
            level: noise levels of the members, tensors (B, 1, 1).
            valid: elements that count; None: all.

        Returns:
            Shape (B,).
        """
        acts = (torch.as_tensor(level.snr).flatten() > self.min_snr).to(d)
        return self.weight * acts * self.penalty(d, x_0, valid)

    @abstractmethod
    def penalty(self, d: Series, x_0: Series, valid: Mask | None) -> Losses:
        """How far D is from x_0, (B,); differentiable in D, 0 at D = x_0."""


def masked_mean(x: Series, valid: Mask | None) -> Losses:
    """Mean of each member over its valid elements; 0 where there are none."""
    if valid is None:
        return x.mean((1, 2))
    weight = valid.to(x).expand_as(x)
    return (x * weight).sum((1, 2)) / weight.sum((1, 2)).clamp(min=1.0)
