"""Combinations of components, each small, and what becomes of them: two steps and a sample."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from undula import DiffusionModel
from undula.core.errors import IncompatibleError
from undula.core.registry import Registry
from undula.data.options import DataOptions
from undula.data.prepare import PreparedData, prepare

from ..laws.test_laws import PARAMS

Spec = dict[str, Any]
Combination = dict[str, Spec]

LENGTH, HISTORY, DRAWN = 12, 16, 3
BASE: Combination = {
    "preprocessing": {"type": "raw"},
    "architecture": {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 16}},
    "noise": {"type": "standard"},
    "sde": {"type": "vpsde"},
    "objective": {"type": "denoising"},
    "sampler": {"type": "ddim", "params": {"num_steps": 4}},
}
STEPS = {"num_steps": 4}


def specs(kind: str) -> Iterator[Spec]:
    """Every component of a kind under the first parameters with which its laws are checked."""
    for name in Registry.list(kind):
        params = dict(PARAMS.get((kind, name), [{}])[0])
        if kind == "sampler" and "num_steps" in Registry.parameters_model(kind, name).model_fields:
            params |= STEPS
        yield {"type": name, "params": params}


def combinations(*kinds: str) -> Iterator[Combination]:
    """The product of kinds, the others as in `BASE`."""
    for chosen in itertools.product(*(specs(kind) for kind in kinds)):
        yield {**BASE, **dict(zip(kinds, chosen, strict=True))}


def name_of(combination: Combination, *kinds: str) -> str:
    """The names of the components that are varied."""
    return "-".join(combination[kind]["type"] for kind in kinds)


@functools.cache
def prepared(history: int) -> PreparedData:
    """Two positive, correlated series, as windows."""
    steps = np.random.default_rng(0).standard_normal((400, 2)).cumsum(0)
    options = DataOptions(
        predict_len=LENGTH, history_len=history, split={"train": 0.8, "val": 0.2, "test": 0.0}
    )
    return prepare(options, 50.0 * np.exp(0.05 * steps))


def outcome(combination: Combination, history: int = 0) -> str:
    """`ran`, or `refused` with a remedy; anything else is an error.

    A sample must be finite and have the data's shape.
    """
    try:
        model = trained(combination, history)
        samples = sampled(model)
    except IncompatibleError as error:
        assert ":" in str(error), f"the refusal has no remedy: {error}"
        assert any(Registry.find(kind, spec["type"]).needs for kind, spec in combination.items()), (
            f"no component of {combination} documents a need, yet: {error}"
        )
        return "refused"
    assert samples.shape == (DRAWN, LENGTH, 2)
    assert np.isfinite(samples).all(), "a sample is not finite"
    return "ran"


def trained(combination: Combination, history: int = 0) -> DiffusionModel:
    """Two steps of training."""
    training = {"max_steps": 2, "batch_size": 8, "log_every": 1, "compile": False, "num_epochs": None}
    return DiffusionModel(**combination, training=training).fit(prepared(history))


def sampled(model: DiffusionModel, sampler: Spec | None = None) -> np.ndarray:
    """A few samples, under the histories of the validation part where the model has one."""
    given = prepared(HISTORY).parts.val if model.collator_.history_len else None
    batch = None if given is None else given.batch(np.arange(DRAWN))
    return np.asarray(model.sample(DRAWN, given=batch, sampler=sampler))
