"""Counter-based random numbers: every draw is a pure function of (seed, stream, step, index).

A counter generator turns a key and a counter into random bits without any state. The key comes
from the seed and the stream's name; the counter holds the step, the index (a sample's number, or
a position in the global batch), the channel and the time. Hence sample number i is the same
whatever the batch size, a resumed run draws what the uninterrupted one would have drawn, and the
members of a padded batch draw what they would have drawn alone.

References:
    Salmon, Moraes, Dror, Shaw (2011). Parallel random numbers: as easy as 1, 2, 3.
    doi:10.1145/2063384.2063405 (Philox-4x32-10)
"""

from __future__ import annotations

__all__ = ["Stream", "derive_seed", "forked_generator", "philox"]

import contextlib
import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_SMALL = 32_768
"""Below this many counters numpy's smaller cost per call beats torch's threads (2 to 4 times)."""

Integers = TypeVar("Integers", Tensor, "NDArray[np.int64]")


def philox(counter: Sequence[Integers], key: tuple[int, int]) -> list[Integers]:
    """Philox-4x32-10.

    Args:
        counter: four int64 arrays or tensors of broadcastable shapes, each value in [0, 2³²).
        key: two integers in [0, 2³²).

    Returns:
        Four int64 arrays or tensors of the broadcast shape, each value in [0, 2³²).
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(_ROUNDS):
        p0, p1 = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1, c2, c3 = (
            ((p1 >> 32) & _MASK) ^ c1 ^ k0,
            p1 & _MASK,
            ((p0 >> 32) & _MASK) ^ c3 ^ k1,
            p0 & _MASK,
        )
        k0, k1 = (k0 + _WEYL[0]) & _MASK, (k1 + _WEYL[1]) & _MASK
    return [c0, c1, c2, c3]


def derive_seed(seed: int, *names: str | int) -> int:
    """A 64-bit seed that depends on `seed` and on every name."""
    text = "\x1f".join(str(part) for part in (seed, *names))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


@dataclass(frozen=True)
class Stream:
    """A named sequence of draws.

    Args:
        seed: the run's seed.
        name: what the draws are for; streams of different names are independent.
    """

    seed: int
    name: str

    @cached_property
    def _key(self) -> tuple[int, int]:
        seed = derive_seed(self.seed, self.name)
        return seed & _MASK, seed >> 32

    def bits(self, step: int, index: Tensor, channels: int, length: int) -> Tensor:
        """Random 32-bit words, as int64 of shape (B, channels, length)."""
        blocks, device = -(-length // 4), index.device
        counter = [
            torch.arange(blocks, device=device),
            torch.arange(channels, device=device)[:, None],
            index.to(torch.int64)[:, None, None],
            torch.tensor(step, device=device),
        ]
        if device.type == "cpu" and len(index) * channels * blocks < _SMALL:
            words = [torch.from_numpy(w) for w in philox([c.numpy() for c in counter], self._key)]
        else:
            words = philox(counter, self._key)
        return torch.stack(words, dim=-1).flatten(-2)[..., :length]

    def uniform(self, step: int, index: Tensor, count: int = 1) -> Tensor:
        """Uniform numbers in the open interval (0, 1).

        Args:
            step: which draw of the stream; an integer in [0, 2³²).
            index: numbers of the batch's members, integers of shape (B,).
            count: how many numbers a member.

        Returns:
            float64 of shape (B, count).
        """
        return (self.bits(step, index, 1, count)[:, 0].double() + 0.5) * 2.0**-32

    def normal(
        self, step: int, index: Tensor, channels: int, length: int, dtype: torch.dtype = torch.float32
    ) -> Tensor:
        """Independent standard normal numbers (Box-Muller).

        Args:
            step: which draw of the stream; an integer in [0, 2³²).
            index: numbers of the batch's members, integers of shape (B,).
            channels: C; a channel's numbers do not depend on how many channels there are.
            length: L; the first numbers do not depend on it, so padding changes nothing.
            dtype: of the result; the same numbers to rounding.

        Returns:
            Shape (B, C, L), on the device of `index`.
        """
        words = self.bits(step, index, channels, length + length % 2).to(dtype)
        first, second = words.unflatten(-1, (-1, 2)).unbind(-1)
        radius = torch.sqrt(-2.0 * torch.log((first + 0.5) * 2.0**-32))
        angle = (second + 0.5) * (2.0 * math.pi * 2.0**-32)
        pairs = torch.stack((radius * torch.cos(angle), radius * torch.sin(angle)), dim=-1)
        return pairs.flatten(-2)[..., :length]


@contextlib.contextmanager
def forked_generator(seed: int, *names: str | int) -> Iterator[None]:
    """Run a block (initialisation, dropout) under torch's own generator, seeded and then restored."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(derive_seed(seed, *names))
        yield
