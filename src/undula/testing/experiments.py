"""Laws of experiments: a step is a function of its arguments, it trains, figures are plain numbers."""

from __future__ import annotations

__all__ = ["EXPERIMENT_LAWS"]

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..config.loading import as_config
from ..config.schema import Config
from ..model import FitHooks

if TYPE_CHECKING:
    from ..data.prepare import PreparedData
    from ..diffusion.loss import DiffusionLoss, TrainingBatch
    from ..experiments.base import BaseExperiment


def _config() -> Config:
    network = {"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}}
    return as_config(
        {
            "components": {"architecture": network, "sampler": {"type": "ddim", "params": {"num_steps": 2}}},
            "data": {"dataset": "ar1", "predict_len": 8, "stride": 64},
            "training": {"batch_size": 16, "max_steps": 3, "threads": 1, "device": "cpu"},
            "evaluation": {
                "num_samples": 100,
                "metrics": ["wasserstein", "std"],
                "bootstrap": 5,
                "baselines": ["gaussian"],
            },
        }
    )


def _fitted(experiment: BaseExperiment, rule: Callable[..., Tensor]) -> tuple[Any, PreparedData]:
    model, prepared = experiment.setup(_config())
    return model.fit(prepared, FitHooks(train_step=rule)), prepared


def step_is_a_function_of_its_arguments(experiment: BaseExperiment) -> None:
    """Losses are finite, one a member, the same when asked again, and move with their members."""
    if not experiment.trains:
        return

    def rule(loss: DiffusionLoss, batch: TrainingBatch, step: int, position: Tensor, size: int) -> Tensor:
        losses = experiment.train_step(loss, batch, step, position, size)
        assert losses.shape == position.shape, f"losses of shape {tuple(losses.shape)} for {len(position)}"
        assert bool(losses.isfinite().all()), "losses are not finite"
        again = experiment.train_step(loss, batch, step, position, size)
        assert torch.equal(losses, again), "the same step costs something else when asked again"
        backwards = type(batch)(batch.x.flip(0), batch.condition)
        turned = experiment.train_step(loss, backwards, step, position.flip(0), size).flip(0)
        assert torch.allclose(losses, turned, rtol=1e-3, atol=1e-6), "a loss depends on its neighbours"
        return losses

    _fitted(experiment, rule)


def trains_the_network(experiment: BaseExperiment) -> None:
    """The losses have a gradient that changes the weights, and two trainings give the same weights."""
    if not experiment.trains:
        return
    first, second = (_fitted(experiment, experiment.train_step)[0] for _ in range(2))
    fresh = _fitted(experiment, lambda loss, *rest: 0.0 * loss.losses(*rest))[0]
    weights = [m.parts_.architecture.state_dict() for m in (first, second, fresh)]
    assert all(torch.equal(weights[0][k], weights[1][k]) for k in weights[0]), "two trainings differ"
    assert any(not torch.equal(weights[0][k], weights[2][k]) for k in weights[0]), "nothing is trained"


def figures_are_plain_numbers(experiment: BaseExperiment) -> None:
    """What is found can be written to results.json, and every entry has a value."""
    model, prepared = _fitted(experiment, experiment.train_step)
    found = experiment.evaluate(model, prepared, _config())
    figures: dict[str, Any] = dict(found.extra)
    if found.judgement is not None:
        figures |= found.judgement.as_json()
    assert figures, "held-out data, and no figures"
    for name, entry in json.loads(json.dumps(figures, allow_nan=False)).items():
        assert isinstance(entry.get("value"), int | float | None), f"figure {name} has no value"
        assert entry.get("better") in ("lower", "higher"), f"figure {name}: is lower or higher better?"


EXPERIMENT_LAWS: list[Callable[[Any], None]] = [
    step_is_a_function_of_its_arguments,
    trains_the_network,
    figures_are_plain_numbers,
]
