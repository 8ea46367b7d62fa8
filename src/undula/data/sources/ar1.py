r"""A stationary Gaussian AR(1) process, whose exact denoiser is known.

y_t = φ y_{t−1} + √(1 − φ²) ε_t,    Cov[y_s, y_t] = φ^|s−t|
"""

from __future__ import annotations

__all__ = ["AR1Source"]

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from ...core.errors import ConfigError
from ...core.registry import register
from ...core.source import BaseSource
from ...core.types import NonNegativeInt, PositiveInt


@register("dataset", "ar1")
@dataclass(frozen=True, kw_only=True)
class AR1Source(BaseSource):
    """A Gaussian AR(1) series of unit variance.

    Args:
        phi: φ, the correlation of neighbours, in (−1, 1).
        num_steps: length of the series.
        seed: of the draws.
    """

    phi: float = 0.9
    num_steps: PositiveInt = 20_000
    seed: NonNegativeInt = 0

    def __post_init__(self) -> None:
        if not -1 < self.phi < 1:
            raise ConfigError(f"ar1: phi = {self.phi:g} is not in (-1, 1), so the series has no variance")

    def load(self) -> pd.DataFrame:
        """One column, `value`."""
        white = np.random.default_rng(self.seed).standard_normal(self.num_steps)
        white[1:] *= np.sqrt(1.0 - self.phi**2)
        return pd.DataFrame({"value": lfilter([1.0], [1.0, -self.phi], white)})

    def covariance(self, length: int) -> np.ndarray:
        """The exact covariance of a window, (length, length)."""
        steps = np.arange(length)
        return self.phi ** np.abs(steps[:, None] - steps)
