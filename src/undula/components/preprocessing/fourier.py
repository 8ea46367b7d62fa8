r"""Frequencies: the orthonormal real Fourier transform.

    X_k = L^−½ Σ_n x_n e^(−2πi k n/L)
    z   = (X_0, √2 Re X_1, √2 Im X_1, √2 Re X_2, …, X_{L/2} if L is even), each frequency on its scale

The mean (k = 0) and, for even L, the Nyquist frequency have no sine partner: one real number each, not
multiplied by √2. With these factors the map is orthonormal, and white noise stays white, those two
included. Windows are taken as periodic: a window that ends elsewhere than it began has a jump there,
which spreads over all frequencies. The DCT of `decorrelate` has no such jump.

References:
    Sorensen et al. (1987). Real-valued fast Fourier transform algorithms.
        doi:10.1109/TASSP.1987.1165220
    Crabbé, Huynh, Stanczuk, van der Schaar (2024). Time series diffusion in the frequency domain.
        arXiv:2402.05933
"""

from __future__ import annotations

__all__ = ["FourierPreprocessor"]

import functools
import math

import torch
from torch import Tensor

from ...core.registry import register
from ._orthonormal import Basis, OrthonormalPreprocessor, unit_interval


@register("preprocessing", "fourier")
class FourierPreprocessor(OrthonormalPreprocessor):
    """Real Fourier coefficients in the order of frequency, each frequency with its own scale.

    Networks are told each coefficient's log-frequency and whether it is a cosine or a sine.
    """

    needs = "windows of one length without missing values"

    def basis(self, length: int) -> Basis:
        """The frequencies of windows of this length."""
        return _frequencies(length)


class _Frequencies(Basis):
    def __init__(self, length: int) -> None:
        place = torch.arange(length)
        frequency = (place + 1) // 2
        alone = (frequency == 0) | (2 * frequency == length)
        phase = torch.where(alone, 0, 2 * (place % 2 == 0).long() - 1)
        height = torch.log1p(frequency.double()) / math.log1p(max(1, length // 2))
        super().__init__(frequency, torch.stack((unit_interval(height), phase.double())))
        self.weights = torch.where(alone, 1.0, 2.0).double().sqrt()

    def fast(self, x: Tensor) -> Tensor:
        pairs = torch.view_as_real(torch.fft.rfft(x, norm="ortho")).flatten(-2)
        # the imaginary part of the mean, and that of the Nyquist frequency, are zero: left out
        z = torch.cat((pairs[..., :1], pairs[..., 2 : self.length + 1]), dim=-1)
        return z * self.weights.to(z)

    def fast_back(self, z: Tensor) -> Tensor:
        z = z / self.weights.to(z)
        zero = torch.zeros_like(z[..., :1])
        parts = [z[..., :1], zero, z[..., 1:]] + ([zero] if self.length % 2 == 0 else [])
        pairs = torch.cat(parts, dim=-1).unflatten(-1, (-1, 2))
        return torch.fft.irfft(torch.view_as_complex(pairs.contiguous()), n=self.length, norm="ortho")


@functools.lru_cache(maxsize=32)
def _frequencies(length: int) -> Basis:
    return _Frequencies(length)
