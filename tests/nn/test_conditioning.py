"""How what a network is told enters it."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from undula.core.condition import Condition, Layout
from undula.nn.attention import MixedCrossAttention
from undula.nn.conditioning import Conditioner, Told
from undula.nn.convolution import Convolution, GatedBlock
from undula.nn.embeddings import rotary_angles

LAYOUT = Layout(channels=1, length=6, sequence={"history": (2, 5)}, static={"label": 3})
CONDITION = Condition(sequence={"history": torch.randn(4, 2, 5)}, static={"label": torch.randn(4, 3)})
TAU = torch.linspace(0.1, 0.9, 4)


def told(conditioning: str) -> tuple[Conditioner, Told]:
    torch.manual_seed(0)
    conditioner = Conditioner(LAYOUT, conditioning, vector_dim=8, token_dim=12)  # type: ignore[arg-type]
    return conditioner, conditioner(TAU, CONDITION)


def test_each_conditioning_hands_the_history_on_in_its_own_way() -> None:
    """Film: the tokens' mean in the vector; cross-attention and concat: the tokens; none: nothing."""
    conditioner, plain = told("none")
    assert conditioner.sequence is None
    assert torch.allclose(plain.vector, conditioner.static(conditioner.noise_level(TAU), CONDITION))
    assert plain.context is None and plain.prefix is None

    conditioner, film = told("film")
    assert conditioner.sequence is not None
    tokens, _ = conditioner.sequence(CONDITION)
    without = conditioner.static(conditioner.noise_level(TAU), CONDITION)
    assert torch.allclose(film.vector, without + tokens.mean(1))
    assert film.context is None and film.prefix is None

    for conditioning in ("cross_attention", "concat"):
        conditioner, found = told(conditioning)
        assert conditioner.sequence is not None
        assert conditioner.crosses == (conditioning == "cross_attention")
        tokens = found.context if conditioner.crosses else found.prefix
        assert tokens is not None and (found.context is None or found.prefix is None)
        assert torch.equal(tokens, conditioner.sequence(CONDITION)[0])
        assert found.positions.tolist() == [-5, -4, -3, -2, -1]


def test_the_prefix_stands_before_the_series_and_exists() -> None:
    _, found = told("concat")
    h, exists = torch.randn(4, 6, 12), (torch.arange(6) < 4).expand(4, 6)[..., None]
    whole, there = found.lead(h, exists)
    assert found.prefix is not None and there is not None
    assert torch.equal(whole[:, :5], found.prefix)
    assert torch.equal(found.series(whole), h)
    assert there[:, :, 0].long().sum(1).tolist() == [9] * 4
    assert torch.equal(found.series(there), exists)
    own, _ = found.angles(torch.arange(6), 4)
    assert torch.equal(own, rotary_angles(torch.arange(-5, 6), 4))


def cross(mix: str) -> tuple[MixedCrossAttention, tuple[Tensor, ...], Tensor]:
    torch.manual_seed(0)
    layer = MixedCrossAttention(8, 2, 4, mix)  # type: ignore[arg-type]
    h, vector, context = torch.randn(3, 6, 8), torch.randn(3, 4), torch.randn(3, 5, 8)
    angles = rotary_angles(torch.arange(6), 4), rotary_angles(torch.arange(-5, 0), 4)
    update = layer.attention(F.layer_norm(h, (8,)), context, *angles)
    return layer, (h, vector, context, *angles), update


def test_cross_attention_joins_the_stream_as_it_says() -> None:
    layer, inputs, update = cross("none")
    assert torch.allclose(layer(*inputs), inputs[0] + update)
    layer, inputs, update = cross("fixed")
    mean = inputs[2].mean(1, keepdim=True)
    assert torch.allclose(layer(*inputs), 0.7 * inputs[0] + 0.3 * update + 0.3 * mean)


def test_the_learned_mix_starts_as_none_and_depends_on_the_noise_level() -> None:
    layer, inputs, update = cross("learned")
    assert torch.allclose(layer(*inputs), inputs[0] + update)
    assert layer.gate is not None
    torch.nn.init.normal_(layer.gate.weight)
    gain = 1.0 + layer.gate(inputs[1])
    assert torch.allclose(layer(*inputs), inputs[0] + gain[:, None] * update, atol=1e-6)


@pytest.mark.parametrize("dilation", [1, 2, 5])
@pytest.mark.parametrize("causal", [False, True])
def test_dilated_convolutions_are_torchs(dilation: int, causal: bool) -> None:
    layer = Convolution(3, 4, 3, bias=True, dilation=dilation, causal=causal)
    x = torch.randn(2, 11, 3)
    before, after = (2 * dilation, 0) if causal else (dilation, dilation)
    padded = F.pad(x.transpose(1, 2), (before, after))
    expected = F.conv1d(padded, layer.weight[:, :, 0], layer.bias, dilation=dilation)
    assert torch.allclose(layer(x), expected.transpose(1, 2), atol=1e-6)


def test_a_gated_block_starts_as_the_identity_and_gates_one_half_by_the_other() -> None:
    block = GatedBlock(4, 3, kernel=3, dilation=2, causal=False, dropout=0.0)
    x, vector = torch.randn(2, 9, 4), torch.randn(2, 3)
    assert torch.equal(block(x, vector), x)
    torch.nn.init.eye_(block.mix.weight)
    scale, shift = block.modulation(vector)[:, None].chunk(2, -1)
    a, b = block.conv(F.layer_norm(x, (4,)) * (1 + scale) + shift).chunk(2, -1)
    assert torch.allclose(block(x, vector) - x, a * torch.sigmoid(b), atol=1e-6)
