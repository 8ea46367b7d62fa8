"""Dropping condition parts, one by one: what a config says is what training does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from undula import DiffusionModel
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError
from undula.core.registry import Registry

LAYOUT = Layout(
    channels=1,
    length=8,
    sequence={"history": (1, 4)},
    aligned={"observed": 1, "coordinates": 2},
    static={"static": 2},
)


def network(condition_dropout: Any, name: str = "mlp") -> Any:
    return Registry.get("architecture", name, model_dim=16, num_layers=1, condition_dropout=condition_dropout)


def test_a_number_is_for_all_parts_and_a_mapping_for_those_it_names() -> None:
    assert network(0.2).dropout_of_parts(LAYOUT) == {"history": 0.2, "static": 0.2}
    assert network({"history": 0.1}).dropout_of_parts(LAYOUT) == {"history": 0.1, "static": 0.0}


@pytest.mark.parametrize("name", ["mlp", "transformer", "cnn", "rnn", "hybrid"])
def test_an_unknown_part_is_refused_when_the_network_is_built(name: str) -> None:
    with pytest.raises(
        ConfigError, match=r"names 'histry'; did you mean 'history'\?.* are 'history', 'static'"
    ):
        network({"histry": 0.1}, name).build(LAYOUT)


@pytest.mark.parametrize("part", ["observed", "coordinates"])
def test_what_is_always_told_cannot_be_dropped(part: str) -> None:
    with pytest.raises(ConfigError, match=f"names '{part}'"):
        network({part: 0.1}).build(LAYOUT)


@pytest.mark.parametrize("wrong", [1.0, -0.1, {"history": 1.5}, "much"])
def test_probabilities_are_checked(wrong: Any) -> None:
    with pytest.raises(ConfigError, match="condition_dropout"):
        network(wrong)


def test_training_drops_what_the_config_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the façade's spec to the null that the network uses."""
    rows = np.random.default_rng(0).normal(size=(400, 1)).cumsum(0)
    seen: list[Condition] = []
    kind = type(network(0.0))
    forward = kind.forward

    def noting(self: Any, x: Any, tau: Any, condition: Any = None) -> Any:
        seen.append(condition)
        return forward(self, x, tau, condition)

    monkeypatch.setattr(kind, "forward", noting)
    for dropout, expected in (({"history": 0.5}, 0.5), (0.5, 0.5), ({}, None), ({"history": 0.0}, None)):
        seen.clear()
        DiffusionModel(
            architecture={"type": "mlp", "params": {"model_dim": 8, "condition_dropout": dropout}},
            data={"history_len": 4, "predict_len": 8, "split": {"train": 1.0, "val": 0.0, "test": 0.0}},
            training={"max_steps": 3, "batch_size": 300, "sample_every": None},
        ).fit(pd.DataFrame(rows, columns=["x"]))
        shares = [
            float(told.dropped["history"].double().mean()) for told in seen if "history" in told.dropped
        ]
        assert len(shares) == (3 if expected else 0)
        assert all(abs(share - 0.5) < 0.15 for share in shares)


def test_coordinates_act_in_every_architecture() -> None:
    """Which position is what is read from an aligned part, as any other aligned part is."""
    for name, params in (
        ("transformer", {"model_dim": 16, "num_layers": 1}),
        ("unet", {"channels": [8], "blocks": 1}),
        ("mlp", {"model_dim": 16, "num_layers": 1}),
        ("cnn", {"model_dim": 16, "num_layers": 1}),
        ("rnn", {"model_dim": 16, "num_layers": 1}),
        ("hybrid", {"model_dim": 16, "num_layers": 1}),
        ("ensemble", {"models": [{"type": "cnn", "params": {"model_dim": 16}}] * 2}),
    ):
        made: Any = Registry.get("architecture", name, **params)
        made.build(Layout(channels=1, length=8, aligned={"coordinates": 2}))
        with torch.no_grad():
            for parameter in made.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
        coordinates = torch.randn(2, 2, 8, requires_grad=True)
        out = made(torch.randn(2, 1, 8), torch.rand(2), Condition(aligned={"coordinates": coordinates}))
        (gradient,) = torch.autograd.grad(out.square().sum(), coordinates)
        assert bool((gradient != 0).all()), name
