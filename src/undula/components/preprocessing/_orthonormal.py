r"""Orthonormal changes of basis along time, standardised.

    z = W (x − m)/s,   W Wᵀ = I,   x = m + Wᵀ (s z)

m is the mean window (C, L), s one scale a channel and *band* (coefficients of one kind: a wavelet's
level, a frequency), measured on the training part, so that what is diffused has variance 1 in each.

Position k of z is no longer time k. Networks are told what it is by the aligned part `coordinates`,
and the other aligned parts c go the same way, as √(m_b/L) W c with m_b the size of the band: a mean
over the steps that a coefficient stands for, so that a smooth covariate keeps its size.
"""

from __future__ import annotations

__all__ = ["Basis", "OrthonormalPreprocessor"]

from abc import ABC, abstractmethod
from dataclasses import replace

import torch
from torch import Tensor

from ...core.condition import Condition, Layout
from ...core.errors import DataError
from ...core.preprocessing import BasePreprocessor
from ...core.types import Mask, Series

COORDINATES = 2
_LONGEST_MATRIX = 512
_LEAST_SCALE = 1e-6


class Basis(ABC):
    """An orthonormal basis for windows of one length.

    Short windows are multiplied by a matrix that is kept, long ones take the fast way of the basis.

    Args:
        bands: the number of each coefficient's band, integers (L,).
        coordinates: what tells one position from another, numbers in [-1, 1], (2, L).
    """

    def __init__(self, bands: Tensor, coordinates: Tensor) -> None:
        self.bands, self.coordinates, self.length = bands, coordinates, len(bands)
        steps = self.length / torch.bincount(bands).clamp(min=1)
        self.means = steps[bands].rsqrt()  # from coefficients to means over their steps
        self._matrices: dict[tuple[torch.dtype, torch.device], Tensor] = {}

    @abstractmethod
    def fast(self, x: Tensor) -> Tensor:
        """W x over the last axis, (B, C, L) → (B, C, L)."""

    @abstractmethod
    def fast_back(self, z: Tensor) -> Tensor:
        """Wᵀ z over the last axis."""

    def analyse(self, x: Tensor) -> Tensor:
        """Coefficients of series, (B, C, L)."""
        return self.fast(x) if self.length > _LONGEST_MATRIX else x @ self._matrix(x).mT

    def synthesise(self, z: Tensor) -> Tensor:
        """Series of coefficients, (B, C, L)."""
        return self.fast_back(z) if self.length > _LONGEST_MATRIX else z @ self._matrix(z)

    def _matrix(self, x: Tensor) -> Tensor:
        key = (x.dtype, x.device)
        if key not in self._matrices:
            with torch.inference_mode(False), torch.no_grad():
                units = torch.eye(self.length, dtype=torch.float64)[None]
                self._matrices[key] = self.fast(units)[0].mT.contiguous().to(x)
        return self._matrices[key]


class OrthonormalPreprocessor(BasePreprocessor):
    """Coefficients of an orthonormal basis, each band with its own scale."""

    pointwise = False
    any_length = False

    @abstractmethod
    def basis(self, length: int) -> Basis:
        """The basis for windows of one length; made once."""

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> OrthonormalPreprocessor:
        """Learn the mean window and each band's scale; see `BasePreprocessor.fit`.

        A band that does not vary keeps 1e-6 of the largest scale, so that the map inverts.
        """
        if len(x) < 2:
            raise DataError(
                "a scale a band needs at least 2 training windows: set data.predict_len, or stride"
            )
        x, basis = x.double(), self.basis(x.shape[-1])
        self.location_ = x.mean(0)
        variance = basis.analyse(x - self.location_).square().sum(0) / (len(x) - 1)
        bands = basis.bands.to(x.device)
        count = torch.bincount(bands).clamp(min=1)
        of_bands = torch.zeros(x.shape[1], len(count), dtype=x.dtype, device=x.device)
        of_bands = (of_bands.index_add(1, bands, variance) / count).sqrt()
        of_bands = torch.maximum(of_bands, _LEAST_SCALE * of_bands.amax(1, keepdim=True))
        self.scale_ = of_bands[:, bands]
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to standardised coefficients."""
        coefficients = self._fitted_basis(x).analyse(x - self.location_.to(x))
        return coefficients / self.scale_.to(x)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From standardised coefficients to the user's units."""
        return self._fitted_basis(z).synthesise(z * self.scale_.to(z)) + self.location_.to(z)

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """−Σ log s, (B,): W turns and does not stretch."""
        return -self.scale_.log().sum().to(x).expand(len(x))

    def layout(self, layout: Layout) -> Layout:
        """The same shapes, and the coordinates beside the other aligned parts."""
        told = layout.aligned.get("coordinates", 0) + COORDINATES
        aligned = {**layout.aligned, "coordinates": told}
        return replace(super().layout(layout), aligned=aligned)

    def condition(self, condition: Condition | None, like: Series) -> Condition:
        """The aligned parts mapped like the series, and the positions' coordinates."""
        basis, condition = self.basis(like.shape[-1]), condition or Condition()
        aligned = {
            name: basis.analyse(part) * basis.means.to(part) for name, part in condition.aligned.items()
        }
        own = basis.coordinates.to(like.device, torch.float32).expand(like.shape[0], -1, -1)
        earlier = [aligned["coordinates"]] if "coordinates" in aligned else []
        return replace(condition, aligned={**aligned, "coordinates": torch.cat((*earlier, own), dim=1)})

    def _fitted_basis(self, x: Series) -> Basis:
        length = self.location_.shape[-1]
        if x.shape[-1] != length:
            raise DataError(f"the windows have {x.shape[-1]} steps; the basis was fitted to {length}")
        return self.basis(length)


def unit_interval(values: Tensor) -> Tensor:
    """Numbers from 0 to 1 as coordinates from −1 to 1."""
    return 2.0 * values.double() - 1.0
