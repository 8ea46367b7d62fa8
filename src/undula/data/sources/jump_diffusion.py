r"""Merton's jump diffusion: a price whose log returns mix a normal law with rare jumps.

    r = σ ε + Σ_{j ≤ N} (m + s ε_j) − λ m,   N ~ Poisson(λ),   price_t = exp(Σ r) · price_0

The returns are independent, with mean 0, variance σ² + λ q for q = m² + s²,
and excess kurtosis λ (m⁴ + 6 m² s² + 3 s⁴)/(σ² + λ q)².

References:
    Merton (1976). Option pricing when underlying stock returns are discontinuous.
    doi:10.1016/0304-405X(76)90022-2
"""

from __future__ import annotations

__all__ = ["JumpDiffusionSource"]

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ...core.types import NonNegative, NonNegativeInt, Positive, PositiveInt


@register("dataset", "jump_diffusion")
@dataclass(frozen=True, kw_only=True)
class JumpDiffusionSource(BaseSource):
    """A price with jumps; use `data.transform: log_return` for its returns.

    Args:
        volatility: σ, standard deviation of a step's return without jumps.
        jump_rate: λ, mean number of jumps a step.
        jump_mean: m, mean of a jump.
        jump_sd: s, standard deviation of a jump.
        num_steps: length of the series.
        seed: of the draws.
    """

    volatility: Positive = 0.01
    jump_rate: NonNegative = 0.05
    jump_mean: float = -0.02
    jump_sd: NonNegative = 0.03
    num_steps: PositiveInt = 20_000
    seed: NonNegativeInt = 0

    def load(self) -> pd.DataFrame:
        """One column, `price`, that starts at 100."""
        centred = self.returns() - self.mean  # a drift would leave a price of zero after some years
        centred[0] = 0.0
        return pd.DataFrame({"price": 100.0 * np.exp(np.cumsum(centred))})

    def returns(self) -> np.ndarray:
        """The log returns before their mean is taken out, (num_steps,)."""
        rng = np.random.default_rng(self.seed)
        jumps = rng.poisson(self.jump_rate, self.num_steps)
        spread = np.sqrt(self.volatility**2 + jumps * self.jump_sd**2)
        return jumps * self.jump_mean + spread * rng.standard_normal(self.num_steps)

    @property
    def mean(self) -> float:
        """λ m of the uncentred returns."""
        return self.jump_rate * self.jump_mean

    @property
    def variance(self) -> float:
        """σ² + λ (m² + s²)."""
        return self.volatility**2 + self.jump_rate * (self.jump_mean**2 + self.jump_sd**2)

    @property
    def excess_kurtosis(self) -> float:
        """Of the returns; 0 without jumps."""
        m, s = self.jump_mean, self.jump_sd
        return self.jump_rate * (m**4 + 6 * m**2 * s**2 + 3 * s**4) / self.variance**2
