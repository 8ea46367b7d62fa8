r"""Sine waves of random frequency and phase, the literature's toy set.

    x_i(t) = ½ (1 + sin(f_i t + φ_i)),   f_i, φ_i uniform in [0, 0.1], t = 0, 1, …

References:
    Yoon, Jarrett, van der Schaar (2019). Time-series generative adversarial networks. NeurIPS.
"""

from __future__ import annotations

__all__ = ["SinesSource"]

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from ...core.registry import register
from ...core.source import BaseSource
from ...core.types import NonNegativeInt, PositiveInt


@register("dataset", "sines")
@dataclass(frozen=True, kw_only=True)
class SinesSource(BaseSource):
    """A panel of independent sine waves in [0, 1]; every series is one window.

    Args:
        num_series: number of series.
        num_steps: length of each.
        num_columns: waves a series.
        seed: of the draws.
    """

    roles: ClassVar[dict[str, str]] = {"series": "series", "time": "step"}

    num_series: PositiveInt = 10_000
    num_steps: PositiveInt = 24
    num_columns: PositiveInt = 5
    seed: NonNegativeInt = 0

    def load(self) -> pd.DataFrame:
        """Columns `series`, `step` and `wave_0` …"""
        rng = np.random.default_rng(self.seed)
        shape = (self.num_series, 1, self.num_columns)
        frequency, phase = rng.uniform(0.0, 0.1, shape), rng.uniform(0.0, 0.1, shape)
        step = np.arange(self.num_steps)[:, None]
        values = 0.5 * (1.0 + np.sin(frequency * step + phase))
        table = pd.DataFrame(
            values.reshape(-1, self.num_columns),
            columns=[f"wave_{i}" for i in range(self.num_columns)],
        )
        table.insert(0, "series", np.repeat(np.arange(self.num_series), self.num_steps))
        table.insert(1, "step", np.tile(np.arange(self.num_steps), self.num_series))
        return table
