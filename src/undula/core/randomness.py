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

__all__ = ["Draws", "Stream", "derive_seed", "forked_generator", "philox", "philox_tensor", "seed_generators"]

import contextlib
import hashlib
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10

Words = NDArray[np.uint32]


def philox(even: Words, odd: Words, key: tuple[int, int]) -> tuple[Words, Words]:
    """Philox-4x32-10 on arrays.

    A round multiplies words 0 and 2 and mixes the halves of the products with words 1 and 3 and the
    key. Both products are made at once, and their halves are views: no word is moved.

    Args:
        even: words 0 and 2 of the counters, (2, …).
        odd: words 1 and 3, (2, …).
        key: two integers in [0, 2³²).

    Returns:
        Words 0 and 2, and words 1 and 3, of the output.
    """
    column = (2, *[1] * (even.ndim - 1))
    multipliers = np.array(_MULTIPLIERS, np.uint64).reshape(column)
    round_key, weyl = (np.array(words, np.uint32).reshape(column) for words in (key, _WEYL))
    low, high = _HALVES
    for _ in range(_ROUNDS):
        halves = np.multiply(even, multipliers, dtype=np.uint64).view(np.uint32)[::-1]
        even = halves[..., high::2] ^ odd
        even ^= round_key
        odd = halves[..., low::2]
        round_key = round_key + weyl
    return even, odd


def philox_tensor(even: Tensor, odd: Tensor, key: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """The same on int64 tensors of any device, for generators that stay on a GPU."""
    column = (2, *[1] * (even.ndim - 1))
    multipliers, round_key, weyl = (
        torch.tensor(words, device=even.device).reshape(column) for words in (_MULTIPLIERS, key, _WEYL)
    )
    for _ in range(_ROUNDS):
        product = (even * multipliers).flip(0)
        even = ((product >> 32) & _MASK) ^ odd ^ round_key
        odd = product & _MASK
        round_key = (round_key + weyl) & _MASK
    return even, odd


def _set_up_vector_mathematics() -> None:
    """Call log, exp, sin and cos once on one thread.

    The first call in a process sets up the library behind them; where that call is split over
    threads, one of them may still compute with another kernel and round differently (seen in one
    process out of twenty with MKL 2024.2). Draws would then not be a function of their counters.
    """
    for dtype in (torch.float32, torch.float64):
        small = torch.full((8,), 0.5, dtype=dtype)
        for function in (torch.log, torch.exp, torch.sin, torch.cos):
            function(small)


_set_up_vector_mathematics()


_HALVES = (0, 1) if sys.byteorder == "little" else (1, 0)
"""Where the low and the high word of a 64-bit product lie in memory."""


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

    def uniform(self, step: int, index: Tensor, count: int = 1) -> Tensor:
        """Uniform numbers in the open interval (0, 1).

        Args:
            step: which draw of the stream; an integer in [0, 2³²).
            index: numbers of the batch's members, integers of shape (B,).
            count: how many numbers a member.

        Returns:
            float64 of shape (B, count).
        """
        return self._uniform(step, index, 1, count)[:, 0, :count]

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
        uniform = self._uniform(step, index, channels, length).to(dtype)
        radius = uniform[..., 0::2].log().mul_(-2.0).sqrt_()
        angle = uniform[..., 1::2] * (2.0 * math.pi)
        pairs = torch.stack((torch.cos(angle).mul_(radius), torch.sin(angle).mul_(radius)), dim=-1)
        return pairs.flatten(-2)[..., :length]

    def _uniform(self, step: int, index: Tensor, channels: int, length: int) -> Tensor:
        """Numbers in (0, 1), float64 of shape (B, channels, length rounded up to a multiple of 4)."""
        blocks, device = -(-length // 4), index.device
        even, odd = torch.empty((2, 2, len(index), channels, blocks), dtype=torch.int64, device=device)
        even[0], even[1] = torch.arange(blocks, device=device), index[:, None, None]
        odd[0], odd[1] = torch.arange(channels, device=device)[:, None], step
        if device.type != "cpu":
            even, odd = philox_tensor(even, odd, self._key)
            numbers = torch.stack((even[0], odd[0], even[1], odd[1]), dim=-1).double()
        else:
            first, second = philox(even.numpy().astype(np.uint32), odd.numpy().astype(np.uint32), self._key)
            words = np.empty((*first.shape[1:], 4))
            words[..., 0], words[..., 1], words[..., 2], words[..., 3] = (
                first[0],
                second[0],
                first[1],
                second[1],
            )
            numbers = torch.from_numpy(words)
        return numbers.add_(0.5).mul_(2.0**-32).flatten(-2)


@dataclass(frozen=True)
class Draws:
    """The random numbers of one batch of a map: whose, which draw, and the members' numbers.

    Args:
        seed: the run's, or that of the samples.
        name: what they are for.
        step: which draw, an integer in [0, 2³²).
        index: the members' numbers, integers (B,).
    """

    seed: int
    name: str
    step: int
    index: Tensor

    def normal(self, channels: int, length: int, dtype: torch.dtype = torch.float32) -> Tensor:
        """Standard normal numbers (B, C, L)."""
        return Stream(self.seed, self.name).normal(self.step, self.index, channels, length, dtype)

    def uniform(self, channels: int, length: int) -> Tensor:
        """Uniform numbers in (0, 1), float64 (B, C, L)."""
        numbers = Stream(self.seed, self.name).uniform(self.step, self.index, channels * length)
        return numbers.unflatten(1, (channels, length))


def seed_generators(seed: int) -> None:
    """Seed torch's own generators, of the CPU and of GPUs that are in use.

    `torch.manual_seed` also notes a call for every kind of device that is not in use, with a trace of the
    stack: a millisecond, and memory that grows, if it is called in each step of a training.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def forked_generator(seed: int, *names: str | int) -> Iterator[None]:
    """Run a block (initialisation, dropout) under torch's own generator, seeded and then restored."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        seed_generators(derive_seed(seed, *names))
        yield
