r"""Amplitudes of the spectrum, compared with x_0's, whatever the phases.

    penalty = mean over channels and frequencies of (a_D − a_x)²

    amplitude   a = |X_k|
    log         a = ½ log(|X_k|² + floor²)

with X the orthonormal DCT (`dct`), or the real Fourier transform divided by √L (`rfft`). The DCT does
not see a jump between a window's ends, which a Fourier transform takes for a broad spectrum. The
amplitude of E[x_0 | x_t] is below x_0's wherever the phase is uncertain: this moves the optimum.
"""

from __future__ import annotations

__all__ = ["SpectrumRegulariser"]

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...core.errors import ConfigError, DataError
from ...core.registry import register
from ...core.transforms import dct
from ...core.types import Losses, Mask, Positive, Series
from ...diffusion.regulariser import BaseRegulariser

_TINY = 1e-12


@register("regulariser", "spectrum")
@dataclass(frozen=True, kw_only=True)
class SpectrumRegulariser(BaseRegulariser):
    """Spectral amplitudes, or their logarithms, are those of the clean series.

    Args:
        transform: dct or rfft.
        scale: amplitude, or log, in which weak frequencies count as much as strong ones.
        floor: of the logarithm: amplitudes below it count as it; null: 0.01.
    """

    needs = "whole windows of one length, without missing values"

    transform: Literal["dct", "rfft"] = "dct"
    scale: Literal["amplitude", "log"] = "amplitude"
    floor: Positive | None = None

    def __post_init__(self) -> None:
        if self.floor is not None and self.scale != "log":
            raise ConfigError("floor has no effect with scale 'amplitude': leave it out, or use scale: log")

    def penalty(self, d: Series, x_0: Series, valid: Mask | None) -> Losses:
        """See the module."""
        if valid is not None and not bool(valid.all()):
            raise DataError(
                "regulariser spectrum needs whole windows, and these have missing values or vary in length: "
                "use data.missing: interpolate or drop and data.predict_len, or leave it out"
            )
        return (self._measured(d) - self._measured(x_0)).square().mean((1, 2))

    def _measured(self, x: Series) -> Tensor:
        """a, (B, C, frequencies)."""
        if self.transform == "dct":
            power = dct(x).square()
        else:
            spectrum = torch.fft.rfft(x, norm="ortho")
            power = spectrum.real.square() + spectrum.imag.square()
        if self.scale == "log":
            return 0.5 * torch.log(power + (self.floor or 0.01) ** 2)
        return torch.sqrt(power + _TINY)
