"""Building blocks of networks: what positions and noise levels do to them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from undula.components.architectures.transformer import TransformerArchitecture
from undula.core.condition import Condition, Layout
from undula.nn.attention import CrossAttention, SelfAttention
from undula.nn.embeddings import NoiseLevelEmbedding, rotary_angles, rotate

DIM, HEADS, TOKENS = 16, 2, 7
PERMUTATION = torch.tensor([3, 0, 6, 1, 5, 2, 4])


def angles(start: int = 0) -> Tensor:
    return rotary_angles(torch.arange(start, start + TOKENS), DIM // HEADS).double()


def tokens() -> Tensor:
    return torch.randn(2, TOKENS, DIM, dtype=torch.float64)


def distance(a: Tensor, b: Tensor) -> float:
    """Relative to the second's size."""
    return float(((a - b).norm() / b.norm()).detach())


def test_rotary_angles_have_their_rates() -> None:
    expected = torch.tensor([[0.0, 0.0], [-3.0, -0.03]])
    assert torch.allclose(rotary_angles(torch.tensor([0, -3]), 4), expected)


def test_rotation_keeps_lengths_and_products_see_the_distance_alone() -> None:
    q, k = torch.randn(2, 1, 8, dtype=torch.float64)

    def turned(x: Tensor, position: int) -> Tensor:
        return rotate(x, rotary_angles(torch.tensor([position]), 8).double())

    assert float(turned(q, 9).norm()) == pytest.approx(float(q.norm()))
    product = float((turned(q, 5) * turned(k, 2)).sum())
    assert float((turned(q, 25) * turned(k, 22)).sum()) == pytest.approx(product, rel=1e-5)
    assert abs(float((turned(q, 2) * turned(k, 5)).sum()) - product) > 1e-2


def test_self_attention_sees_the_order_through_the_positions_alone() -> None:
    attend, x = SelfAttention(DIM, HEADS).double(), tokens()
    assert torch.allclose(attend(x[:, PERMUTATION]), attend(x)[:, PERMUTATION])
    assert distance(attend(x[:, PERMUTATION], angles()), attend(x, angles())[:, PERMUTATION]) > 1e-2


def test_self_attention_is_blind_to_a_common_shift() -> None:
    attend, x = SelfAttention(DIM, HEADS).double(), tokens()
    assert torch.allclose(attend(x, angles(100)), attend(x, angles()), atol=1e-5)
    assert distance(attend(x, 3.0 * angles()), attend(x, angles())) > 1e-2


def test_cross_attention_sees_the_contexts_order_through_the_positions_alone() -> None:
    attend, x, context = CrossAttention(DIM, HEADS).double(), tokens(), tokens()
    permuted = context[:, PERMUTATION]
    assert torch.allclose(attend(x, permuted), attend(x, context))
    plain = attend(x, context, angles(), angles(-TOKENS))
    assert distance(attend(x, permuted, angles(), angles(-TOKENS)), plain) > 1e-2


def test_cross_attention_is_blind_to_a_common_shift() -> None:
    attend, x, context = CrossAttention(DIM, HEADS).double(), tokens(), tokens()
    plain = attend(x, context, angles(), angles(-TOKENS))
    assert torch.allclose(attend(x, context, angles(50), angles(50 - TOKENS)), plain, atol=1e-5)
    assert distance(attend(x, context, angles(), angles(50 - TOKENS)), plain) > 1e-2


@pytest.mark.parametrize("conditioning", ["cross_attention", "concat"])
def test_a_transformer_knows_the_order_of_series_and_history(conditioning: str) -> None:
    """Permuting either changes more than the order of what comes out."""
    network = TransformerArchitecture(
        model_dim=DIM,
        num_heads=HEADS,
        num_layers=1,
        conditioning=conditioning,  # type: ignore[arg-type]
    )
    network.build(Layout(channels=1, length=TOKENS, sequence={"history": (1, TOKENS)}))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(0.0, 0.3)
    x, history = torch.randn(2, 3, 1, TOKENS)

    def run(x: Tensor, history: Tensor) -> Tensor:
        with torch.no_grad():
            return network(x, torch.full((3,), 0.5), Condition(sequence={"history": history}))

    plain = run(x, history)
    assert distance(run(x[..., PERMUTATION], history), plain[..., PERMUTATION]) > 1e-2
    assert distance(run(x, history[..., PERMUTATION]), plain) > 1e-3


def test_a_transformers_history_ends_where_its_series_starts() -> None:
    """Rotary positions are 0, 1, … for the series and …, −2, −1 for the history."""
    network = TransformerArchitecture(model_dim=DIM, num_heads=HEADS, num_layers=1)
    network.build(Layout(channels=1, length=TOKENS, sequence={"history": (1, 3)}))
    asked: list[tuple[Tensor, ...]] = []
    network.blocks[0].cross.attention.register_forward_pre_hook(lambda module, inputs: asked.append(inputs))
    condition = Condition(sequence={"history": torch.randn(2, 1, 3)})
    network(torch.randn(2, 1, TOKENS), torch.full((2,), 0.5), condition)
    ((_, _, own, context),) = asked
    assert torch.equal(own, rotary_angles(torch.arange(TOKENS), DIM // HEADS))
    assert torch.equal(context, rotary_angles(torch.arange(-3, 0), DIM // HEADS))


@pytest.mark.parametrize("near", [lambda tau: tau, lambda tau: 1.0 - tau], ids=["data", "noise"])
def test_noise_levels_at_the_ends_are_told_apart(near) -> None:  # type: ignore[no-untyped-def]
    """τ = 1e-4 and 1e-5 are the same number to a sinusoid of τ, but not to one of logit τ."""
    embed = NoiseLevelEmbedding(64)
    features: list[Tensor] = []
    embed.layers.register_forward_pre_hook(lambda module, inputs: features.append(inputs[0]))
    vectors = embed(near(torch.tensor([1e-4, 1e-5])))
    assert float((features[0][0] - features[0][1]).abs().max()) > 0.5
    assert distance(vectors[0], vectors[1]) > 0.02


def test_noise_levels_are_finite_at_the_very_ends() -> None:
    embed = NoiseLevelEmbedding(8)
    ends = embed(torch.tensor([0.0, 1.0]))
    assert torch.isfinite(ends).all()
    assert distance(ends[0], ends[1]) > 0.02
