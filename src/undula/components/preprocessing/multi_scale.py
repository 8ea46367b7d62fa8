r"""Days, weeks, months: the mean of every block, and what its parts add to it.

Windows are cut into blocks of the coarsest scale, those into blocks of the next, down to single steps,
each time from the start, so that the last block of a block may be shorter. A block of n steps made of
blocks of n_1 … n_K has, of their coefficients a_i = √n_i × mean,

    c = Σ w_i a_i = √n × mean,   w_i = √(n_i/n),         one coarse coefficient
    d_i = a_i + v_i (c − a_1)/v_1,   v = w − e_1,  i ≥ 2      K − 1 details

which is the Householder reflection a ↦ H a, H = I − 2 v vᵀ/vᵀv, H w = e_1: orthonormal, its own inverse,
L numbers for L, whatever the lengths are. All details vanish for a constant block. The order is that of the
scales, the coarsest first, and of time within each.

A scale not shorter than the window means the window's mean. Each scale has its own standard deviation.

References:
    Householder (1958). Unitary triangularization of a nonsymmetric matrix. doi:10.1145/320941.320947
    Fryzlewicz (2007). Unbalanced Haar technique for nonparametric function estimation.
        doi:10.1198/016214507000000860
"""

from __future__ import annotations

__all__ = ["MultiScalePreprocessor"]

import functools
from collections.abc import Sequence

import torch
from torch import Tensor

from ...core.errors import ConfigError
from ...core.registry import register
from ...core.types import PositiveInt
from ._orthonormal import Basis, OrthonormalPreprocessor, unit_interval


@register("preprocessing", "multi_scale")
class MultiScalePreprocessor(OrthonormalPreprocessor):
    """Block means of the coarsest scale, and details of every finer one, each with its own scale.

    Networks are told each position's scale and its place in the window.

    Args:
        scales: lengths of blocks in steps, rising; 1 is always among them. Daily data: [1, 7, 30].
    """

    needs = "windows of one length without missing values"

    def __init__(self, scales: Sequence[PositiveInt] = (1, 7, 30)) -> None:
        rising = sorted({1, *scales})
        if len(rising) == 1:
            raise ConfigError("multi_scale: scales needs a block longer than 1 step, such as [1, 7, 30]")
        if list(scales) != rising[-len(scales) :]:
            raise ConfigError(f"multi_scale: scales = {list(scales)} do not rise: use {rising}")
        self.scales = list(scales)

    def basis(self, length: int) -> Basis:
        """The blocks of windows of this length."""
        return _pyramid(tuple(self.scales), length)


class _Pyramid(Basis):
    """Reflections from the finest scale to the coarsest, each (v √2/‖v‖, block, blocks)."""

    def __init__(self, scales: tuple[int, ...], length: int) -> None:
        longest = min(max(scales), length)
        sizes = [size for size in scales if 1 < size < longest] + [longest]
        step = torch.arange(length)
        starts = _starts(sizes, length)
        bands = torch.full((length,), len(sizes))  # single steps
        for band, started in reversed(list(enumerate(starts))):
            bands[started] = band
        self.order = torch.argsort(bands, stable=True)  # a coefficient comes from where its block begins
        self.back = torch.argsort(self.order)
        coordinates = torch.stack((bands / len(sizes), step / max(1, length - 1)))
        super().__init__(bands[self.order], unit_interval(coordinates[:, self.order]))
        self.reflections = []
        parts = torch.ones(length, dtype=torch.bool)
        for started in reversed(starts):
            self.reflections.append(_reflection(parts, started))
            parts = started

    def fast(self, x: Tensor) -> Tensor:
        for reflection in self.reflections:
            x = _reflect(x, *reflection)
        return x[..., self.order.to(x.device)]

    def fast_back(self, z: Tensor) -> Tensor:
        z = z[..., self.back.to(z.device)]
        for reflection in reversed(self.reflections):
            z = _reflect(z, *reflection)
        return z


@functools.lru_cache(maxsize=32)
def _pyramid(scales: tuple[int, ...], length: int) -> Basis:
    return _Pyramid(scales, length)


def _starts(sizes: Sequence[int], length: int) -> list[Tensor]:
    """Where blocks begin, True (L,), coarsest scale first; a block begins wherever a coarser one does."""
    found: list[Tensor] = []
    since = torch.arange(length)  # steps since the coarser block began
    for size in reversed(sizes):
        found.append(since % size == 0)
        since = since % size
    return found


def _reflection(parts: Tensor, blocks: Tensor) -> tuple[Tensor, Tensor, int]:
    """H for the parts that begin where `parts` is True, in the blocks that begin where `blocks` is."""
    block = blocks.cumsum(0) - 1
    part = parts.cumsum(0) - 1
    share = torch.bincount(part)[part] / torch.bincount(block)[block].double()
    v = torch.where(parts, share.sqrt(), 0.0) - blocks.double()
    norm = torch.zeros(int(blocks.sum()), dtype=v.dtype).index_add(0, block, v.square()).sqrt()
    norm = torch.where(norm > 0, norm, 1.0)  # a block with one part stays as it is
    return v * (2.0**0.5 / norm)[block], block, len(norm)


def _reflect(x: Tensor, v: Tensor, block: Tensor, count: int) -> Tensor:
    v, block = v.to(x), block.to(x.device)
    sums = x.new_zeros(*x.shape[:-1], count).index_add(-1, block, x * v)
    return x - v * sums[..., block]
