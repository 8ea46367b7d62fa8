"""Recomputed attention weights give the layers' own outputs."""

from __future__ import annotations

import torch
from torch import nn

from undula.nn.attention import CrossAttention, SelfAttention
from undula.nn.attention_maps import recorded_attention
from undula.nn.embeddings import rotary_angles


class Both(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.own, self.other = SelfAttention(8, 2), CrossAttention(8, 2)

    def forward(
        self, x: torch.Tensor, context: torch.Tensor, valid: torch.Tensor
    ) -> tuple[torch.Tensor, ...]:
        angles, context_angles = rotary_angles(torch.arange(5), 4), rotary_angles(torch.arange(-3, 0), 4)
        return self.own(x, angles, valid=valid), self.other(x, context, angles, context_angles)


def test_weights_times_values_are_the_output() -> None:
    network, x, context = Both().eval(), torch.randn(3, 5, 8), torch.randn(3, 3, 8)
    valid = torch.tensor([[True] * 5, [True] * 3 + [False] * 2, [True] + [False] * 4])
    with torch.no_grad(), recorded_attention(network) as maps:
        outputs = network(x, context, valid)
    assert [(m.layer, m.kind) for m in maps] == [("own", "self"), ("other", "cross")]
    values = (
        network.own.project_in(x).unflatten(-1, (3, 2, -1))[:, :, 2],
        network.other.key_value(context).unflatten(-1, (2, 2, -1))[:, :, 1],
    )
    for layer, found, v, output in zip((network.own, network.other), maps, values, outputs, strict=True):
        assert torch.allclose(found.weights.sum(-1), torch.ones(()), atol=1e-6)
        mixed = (found.weights @ v.transpose(1, 2)).transpose(1, 2).flatten(-2)
        assert torch.allclose(layer.project_out(mixed), output, atol=1e-6)
    assert bool((maps[0].weights[1, ..., 3:] == 0).all()), "what does not exist is not attended to"
    with torch.no_grad():
        network(x, context, valid)
    assert len(maps) == 2, "nothing is kept after the block"
