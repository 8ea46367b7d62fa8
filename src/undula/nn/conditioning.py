"""Condition parts as tokens, channels and vectors, each with a learned null.

The null of a part is a parameter. It replaces the part exactly where the condition says
`dropped`, in training and in sampling alike.

`Conditioner` holds what every network does alike: the noise level and the static parts become one
vector, and the sequence parts enter by cross-attention, film, concat or not at all.
"""

from __future__ import annotations

__all__ = [
    "AlignedEncoder",
    "Conditioner",
    "Conditioning",
    "FlatSequenceEncoder",
    "InputSkip",
    "SequenceEncoder",
    "StaticEncoder",
    "Told",
    "existing",
    "modulate",
]

from collections.abc import Mapping
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from ..core.condition import Condition, Layout
from ..core.errors import DataError
from .embeddings import NoiseLevelEmbedding, rotary_angles, sinusoids

Conditioning = Literal["cross_attention", "film", "concat", "none"]
"""How sequence parts enter: attended to, as their mean, as tokens before the series, or not."""


def modulate(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """X (1 + scale) + shift."""
    return torch.addcmul(shift, x, 1.0 + scale)


class InputSkip(nn.Module):
    """The series itself, times a learned function of the noise level.

    At high noise ε is nearly the input, and a network that squeezes patches through a narrow
    stream passes it on with an error that sampling multiplies by 1/α. Starts at zero.

    Args:
        dim: size of the noise level's vector.
        channels: C.
    """

    def __init__(self, dim: int, channels: int) -> None:
        super().__init__()
        self.gain = nn.Linear(dim, channels)
        nn.init.zeros_(self.gain.weight)
        nn.init.zeros_(self.gain.bias)

    def forward(self, x: Tensor, vector: Tensor) -> Tensor:
        """(B, C, L) and (B, dim) → (B, C, L)."""
        output: Tensor = x * self.gain(vector)[..., None]
        return output


class SequenceEncoder(nn.Module):
    """Sequence parts as tokens, the last patch of each part nearest to the series' start.

    A token is a function of its values and its position together, so that even the mean of all
    tokens depends on their order.

    Args:
        layout: names and channels of the parts.
        dim: size of a token.
        patch: time steps a token.
    """

    def __init__(self, layout: Layout, dim: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.ModuleDict(
            {name: nn.Linear(patch * channels, dim) for name, (channels, _) in layout.sequence.items()}
        )
        self.mix = nn.Linear(dim, dim)
        self.null = nn.ParameterDict({name: 0.02 * torch.randn(dim) for name in layout.sequence})

    def forward(self, condition: Condition) -> tuple[Tensor, Tensor]:
        """All parts' tokens (B, S, dim) and their positions (S,) in patches, negative."""
        tokens, positions = [], []
        for name, embed in self.embed.items():
            part = _part(condition.sequence, name)
            part = nn.functional.pad(part, (-part.shape[-1] % self.patch, 0))
            encoded = embed(part.unflatten(-1, (-1, self.patch)).transpose(1, 2).flatten(-2))
            place = torch.arange(-encoded.shape[1], 0, device=part.device)
            encoded = self.mix(nn.functional.gelu(encoded + sinusoids(place, encoded.shape[-1])))
            tokens.append(_replace(encoded, self.null[name], condition.dropped.get(name)))
            positions.append(place)
        return torch.cat(tokens, dim=1), torch.cat(positions)


class FlatSequenceEncoder(nn.Module):
    """Sequence parts of fixed length as one vector, flattened.

    Args:
        layout: names, channels and lengths of the parts.
        dim: size of the vector.
    """

    def __init__(self, layout: Layout, dim: int) -> None:
        super().__init__()
        self.embed = nn.ModuleDict(
            {name: nn.Linear(channels * length, dim) for name, (channels, length) in layout.sequence.items()}
        )
        self.null = nn.ParameterDict({name: 0.02 * torch.randn(dim) for name in layout.sequence})

    def forward(self, vector: Tensor, condition: Condition | None) -> Tensor:
        """The vector (B, dim) plus the embedding of every part."""
        if condition is None:
            return vector
        for name, embed in self.embed.items():
            encoded = embed(_part(condition.sequence, name).flatten(1).to(vector.dtype))
            vector = vector + _replace(encoded, self.null[name], condition.dropped.get(name))
        return vector


class AlignedEncoder(nn.Module):
    """Aligned parts as channels beside the series.

    Args:
        layout: names and channels of the parts.
    """

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self.channels = sum(layout.aligned.values())
        self.null = nn.ParameterDict(
            {name: 0.02 * torch.randn(channels, 1) for name, channels in layout.aligned.items()}
        )

    def forward(self, x: Tensor, condition: Condition | None) -> Tensor:
        """(B, C, L) → (B, C + channels of all parts, L)."""
        if condition is None or not self.channels:
            return x
        parts = [
            _replace(_part(condition.aligned, name), self.null[name], condition.dropped.get(name))
            for name in self.null
        ]
        return torch.cat((x, *(part.to(x.dtype) for part in parts)), dim=1)


class StaticEncoder(nn.Module):
    """Static parts as one vector, to be added to the noise level's.

    Args:
        layout: names and sizes of the parts.
        dim: size of the vector.
    """

    def __init__(self, layout: Layout, dim: int) -> None:
        super().__init__()
        self.embed = nn.ModuleDict({name: nn.Linear(size, dim) for name, size in layout.static.items()})
        self.null = nn.ParameterDict({name: 0.02 * torch.randn(dim) for name in layout.static})

    def forward(self, vector: Tensor, condition: Condition | None) -> Tensor:
        """The vector (B, dim) plus the embedding of every part."""
        if condition is None:
            return vector
        for name, embed in self.embed.items():
            encoded = embed(_part(condition.static, name).to(vector.dtype))
            vector = vector + _replace(encoded, self.null[name], condition.dropped.get(name))
        return vector


class Told(NamedTuple):
    """What a network is told, ready for its layers.

    Attributes:
        vector: noise level and static parts, with film also the mean of the sequence parts, (B, E).
        context: tokens to attend to, (B, S, D); None unless conditioning is cross_attention.
        prefix: tokens that stand before the series, (B, S, D); None unless conditioning is concat.
        positions: of these tokens, in patches: …, −2, −1; (S,).
    """

    vector: Tensor
    context: Tensor | None
    prefix: Tensor | None
    positions: Tensor

    def lead(self, h: Tensor, exists: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """The prefix before the series' tokens (B, L, D), and where either exists, (B or 1, S + L, …)."""
        if self.prefix is None:
            return h, exists
        if exists is not None:
            there = exists.new_ones((exists.shape[0], self.prefix.shape[1], *exists.shape[2:]))
            exists = torch.cat((there, exists), dim=1)
        return torch.cat((self.prefix.to(h.dtype), h), dim=1), exists

    def angles(self, positions: Tensor, head_dim: int) -> tuple[Tensor, Tensor]:
        """Rotary angles of the stream, with the prefix, and of the context.

        Args:
            positions: of the series' tokens, (T,).
            head_dim: features a head.
        """
        own = positions if self.prefix is None else torch.cat((self.positions, positions))
        return rotary_angles(own, head_dim), rotary_angles(self.positions, head_dim)

    def series(self, h: Tensor) -> Tensor:
        """The series' tokens alone."""
        return h if self.prefix is None else h[:, self.prefix.shape[1] :]


class Conditioner(nn.Module):
    """Noise level, static and sequence parts for the layers of a network.

    Args:
        layout: the parts.
        conditioning: how sequence parts enter.
        vector_dim: E, size of the vector.
        token_dim: D, size of a token.
        patch: time steps of a sequence part a token.
    """

    def __init__(
        self, layout: Layout, conditioning: Conditioning, vector_dim: int, token_dim: int, patch: int = 1
    ) -> None:
        super().__init__()
        self.conditioning = conditioning
        self.noise_level = NoiseLevelEmbedding(vector_dim)
        self.static = StaticEncoder(layout, vector_dim)
        used = bool(layout.sequence) and conditioning != "none"
        dim = vector_dim if conditioning == "film" else token_dim
        self.sequence = SequenceEncoder(layout, dim, patch) if used else None

    @property
    def crosses(self) -> bool:
        """Whether there is something to attend to."""
        return self.sequence is not None and self.conditioning == "cross_attention"

    def forward(self, tau: Tensor, condition: Condition | None) -> Told:
        """Noise levels τ (B,) and the condition → what the layers are told."""
        vector = self.static(self.noise_level(tau), condition)
        if self.sequence is None or condition is None:
            return Told(vector, None, None, torch.arange(0, device=tau.device))
        tokens, positions = self.sequence(condition)
        if self.conditioning == "film":
            return Told(vector + tokens.mean(1), None, None, positions)
        if self.conditioning == "concat":
            return Told(vector, None, tokens, positions)
        return Told(vector, tokens, None, positions)


def existing(condition: Condition | None) -> Tensor | None:
    """Where the series exists, channels last, (B, L, 1); None: everywhere."""
    if condition is None or condition.exists is None:
        return None
    return condition.exists[:, 0, :, None]


def _part(parts: Mapping[str, Tensor], name: str) -> Tensor:
    if name not in parts:
        raise DataError(
            f"the model is conditioned on {name!r}, which was not given: pass it, or drop it explicitly"
        )
    return parts[name]


def _replace(encoded: Tensor, null: Tensor, dropped: Tensor | None) -> Tensor:
    if dropped is None:
        return encoded
    where = dropped.reshape(-1, *[1] * (encoded.ndim - 1))
    return torch.where(where, null.to(encoded.dtype), encoded)
