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

A trained network's samples have a spectrum of their own: what it did not learn it leaves out, so that every
component comes out some per cent too small, and sums over many components tell. With `calibrate`, samples
of spread s_g and mean m_g in z are drawn after the training, and G and m become

    G ← G s_z/s_g,     m ← m − D Vᵀ Cᵀ G C V m_g,     s_z the training windows' spread in z,

so that samples have the training windows' mean and spectrum. The map stays one map, there and back: the
model is the old one seen through it.

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

Over = Literal["time", "features", "both", "window"]


@register("preprocessing", "decorrelate")
class DecorrelatePreprocessor(BasePreprocessor):
    """Series made white, or nearer to it, over time, over features or over both.

    Args:
        strength: from 0 (every feature on a common scale, no more) to 1 (white).
        over: time (each feature's spectrum), features (their correlations), both (the spectrum of each
            principal component) or window (the principal components of whole windows, in which a feature
            may go with another one's past).
        floor: no frequency or component is taken to be smaller than this share of the largest, so that
            those that the data lack are not blown up.
        calibrate: whether samples get the mean and the spectrum of the training windows, by a rescaling
            that is measured after the training, on samples of the model; for unconditional models.
    """

    needs = "windows of one length without missing values"
    pointwise = False
    any_length = False

    def __init__(
        self,
        strength: Annotated[float, Ge(0), Le(1)] = 1.0,
        over: Over = "both",
        floor: Fraction = 1e-3,
        calibrate: bool = False,
    ) -> None:
        self.strength, self.over, self.floor, self.calibrate = strength, over, floor, calibrate
        self.calibrates = calibrate

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
        units = x.flatten(1)[:, :, None] if self.over == "window" else x
        covariance = torch.einsum("ncl,ndl->cd", units, units) / (len(x) * units.shape[-1])
        self.components_ = torch.eye(len(covariance), dtype=x.dtype, device=x.device)
        if self.over != "time":
            self.components_ = torch.linalg.eigh(covariance).eigenvectors.mT.contiguous()
        variance = self._spectrum(x).square().mean(0)
        if self.over == "features":
            variance = variance.mean(1, keepdim=True).expand_as(variance)
        s = variance.sqrt()
        gain = torch.maximum(s, self.floor * s.max()) ** self.strength
        self.gain_ = gain * (variance / gain.square()).mean().sqrt()
        self.spread_ = torch.where(s > self.floor * s.max(), s / self.gain_, 0.0)
        self.change_ = torch.ones_like(s)
        return self

    def learn_from_samples(self, z: Series) -> None:
        """Take over the mean and the spectrum of samples; see `BasePreprocessor.learn_from_samples`.

        Attributes:
            change_: by how much each component's samples are larger than without, (C, L).
        """
        z = z.double()
        mean = z.mean(0)
        spread = self._spectrum(z - mean).square().mean(0).sqrt()
        there = (self.spread_ > 0) & (spread > 0)
        self.change_ = torch.where(there, self.spread_ / torch.where(there, spread, 1.0), 1.0)
        self.gain_ = self.gain_ * self.change_
        self.location_ = (
            self.location_ - self._series(self._spectrum(mean[None]) * self.gain_)[0] * self.scale_
        )

    def notes(self) -> list[str]:
        """How much calibration changed."""
        change = self.change_[self.spread_ > 0]
        if not self.calibrate or bool((change == 1).all()):
            return []
        low, middle, high = torch.quantile(change, torch.tensor([0.0, 0.5, 1.0]).to(change)).tolist()
        return [f"calibrated: components of samples times {middle:.2f} ({low:.2f} to {high:.2f})"]

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
        components = self.components_.to(x)
        if self.over == "window":
            return (x.flatten(1) @ components.mT).unflatten(1, x.shape[1:])
        return dct(components @ x)

    def _series(self, coefficients: Tensor) -> Series:
        components = self.components_.to(coefficients)
        if self.over == "window":
            return (coefficients.flatten(1) @ components).unflatten(1, coefficients.shape[1:])
        return components.mT @ idct(coefficients)

    def _checked(self, x: Series) -> Tensor:
        """The mean window, if it is as long as x."""
        length = self.location_.shape[-1]
        if x.shape[-1] != length:
            raise DataError(f"the windows have {x.shape[-1]} steps; the spectrum was fitted to {length}")
        return self.location_
