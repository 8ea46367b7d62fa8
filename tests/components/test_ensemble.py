"""An ensemble is the weighted mean of its members, however they are run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from undula import DiffusionModel
from undula.components.architectures.ensemble import EnsembleArchitecture
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError, IncompatibleError
from undula.core.registry import Registry

TINY = {"model_dim": 8, "num_layers": 1, "num_heads": 2}
LAYOUT = Layout(channels=2, length=9, sequence={"history": (2, 4)})


def spec(name: str, **params: Any) -> dict[str, Any]:
    return {"type": name, "params": {**TINY, **params}}


def built(models: list[Any], **params: Any) -> EnsembleArchitecture:
    network = Registry.get("architecture", "ensemble", models=models, **params)
    assert isinstance(network, EnsembleArchitecture)
    network.build(LAYOUT)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def inputs(dropped: bool = False) -> tuple[Tensor, Tensor, Condition]:
    condition = Condition(sequence={"history": torch.randn(3, 2, 4)})
    return torch.randn(3, 2, 9), torch.tensor([0.1, 0.5, 0.9]), condition


def test_names_alone_make_an_ensemble() -> None:
    for network in (
        Registry.get("architecture", "ensemble"),
        Registry.get("architecture", "ensemble", models=["transformer", "cnn", "rnn"]),
    ):
        assert [Registry.name(model) for model in network.models] == ["transformer", "cnn", "rnn"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("aggregation", ["mean", "weighted_mean", "by_noise_level"])
def test_the_output_is_the_weighted_mean_of_the_members(aggregation: str) -> None:
    network = built([spec("cnn"), spec("gru"), spec("transformer")], aggregation=aggregation)
    x, tau, condition = inputs()
    each = torch.stack([member(x, tau, condition) for member in network.members], 1)
    if aggregation == "mean":
        weights = torch.full((3, 3), 1 / 3)
    elif aggregation == "weighted_mean":
        assert network.logits is not None
        weights = (network.logits.exp() / network.logits.exp().sum()).expand(3, 3)
    else:
        assert network.gate is not None
        scores = network.gate(network.noise_level(tau)).exp()
        weights = scores / scores.sum(1, keepdim=True)
    assert torch.allclose(network.weights(tau), weights)
    assert torch.allclose(network(x, tau, condition), torch.einsum("bk,bkcl->bcl", weights, each), atol=1e-6)
    learned = aggregation != "mean"
    assert (float((weights - 1 / 3).detach().abs().max()) > 1e-3) == learned
    assert (float((weights[0] - weights[2]).detach().abs().max()) > 1e-3) == (aggregation == "by_noise_level")


@pytest.mark.parametrize("aggregation", ["weighted_mean", "by_noise_level"])
def test_learned_weights_start_equal(aggregation: str) -> None:
    network = Registry.get(
        "architecture", "ensemble", models=[spec("cnn"), spec("gru")], aggregation=aggregation
    )
    network.build(LAYOUT)
    assert torch.allclose(network.weights(torch.rand(5)), torch.full((5, 2), 0.5))  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["transformer", "cnn", "hybrid", "unet", "mlp"])
def test_equal_members_as_one_batch_are_what_they_are_in_turn(name: str) -> None:
    """Outputs and gradients agree, with a member of another kind beside them."""
    params: dict[str, Any] = {"unet": {"channels": [8, 16], "blocks": 1, "attention_heads": 2}}.get(
        name, TINY
    )
    if name == "mlp":
        params = {"model_dim": 8, "num_layers": 1}
    network = built([{"type": name, "params": params}, spec("gru"), {"type": name, "params": params}])
    assert network._groups == [[0, 2], [1]]
    found = []
    arguments = inputs()
    for together in (False, True):
        network.together = together
        network.zero_grad()
        out = network(*arguments)
        out.square().sum().backward()
        found.append([out.detach(), *(p.grad for p in network.parameters() if p.grad is not None)])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-4, atol=1e-5)


def test_as_one_batch_the_network_is_called_once(monkeypatch: pytest.MonkeyPatch) -> None:
    network = built([spec("cnn")] * 3)
    calls = []
    member = type(network.members[0])
    forward = member.forward
    monkeypatch.setattr(member, "forward", lambda *a: (calls.append(1), forward(*a))[1])
    for together, expected in ((False, 3), ("auto", 3), (True, 1)):  # auto: on a GPU alone
        network.together = together  # type: ignore[assignment]
        calls.clear()
        network(*inputs())
        assert len(calls) == expected


def test_members_that_differ_or_are_recurrent_are_not_put_together() -> None:
    network = built([spec("cnn"), spec("cnn", dropout=0.1), spec("gru"), spec("gru"), spec("cnn")])
    assert network._groups == [[0, 4], [1], [2], [3]]


def test_equal_members_start_from_different_weights() -> None:
    network = Registry.get("architecture", "ensemble", models=[spec("cnn")] * 2)
    network.build(LAYOUT)
    one, other = (member.project_in.weight for member in network.members)  # type: ignore[attr-defined]
    assert not torch.allclose(one, other)


def test_checkpointing_is_handed_to_the_members() -> None:
    network = built([spec("cnn")] * 2, together=True)
    blocks = [member.blocks[0] for member in network.members]
    calls = []
    for block in blocks:
        block.register_forward_pre_hook(lambda module, given: calls.append(module))
    for again, count in ((False, 1), (True, 4)):  # as one batch; in turn, and each again
        network.gradient_checkpointing = again
        calls.clear()
        network(*inputs()).sum().backward()
        assert len(calls) == count


def test_an_ensemble_is_what_its_members_allow() -> None:
    small: dict[str, Any] = {"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}}
    fixed = Registry.get("architecture", "ensemble", models=[small, spec("cnn")])
    assert not fixed.any_length
    with pytest.raises(IncompatibleError, match="one fixed length"):
        fixed.build(Layout(channels=1, length=None))
    causal = [spec("cnn", causal=True), spec("gru", bidirectional=False)]
    assert Registry.get("architecture", "ensemble", models=causal).causal
    assert not Registry.get("architecture", "ensemble", models=[*causal, spec("cnn")]).causal


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"models": ["cnn"]}, "needs two or more"),
        ({"models": []}, "needs two or more"),
        ({"models": ["cnn", "cnm"]}, "unknown architecture 'cnm'; did you mean 'cnn'"),
        ({"models": ["cnn", spec("gru", condition_dropout=0.3)]}, "members share the ensemble's"),
        ({"models": ["cnn", {"type": "gru", "params": {"width": 3}}]}, "no parameter 'width'"),
    ],
)
def test_ensembles_that_cannot_be_are_refused(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry.get("architecture", "ensemble", **params)


def test_members_share_the_ensembles_dropout() -> None:
    network = built([spec("cnn"), spec("gru")], condition_dropout={"history": 0.4})
    assert [member.condition_dropout for member in network.members] == [{"history": 0.4}] * 2


def test_an_ensemble_is_trained_saved_and_loaded(tmp_path: Path) -> None:
    model = DiffusionModel(
        architecture={"type": "ensemble", "params": {"models": [spec("cnn"), spec("gru"), spec("cnn")]}},
        data={"dataset": "ar1", "history_len": 4, "predict_len": 8, "stride": 40},
        training={"max_steps": 3, "learning_rate": 1e-2, "warmup_steps": 0, "sample_every": None},
    ).fit()
    network = model.parts_.architecture
    assert isinstance(network, EnsembleArchitecture)
    assert network.logits is not None
    assert float(network.logits.detach().abs().max()) > 0  # the weights are learned
    model.save(tmp_path)
    again = DiffusionModel.load(tmp_path)
    one, other = (m.sample(3, unconditional=True, num_steps=3) for m in (model, again))
    assert np.array_equal(one, other)
