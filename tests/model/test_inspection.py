"""Shapes, counts, norms and memory against what can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from undula import DataOptions, DiffusionModel
from undula.data.prepare import prepare
from undula.model.fitting import training_batch
from undula.model.inspection import gradient_norms, parameter_counts, saved_bytes, shapes_of


def network() -> nn.Module:
    made = nn.Module()
    made.first, made.blocks = nn.Linear(3, 4), nn.ModuleList(nn.Linear(4, 4, bias=False) for _ in range(2))
    made.free = nn.Parameter(torch.zeros(5))
    return made


def test_parameters_are_counted_by_part() -> None:
    assert parameter_counts(network()) == {"free": 5, "first": 16, "blocks.0": 16, "blocks.1": 16}


def test_gradient_norms_add_up_to_the_whole() -> None:
    made = network()
    h = made.blocks[1](made.blocks[0](made.first(torch.randn(6, 3))))
    (h.square().sum() + 3.0 * made.free.sum()).backward()
    norms = gradient_norms(made)
    assert norms["free"] == pytest.approx(3.0 * 5**0.5)
    whole = torch.nn.utils.get_total_norm([p.grad for p in made.parameters()])
    assert sum(x**2 for x in norms.values()) ** 0.5 == pytest.approx(float(whole))
    made.zero_grad()
    assert set(gradient_norms(made).values()) == {0.0}


def test_saved_bytes_are_those_of_the_backward_pass() -> None:
    """A linear layer keeps its input, tanh its output, the square the same once more: 8·16 + 8·4 numbers."""
    layer, x = nn.Linear(16, 4), torch.randn(8, 16)
    value, kept = saved_bytes(lambda: torch.tanh(layer(x)).square().sum(), layer)
    assert kept == 4 * (8 * 16 + 8 * 4)
    value.backward()
    assert layer.weight.grad is not None


def test_shapes_of_a_conditional_model() -> None:
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}},
        data={"predict_len": 6, "history_len": 4},
    )
    rows = np.random.default_rng(0).normal(size=(200, 2))
    prepared = prepare(DataOptions(predict_len=6, history_len=4), rows)
    loss = model.assemble(prepared)
    batch = training_batch(model.collator_, prepared.parts.train.batch(np.arange(5)))
    assert shapes_of(loss, batch) == {
        "series": (5, 2, 6),
        "diffused": (5, 2, 6),
        "condition history": (5, 2, 4),
        "past": (5, 2, 4),
        "network's output": (5, 2, 6),
    }
    assert loss.network.training
