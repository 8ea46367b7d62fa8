"""The counter generator: known answers, independence of batch and padding, statistics."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from scipy import stats

from undula.core.randomness import Stream, derive_seed, forked_generator, philox, philox_tensor

# the generator's published test vectors: counter, key, output
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "output"), KNOWN)
def test_known_answers(counter: tuple[int, ...], key: tuple[int, int], output: tuple[int, ...]) -> None:
    even, odd = [[counter[0]], [counter[2]]], [[counter[1]], [counter[3]]]
    on_arrays = philox(np.array(even, np.uint32), np.array(odd, np.uint32), key)
    on_tensors = philox_tensor(torch.tensor(even), torch.tensor(odd), key)
    for first, second in (on_arrays, on_tensors):
        words = (first[0], second[0], first[1], second[1])
        assert tuple(int(word[0]) for word in words) == output


def test_arrays_and_tensors_agree() -> None:
    even, odd = np.random.default_rng(0).integers(0, 2**32, (2, 2, 5, 7), dtype=np.uint32)
    key = (12345, 2**32 - 1)
    on_arrays = philox(even, odd, key)
    on_tensors = philox_tensor(*(torch.from_numpy(w.astype(np.int64)) for w in (even, odd)), key)
    for a, b in zip(on_arrays, on_tensors, strict=True):
        assert np.array_equal(a, b.numpy())


def test_a_draw_depends_on_seed_name_step_and_index_alone() -> None:
    stream = Stream(3, "a")
    whole = stream.normal(5, torch.arange(10), 2, 13)
    assert torch.equal(stream.normal(5, torch.tensor([7, 1]), 2, 13), whole[[7, 1]])
    assert torch.equal(stream.normal(5, torch.arange(10), 1, 13), whole[:, :1])
    assert torch.equal(stream.normal(5, torch.arange(10), 2, 6), whole[..., :6])
    for other in (Stream(4, "a"), Stream(3, "b")):
        assert not torch.equal(other.normal(5, torch.arange(10), 2, 13), whole)
    assert not torch.equal(stream.normal(6, torch.arange(10), 2, 13), whole)


def test_indices_beyond_32_bits_of_a_batch_are_distinct() -> None:
    a, b = Stream(0, "a").uniform(0, torch.tensor([0, 2**32 - 1]), 4)
    assert not torch.equal(a, b)


def test_normal_numbers_are_normal() -> None:
    x = Stream(0, "x").normal(0, torch.arange(400), 2, 251, torch.float64).flatten().numpy()
    assert stats.kstest(x, "norm").pvalue > 1e-3
    assert stats.kurtosis(x) == pytest.approx(0, abs=0.05)
    assert np.abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 4 / len(x) ** 0.5


def test_uniform_numbers_are_uniform_and_inside() -> None:
    u = Stream(0, "u").uniform(0, torch.arange(100_000))[:, 0].numpy()
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert u.min() > 0 and u.max() < 1


def test_float_types_agree_to_rounding() -> None:
    index = torch.arange(50)
    single, double = (Stream(0, "x").normal(0, index, 1, 20, d) for d in (torch.float32, torch.float64))
    assert torch.allclose(single.double(), double, atol=2e-6)


def test_derived_seeds_differ() -> None:
    seeds = {derive_seed(s, *names) for s in (0, 1) for names in (("a",), ("b",), ("a", 1), ("a", "1x"), ())}
    assert len(seeds) == 10


def test_a_forked_generator_leaves_no_trace() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with forked_generator(0, "x"):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with forked_generator(0, "x"):
        assert torch.equal(torch.rand(3), first)


@pytest.mark.slow
def test_every_process_draws_the_same() -> None:
    """Also on several threads, where the first call of the vector mathematics is split."""
    code = (
        "import hashlib, torch; torch.set_num_threads(2); from undula.core.randomness import Stream;"
        "x = Stream(7, 'sample').normal(0, torch.arange(256), 1, 50);"
        "print(hashlib.md5(x.numpy().tobytes()).hexdigest())"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}

    def draw(_: int) -> str:
        command = [sys.executable, "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout

    with ThreadPoolExecutor(2) as pool:
        assert len(set(pool.map(draw, range(60)))) == 1
