r"""Orthonormal transforms over the last axis, differentiable, on any device.

    dct    X_k = c_k Σ_n x_n cos(π k (2n + 1)/(2L)),   c_0 = 1/√L, c_k = √(2/L)     (DCT-II)
    idct   its inverse and transpose (DCT-III)

Short axes are multiplied by a matrix that is kept, long ones go through one real FFT.

References:
    Ahmed, Natarajan, Rao (1974). Discrete cosine transform. doi:10.1109/T-C.1974.223784
    Makhoul (1980). A fast cosine transform in one and two dimensions. doi:10.1109/TASSP.1980.1163351
"""

from __future__ import annotations

__all__ = ["dct", "idct"]

import functools
import math

import torch
from torch import Tensor

_LONGEST_MATRIX = 512


def dct(x: Tensor) -> Tensor:
    """The orthonormal DCT-II of the last axis, (…, L) → (…, L)."""
    length = x.shape[-1]
    if length <= _LONGEST_MATRIX:
        return x @ _matrix(length, x.dtype, x.device).mT
    spectrum = torch.fft.fft(torch.cat((x[..., ::2], x[..., 1::2].flip(-1)), dim=-1))
    turned = spectrum * _turn(length, spectrum.dtype, x.device)
    return turned.real * _norms(length, x.dtype, x.device)


def idct(z: Tensor) -> Tensor:
    """The inverse of `dct`, (…, L) → (…, L)."""
    length = z.shape[-1]
    if length <= _LONGEST_MATRIX:
        return z @ _matrix(length, z.dtype, z.device)
    scaled = z / _norms(length, z.dtype, z.device)
    # X_k − i X_{L−k} is the turned spectrum of the reordered series
    reversed_ = torch.cat((torch.zeros_like(scaled[..., :1]), scaled[..., 1:].flip(-1)), dim=-1)
    spectrum = torch.complex(scaled, -reversed_)
    spectrum = spectrum / _turn(length, spectrum.dtype, z.device)
    series = torch.fft.ifft(spectrum).real
    half = (length + 1) // 2
    x = torch.empty_like(series)
    x[..., ::2], x[..., 1::2] = series[..., :half], series[..., half:].flip(-1)
    return x


@functools.lru_cache(maxsize=32)
def _matrix(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        n = torch.arange(length, dtype=torch.float64)
        angles = math.pi / (2 * length) * torch.outer(n, 2.0 * n + 1.0)
        matrix = math.sqrt(2.0 / length) * torch.cos(angles)
        matrix[0] /= math.sqrt(2.0)
        return matrix.to(dtype).to(device)


@functools.lru_cache(maxsize=32)
def _turn(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        angles = -math.pi / (2 * length) * torch.arange(length, dtype=torch.float64)
        return torch.polar(torch.ones_like(angles), angles).to(dtype).to(device)


@functools.lru_cache(maxsize=32)
def _norms(length: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    with torch.inference_mode(False):
        norms = torch.full((length,), math.sqrt(2.0 / length), dtype=torch.float64)
        norms[0] = math.sqrt(1.0 / length)
        return norms.to(dtype).to(device)
