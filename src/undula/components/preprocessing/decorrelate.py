r"""Decorrelation: cosines over time, principal components over features, each scaled towards white.

    z = M (x − m),   M = Vᵀ Cᵀ G⁻¹ C V D⁻¹

D divides each feature by its standard deviation, V turns features to their principal components, C is the
orthonormal DCT-II along time, G = s^strength/n with s the standard deviation of each component at each
frequency (n makes the mean variance of z 1). Cᵀ and Vᵀ turn back: scaled, but not re-ordered, z is again a
series of the same features in the same order of time (the symmetric, "ZCA", square root, of all whitenings
the one that leaves z nearest to x), so that networks that look at neighbours keep their sense, and nothing
has to be told to them.

Where the DCT and V diagonalise the covariance (nearly so for stationary series), strength 1 makes z white.
White noise on z is coloured noise on x: x_t − m = M⁻¹ z_t = α(x_0 − m) + σ M⁻¹ε, that is Σ = (Mᵀ M)⁻¹, noise
with the data's own spectrum, under which all frequencies are lost at the same time.

References:
    Ahmed, Natarajan, Rao (1974). Discrete cosine transform. doi:10.1109/T-C.1974.223784
    Kessy, Lewin, Strimmer (2018). Optimal whitening and decorrelation. doi:10.1080/00031305.2016.1277159
"""

from __future__ import annotations

__all__ = ["DecorrelatePreprocessor"]

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import DataError
from ...core.preprocessing import BasePreprocessor
from ...core.registry import register
from ...core.transforms import dct, idct
from ...core.types import Fraction, Mask, Series

Over = Literal["time", "features", "both"]


@register("preprocessing", "decorrelate")
class DecorrelatePreprocessor(BasePreprocessor):
    """Series made white, or nearer to it, over time, over features or over both.

    Args:
        strength: from 0 (every feature on a common scale, no more) to 1 (white).
        over: time (each feature's spectrum), features (their correlations) or both (the spectrum of each
            principal component).
        floor: no frequency or component is taken to be smaller than this share of the largest, so that
            those that the data lack are not blown up.
    """

    needs = "windows of one length without missing values"
    pointwise = False
    any_length = False

    def __init__(
        self, strength: Annotated[float, Ge(0), Le(1)] = 1.0, over: Over = "both", floor: Fraction = 1e-3
    ) -> None:
        self.strength, self.over, self.floor = strength, over, floor

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> DecorrelatePreprocessor:
        """Learn the mean window, the components and their spectra; see `BasePreprocessor.fit`."""
        if len(x) < 2:
            raise DataError(
                "a spectrum needs at least 2 training windows: set data.predict_len, or data.stride"
            )
        x = x.double()
        self.location_ = x.mean(0)
        x = x - self.location_
        self.scale_ = x.square().mean((0, 2)).sqrt()[:, None]
        x = x / self.scale_
        covariance = torch.einsum("ncl,ndl->cd", x, x) / (len(x) * x.shape[-1])
        self.components_ = torch.eye(len(covariance), dtype=x.dtype, device=x.device)
        if self.over != "time":
            self.components_ = torch.linalg.eigh(covariance).eigenvectors.mT.contiguous()
        variance = self._spectrum(x).square().mean(0)
        if self.over == "features":
            variance = variance.mean(1, keepdim=True).expand_as(variance)
        s = variance.sqrt()
        gain = torch.maximum(s, self.floor * s.max()) ** self.strength
        self.gain_ = gain * (variance / gain.square()).mean().sqrt()
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to nearly white series."""
        x = (x - self._checked(x).to(x)) / self.scale_.to(x)
        return self._series(self._spectrum(x) / self.gain_.to(x))

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From nearly white series to the user's units."""
        location = self._checked(z).to(z)
        return self._series(self._spectrum(z) * self.gain_.to(z)) * self.scale_.to(z) + location

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """−Σ log of all scales, (B,): the turns have determinant 1."""
        stretch = self.gain_.log().sum() + x.shape[-1] * self.scale_.log().sum()
        return -stretch.to(x).expand(len(x))

    def _spectrum(self, x: Series) -> Tensor:
        return dct(self.components_.to(x) @ x)

    def _series(self, coefficients: Tensor) -> Series:
        return self.components_.mT.to(coefficients) @ idct(coefficients)

    def _checked(self, x: Series) -> Tensor:
        """The mean window, if it is as long as x."""
        length = self.location_.shape[-1]
        if x.shape[-1] != length:
            raise DataError(f"the windows have {x.shape[-1]} steps; the spectrum was fitted to {length}")
        return self.location_
