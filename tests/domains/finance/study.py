"""Returns whose volatility the level before them says exactly, and a small model of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

SMALL = """
experiment: {name: levels, description: "A test", seed: 1}
components:
  architecture: {type: mlp, params: {model_dim: 32, num_layers: 1, condition_dropout: 0.2}}
  sde: rectified
  objective: flow_matching
  sampler: {type: ddim, params: {num_steps: 8}}
data:
  path: levels.csv
  transform: log_return
  predict_len: 6
  at_start_scale: log
  roles: {target: [price], at_start: [level]}
training: {batch_size: 256, max_steps: 60, learning_rate: 3e-3, sample_every: null, threads: 1}
evaluation: {num_samples: 100, bootstrap: 10, metrics: [std, acf], baselines: [gaussian]}
"""


def table(rows: int = 1500, seed: int = 0) -> pd.DataFrame:
    """The level drifts between 10 and 40 per cent a year; a day's return has the level of the day before."""
    rng = np.random.default_rng(seed)
    level = 10 * 4 ** (0.5 + 0.5 * np.sin(2 * np.pi * np.arange(rows) / 250))
    returns = np.concatenate([[0.0], level[:-1]]) / 100 / np.sqrt(252) * rng.normal(size=rows)
    days = pd.bdate_range("2000-01-03", periods=rows)
    return pd.DataFrame({"date": days, "price": 100 * np.exp(np.cumsum(returns)), "level": level})
