r"""The weights of attention, recomputed beside the network's own fused product.

A = softmax(q kᵀ/√d),   a row a query, a column a key; rows sum to 1
"""

from __future__ import annotations

__all__ = ["AttentionMap", "recorded_attention"]

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .attention import CrossAttention, SelfAttention
from .embeddings import rotate


@dataclass(frozen=True)
class AttentionMap:
    """One call of one layer.

    Args:
        layer: its name in the network.
        kind: self or cross.
        weights: (B, heads, T, S).
    """

    layer: str
    kind: str
    weights: Tensor


@contextlib.contextmanager
def recorded_attention(network: nn.Module) -> Iterator[list[AttentionMap]]:
    """Keep the weights of every attention that runs inside the block.

    Args:
        network: whose `SelfAttention` and `CrossAttention` layers are watched.
    """
    found: list[AttentionMap] = []
    handles = []
    for name, module in network.named_modules():
        if isinstance(module, SelfAttention | CrossAttention):

            def hook(m: Any, args: Any, kwargs: Any, _output: Any, name: str = name) -> None:
                weights = _self if isinstance(m, SelfAttention) else _cross
                kind = "self" if isinstance(m, SelfAttention) else "cross"
                with torch.no_grad():
                    found.append(AttentionMap(name, kind, weights(m, *args, **kwargs).cpu()))

            handles.append(module.register_forward_hook(hook, with_kwargs=True))
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _self(m: SelfAttention, x: Tensor, angles: Tensor | None = None, valid: Tensor | None = None) -> Tensor:
    q, k, _ = m.project_in(x).unflatten(-1, (3, m.num_heads, -1)).permute(2, 0, 3, 1, 4)
    if angles is not None:
        q, k = rotate(q, angles), rotate(k, angles)
    return _weights(q, k, valid)


def _cross(
    m: CrossAttention,
    x: Tensor,
    context: Tensor,
    angles: Tensor | None = None,
    context_angles: Tensor | None = None,
) -> Tensor:
    q = m.query(x).unflatten(-1, (m.num_heads, -1)).transpose(1, 2)
    k, _ = m.key_value(context).unflatten(-1, (2, m.num_heads, -1)).permute(2, 0, 3, 1, 4)
    if angles is not None and context_angles is not None:
        q, k = rotate(q, angles), rotate(k, context_angles)
    return _weights(q, k, None)


def _weights(q: Tensor, k: Tensor, valid: Tensor | None) -> Tensor:
    scores = q @ k.mT / math.sqrt(q.shape[-1])
    if valid is not None:
        scores = scores.masked_fill(~valid[:, None, None, :], -math.inf)
    return scores.softmax(-1)
