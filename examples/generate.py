"""Generate windows like those of a table, save the model, load it again.

python examples/generate.py
"""

import numpy as np
import pandas as pd

from undula import DiffusionModel

rng = np.random.default_rng(0)
hours = pd.date_range("2024-01-01", periods=24 * 120, freq="h")
daily = 20 + 6 * np.sin(2 * np.pi * hours.hour / 24)
temperature = daily + np.cumsum(rng.normal(size=len(hours))) * 0.1
table = pd.DataFrame({"time": hours, "temperature": temperature, "load": 300 - 4 * temperature})

model = DiffusionModel(
    architecture={"type": "mlp", "params": {"model_dim": 256}},
    objective="flow_matching",
    sampler={"type": "dpm", "params": {"num_steps": 30}},
    data={"predict_len": 24, "stride": 6},
    training={"num_epochs": 60, "learning_rate": 2e-3},
).fit(table)

days = model.sample(500, seed=7)  # (500, 24, 2), in degrees and megawatts
print("columns:", model.columns_)
print(
    "mean by column:",
    days.mean(axis=(0, 1)).round(1),
    "in the data:",
    table.mean(numeric_only=True).to_numpy().round(1),
)

model.save("days_model")
again = DiffusionModel.load("days_model")
print(again.sample_frame(2, seed=7).head())
