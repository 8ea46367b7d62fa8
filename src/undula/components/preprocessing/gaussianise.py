r"""Gaussianisation of increments: what changes over a window, made standard normal scale by scale.

    c = W x/s_x,   u = Φ⁻¹(F_b(c)),   z = Wᵀ (a_b u),   a_b = s_b^strength/n

s_x is each feature's standard deviation, W the orthonormal basis of `multi_scale` (or another one), b one of
its bands (the window's mean, the details of each scale), F_b the distribution of a feature's coefficients in
that band, s_b their standard deviation (n makes the mean variance of z 1). Wᵀ turns back, so that z is again
a series in time.

Calm and lively times lie far apart in most records: a day's steps are ten times those of another, a sensor
rests for hours. The distribution of values says nothing of that, that of details does: a peak at 0 and long
tails. A network whose error is a few per cent of the details' spread covers calm windows with a fuzz that
they do not have. Behind normal scores calm details are spread out like any others, and the way back makes
errors as small as the details are. What never changes is exact: a step of 0 that is more frequent than
`atom` owns an interval of scores, from which samples get exactly 0 (see `_quantile`).

References:
    Chen, Gopinath (2000). Gaussianization. Advances in Neural Information Processing Systems 13.
    Laparra, Camps-Valls, Malo (2011). Iterative Gaussianization: from ICA to random rotations.
        doi:10.1109/TNN.2011.2106511
"""

from __future__ import annotations

__all__ = ["GaussianisePreprocessor"]

import math
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor
from torch.nn.functional import pad

from ...core.condition import Condition
from ...core.errors import ConfigError, DataError
from ...core.preprocessing import BasePreprocessor
from ...core.registry import Registry, register
from ...core.types import Fraction, Mask, Series
from ._orthonormal import Basis, OrthonormalPreprocessor
from ._quantile import NormalScores

_ROUNDING = {torch.float64: 2.0**-38, torch.float32: 2.0**-18}
"""Of a feature's spread: coefficients that differ by less are equal, so that equal steps make an atom."""

_LEAST = 1e-3
"""No band is taken to be smaller than this share of the largest."""


@register("preprocessing", "gaussianise")
class GaussianisePreprocessor(BasePreprocessor):
    """Details of every scale made standard normal, each feature's and scale's by a map of its own.

    Args:
        basis: an orthonormal preprocessor whose bands are the scales: multi_scale, wavelet or fourier; null:
            multi_scale of blocks of 2, 4, 12 and 24 steps, as far as the window holds them.
        strength: from 0 (bands keep the proportions of their spreads) to 1 (all equally large).
        knots: the most points of a map besides atoms.
        atom: least share of the coefficients that makes a value, such as no change, an atom.
    """

    needs = "windows of one length without missing values"
    pointwise = False
    any_length = False

    def __init__(
        self,
        basis: BasePreprocessor | None = None,
        strength: Annotated[float, Ge(0), Le(1)] = 0.5,
        knots: Annotated[int, Ge(3)] = 301,
        atom: Fraction = 0.005,
    ) -> None:
        scales = Registry.resolve(
            "preprocessing",
            {"type": "multi_scale", "params": {"scales": [1, 2, 4, 12, 24]}} if basis is None else basis,
        )
        if not isinstance(scales, OrthonormalPreprocessor):
            raise ConfigError(
                f"gaussianise: basis: {Registry.name(scales)!r} is no orthonormal basis: use "
                "multi_scale, wavelet or fourier"
            )
        self.basis = scales
        self.strength, self.knots, self.atom = strength, knots, atom
        self.normal = NormalScores(knots=knots, atom=atom)

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> GaussianisePreprocessor:
        """Learn every band's distribution; see `BasePreprocessor.fit`."""
        x = x.double()
        spread = x.std((0, 2), correction=0)[:, None]
        self.scale_ = torch.where(spread > 0, spread, 1.0)
        basis = self.basis.basis(x.shape[-1])
        coefficients, bands = basis.analyse(x / self.scale_), basis.bands.to(x.device)
        coefficients = (coefficients / _ROUNDING[x.dtype]).round() * _ROUNDING[x.dtype]
        parts = [coefficients[..., bands == band].contiguous() for band in range(int(bands.max()) + 1)]
        maps = [NormalScores(knots=self.knots, atom=self.atom).fit(part).knots_ for part in parts]
        most = max(knots.shape[1] for knots in maps)
        padded = [pad(knots, (0, 0, 0, most - knots.shape[1]), value=math.inf) for knots in maps]
        self.normal.knots_ = torch.stack(padded, 1)[:, bands.cpu()].flatten(0, 1)  # (C L, knots, 4)
        size = torch.stack([part.std((0, 2), correction=0) for part in parts], 1)  # (C, bands)
        size = torch.maximum(size, _LEAST * size.max()) ** self.strength
        amplitude = size[:, bands]
        self.amplitude_ = amplitude / amplitude.square().mean().sqrt()
        return self

    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to series whose details are normal."""
        scores = self.normal.transform(self._coefficients(x).flatten(1)[..., None], _ROUNDING[x.dtype])
        z = scores.unflatten(1, x.shape[1:])[..., 0] * self.amplitude_.to(scores)
        return self._basis(x).synthesise(z).to(x.dtype)

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From series whose details are normal to the user's units."""
        scores = self._basis(z).analyse(z.double()) / self.amplitude_.to(z.device)
        c = self.normal.inverse_transform(scores.flatten(1)[..., None]).unflatten(1, z.shape[1:])[..., 0]
        return (self._basis(z).synthesise(c) * self.scale_.to(c)).to(z.dtype)

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Of the maps of all coefficients, and of the scales, (B,); see `QuantilePreprocessor.log_det`."""
        maps = self.normal.log_det(self._coefficients(x).flatten(1)[..., None], _ROUNDING[x.dtype])
        scales = self.amplitude_.log().sum() - x.shape[-1] * self.scale_.log().sum()
        return (maps + scales.to(maps)).to(x.dtype)

    def _coefficients(self, x: Series) -> Tensor:
        """Of series in their spreads, in double precision, (B, C, L)."""
        return self._basis(x).analyse(x.double() / self.scale_.to(x.device))

    def _basis(self, x: Series) -> Basis:
        fitted = self.amplitude_.shape[-1]
        if x.shape[-1] != fitted:
            raise DataError(f"the windows have {x.shape[-1]} steps; the maps were fitted to {fitted}")
        return self.basis.basis(fitted)
