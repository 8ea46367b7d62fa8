r"""Wavelets: the orthonormal, critically sampled discrete wavelet transform, L numbers for L.

    z = (approximation of the deepest level, details of every level), each on its own scale

with the orthogonal filters of PyWavelets. What happens at the window's ends:

    orthogonal   every end has functions of its own, for any length: orthonormal, and blind in the details
                 to a constant, with longer filters (from db4) to a trend too (see `_filter_banks`); inner
                 coefficients are those of PyWavelets
    periodic     the window's end is followed by its start (PyWavelets' "periodization"); for lengths that
                 are multiples of 2^level. A window that ends elsewhere than it began has a jump there.

Where a level of `orthogonal` is too short for the filters between its two ends, all of it is boundary (as
db4's second and third of 21 steps). Levels end when one number is left; asking for more is refused.
Coefficients stand in PyWavelets' order: approximation, then details from the coarsest to the finest level.

References:
    Mallat (1989). A theory for multiresolution signal decomposition. doi:10.1109/34.192463
    Daubechies (1992). Ten lectures on wavelets. doi:10.1137/1.9781611970104
    Lee et al. (2019). PyWavelets. doi:10.21105/joss.01237
"""

from __future__ import annotations

__all__ = ["WaveletPreprocessor"]

import functools
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor

from ...core.errors import ConfigError, IncompatibleError, did_you_mean
from ...core.registry import register
from ...core.types import PositiveInt
from ._filter_banks import Level, bounded_levels, periodic_levels
from ._orthonormal import Basis, OrthonormalPreprocessor, unit_interval

Boundary = Literal["orthogonal", "periodic"]


@register("preprocessing", "wavelet")
class WaveletPreprocessor(OrthonormalPreprocessor):
    """Orthonormal wavelet coefficients, each level with its own scale.

    Networks are told each position's level and its place in the window.

    Args:
        wavelet: an orthogonal wavelet of PyWavelets: haar, db2 … db38, sym2 … sym20, coif1 … coif17.
        level: how often the approximation is split again, at most until one number is left (about log2 of
            the length).
        boundary: orthogonal (functions of their own at the ends; any length) or periodic (the end is
            followed by the start; lengths that are multiples of 2^level).
    """

    needs = "windows of one length without missing values"

    def __init__(
        self, wavelet: str = "db4", level: PositiveInt = 3, boundary: Boundary = "orthogonal"
    ) -> None:
        _filters(wavelet)
        self.wavelet, self.level, self.boundary = wavelet, level, boundary

    def basis(self, length: int) -> Basis:
        """The wavelets of windows of this length."""
        return _bank(self.wavelet, self.level, self.boundary, length)


class _Bank(Basis):
    """Levels one after another: the approximation, then the details from the coarsest to the finest."""

    def __init__(self, levels: Sequence[Level], length: int) -> None:
        self.levels = levels
        sizes: list[int] = []
        x = torch.zeros(1, 1, length, dtype=torch.float64)
        for level in levels:
            x, high = level.analyse(x)
            sizes.insert(0, high.shape[-1])
        self.sizes = [x.shape[-1], *sizes]
        band = torch.repeat_interleave(torch.arange(len(self.sizes)), torch.tensor(self.sizes))
        place = torch.cat([(torch.arange(m, dtype=torch.float64) + 0.5) / m for m in self.sizes])
        super().__init__(band, unit_interval(torch.stack((band / len(sizes), place))))

    def fast(self, x: Tensor) -> Tensor:
        details: list[Tensor] = []
        for level in self.levels:
            x, high = level.analyse(x)
            details.insert(0, high)
        return torch.cat((x, *details), dim=-1)

    def fast_back(self, z: Tensor) -> Tensor:
        x, *details = z.split(self.sizes, dim=-1)
        for level, high in zip(reversed(self.levels), details, strict=True):
            x = level.synthesise(x, high)
        return x


@functools.lru_cache(maxsize=32)
def _bank(wavelet: str, level: int, boundary: Boundary, length: int) -> _Bank:
    """The filter bank for windows of this length.

    Raises:
        IncompatibleError: if the length does not allow it.
    """
    taps, moments = _filters(wavelet)
    levels: Sequence[Level]
    with torch.inference_mode(False), torch.no_grad():
        if boundary == "periodic":
            if length % 2**level:
                raise IncompatibleError(
                    f"preprocessing 'wavelet' with boundary: periodic and level: {level} needs windows whose "
                    f"length is a multiple of {2**level}, these have {length} steps: use boundary: "
                    "orthogonal, or another length or level"
                )
            levels = periodic_levels(taps, length, level)
        else:
            levels = bounded_levels(taps, moments, length, level)
            if len(levels) < level:
                raise IncompatibleError(
                    f"preprocessing 'wavelet': windows of {length} steps are one number after "
                    f"{len(levels)} levels: use level: {max(1, len(levels))} or less, or longer windows"
                )
        return _Bank(levels, length)


@functools.cache
def _filters(name: str) -> tuple[Tensor, int]:
    """The rows h and g over rising time, (2, N), and the number of vanishing moments."""
    import pywt

    known = [w for w in pywt.wavelist(kind="discrete") if pywt.Wavelet(w).orthogonal and w != "dmey"]
    if name not in known:
        why: Any = "there is no such wavelet"
        if name in pywt.wavelist():
            why = "it is not orthogonal, so that its coefficients of white noise are not white"
        raise ConfigError(
            f"wavelet = {name!r}: {why}; use haar, db2 … db38, sym2 … sym20 or coif1 … coif17"
            f"{did_you_mean(name, known)}"
        )
    wavelet = pywt.Wavelet(name)
    taps = torch.tensor([wavelet.rec_lo, wavelet.rec_hi], dtype=torch.float64)
    return taps, int(wavelet.vanishing_moments_psi)
