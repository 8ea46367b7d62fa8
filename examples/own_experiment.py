"""An experiment of one's own: the standard one, and one more figure, with its floors and baselines.

How deep does a window of returns fall below its highest point so far? Quantiles do not say it: the order of
the returns matters. `train_step` and `setup` are overridden in the same way. In a file that a config names
under `plugins:`, the same class works with `undula run` and `undula compare`.

python examples/own_experiment.py
"""

import numpy as np
from scipy.stats import wasserstein_distance

from undula import BaseExperiment, ExperimentRunner, register


def depths(windows):
    """The deepest fall below the running maximum of the cumulated log returns, (N,)."""
    height = np.cumsum(windows[:, :, 0], axis=1)
    return (np.maximum.accumulate(height, axis=1) - height).max(axis=1)


@register("experiment", "drawdown")
class DrawdownExperiment(BaseExperiment):
    """The standard experiment, and how well the depths of falls are met."""

    def evaluate(self, model, prepared, config, on_progress=None):
        found = super().evaluate(model, prepared, config, on_progress)
        return found.with_distance("drawdown", lambda a, b: wasserstein_distance(depths(a), depths(b)))


settings = [
    "experiment.type=drawdown",
    "training.num_epochs=20",
    "evaluation={num_samples: 500, metrics: [std]}",
]
outcome = ExperimentRunner.from_config("sp500", settings, quiet=True).run()
figure = outcome.results["metrics"]["drawdown"]
print(f"distance of drawdowns from the held-out part: {figure['value']:.4f}")
print("floors:", {name: round(float(value), 4) for name, value in figure["floors"].items()})
print("baselines:", {name: round(float(value), 4) for name, value in figure["baselines"].items()})
