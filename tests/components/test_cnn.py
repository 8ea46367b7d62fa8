"""The dilated network sees exactly as far as it says, and recurrent ones see everything."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from undula.core.architecture import BaseArchitecture
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError
from undula.core.registry import Registry

LENGTH = 41


def built(name: str, layout: Layout | None = None, **params: Any) -> BaseArchitecture:
    network = Registry.get("architecture", name, **{"model_dim": 8, "num_layers": 3, **params})
    network.build(layout or Layout(channels=1, length=LENGTH))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def seen(network: BaseArchitecture, step: int, condition: Condition | None = None) -> list[int]:
    """The steps of the series on which F at a step depends."""
    x = torch.randn(1, 1, LENGTH, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x, torch.tensor([0.5]), condition)[0, 0, step], x)
    return torch.nonzero(gradient[0, 0]).flatten().tolist()


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({}, 1 + 2 * (1 + 2 + 4)),
        ({"dilation_cycle": 2}, 1 + 2 * (1 + 2 + 1)),
        ({"kernel_size": 5, "num_layers": 2}, 1 + 4 * (1 + 2)),
        ({"causal": True, "dilation_cycle": 2}, 1 + 2 * (1 + 2 + 1)),
    ],
    ids=str,
)
def test_a_cnn_sees_its_receptive_field(params: dict[str, Any], field: int) -> None:
    """To its ends, and no step further: behind alone if causal, else on both sides."""
    network: Any = built("cnn", **params)
    assert network.receptive_field == field
    after = 0 if params.get("causal") else field // 2
    found = seen(network, 20)
    assert (min(found), max(found)) == (20 + after - field + 1, 20 + after)


@pytest.mark.parametrize(
    ("name", "params"),
    [("rnn", {"cell": "gru"}), ("rnn", {"cell": "lstm"}), ("gru", {}), ("lstm", {})],
    ids=str,
)
def test_recurrent_networks_see_everything_or_all_that_was(name: str, params: dict[str, Any]) -> None:
    network = built(name, **params)
    assert not network.causal
    assert seen(network, 20) == list(range(LENGTH))
    network = built(name, **params, bidirectional=False)
    assert network.causal
    assert seen(network, 20) == list(range(21))


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_names_of_cells_are_rnns(cell: str) -> None:
    """`gru` is the network `rnn` with cell gru: the same weights give the same output."""
    one, other = built("rnn", cell=cell), built(cell)
    other.load_state_dict(one.state_dict())
    x, tau = torch.randn(2, 1, LENGTH), torch.rand(2)
    assert torch.equal(one(x, tau), other(x, tau))
    kinds = {type(module).__name__ for module in other.modules()}
    assert {"gru": "GRU", "lstm": "LSTM"}[cell] in kinds


def reach(network: BaseArchitecture) -> Tensor:
    """The size of the gradient of each step of F by a history's last value, (LENGTH,)."""
    history = torch.randn(1, 1, 5, requires_grad=True)
    out = network(torch.randn(1, 1, LENGTH), torch.tensor([0.5]), Condition(sequence={"history": history}))
    found = [torch.autograd.grad(f, history, retain_graph=True)[0][0, 0, -1] for f in out[0, 0]]
    return torch.stack(found).abs()


def test_a_history_before_the_series_reaches_its_first_steps() -> None:
    """With concat the history is part of what is convolved: it acts as far as the field goes."""
    layout = Layout(channels=1, length=LENGTH, sequence={"history": (1, 5)})
    network = built("cnn", layout, conditioning="concat", causal=True)
    acts = reach(network) > 0
    assert acts.tolist() == [step < 14 for step in range(LENGTH)]  # field 15, the history's end at −1
    assert bool((reach(built("cnn", layout)) > 0).all())  # attended to: everywhere


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("cnn", {"kernel_size": 4}, "kernel_size = 4 is even: use 5"),
        ("hybrid", {"kernel_size": 2}, "kernel_size = 2 is even: use 3"),
        ("cnn", {"model_dim": 12}, "model_dim = 12 is not a multiple of 2·num_heads = 8: use model_dim: 16"),
        ("gru", {"model_dim": 10, "num_heads": 2}, "model_dim = 10 is not a multiple of 2·num_heads = 4"),
        ("hybrid", {"model_dim": 10}, "is not a multiple of 2·num_heads = 8"),
        ("unet", {"channels": [8, 9], "attention_heads": 0}, "is not a multiple of 2·num_heads = 2"),
    ],
)
def test_sizes_that_cannot_be_are_refused(name: str, params: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Registry.get("architecture", name, **params)


def test_widths_are_free_without_attention() -> None:
    for name in ("cnn", "rnn"):
        assert built(name, model_dim=5, conditioning="concat")(torch.randn(2, 1, 9), torch.rand(2)).shape == (
            2,
            1,
            9,
        )
