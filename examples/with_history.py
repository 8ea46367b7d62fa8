"""A model that is told a history: windows that go on from what was just seen.

python examples/with_history.py
"""

import numpy as np
import pandas as pd

from undula import DiffusionModel

rng = np.random.default_rng(0)
t = np.arange(6000)
wave = np.sin(2 * np.pi * t / 32 + 0.3 * np.cumsum(rng.normal(size=len(t))) / 20)
table = pd.DataFrame({"time": pd.date_range("2024-01-01", periods=len(t), freq="min"), "signal": wave})

model = DiffusionModel(
    architecture={
        "type": "transformer",
        "params": {"model_dim": 32, "num_heads": 2, "num_layers": 2, "patch_size": 4},
    },
    objective="flow_matching",
    data={"history_len": 32, "predict_len": 32, "stride": 4},
    training={"num_epochs": 40, "learning_rate": 2e-3},
).fit(table[:5000])

history = table[5000:5032]  # what was just seen
paths = model.sample(100, seed=1, given=history)[:, :, 0]
truth = wave[5032:5064]
print("error of the mean path:", np.abs(paths.mean(axis=0) - truth).mean().round(3))
print(
    "error of no knowledge: ",
    np.abs(model.sample(100, unconditional=True)[:, :, 0].mean(axis=0) - truth).mean().round(3),
)
