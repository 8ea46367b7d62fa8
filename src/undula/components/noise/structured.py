r"""Noise with structure: between features, over time, and by element.

    Σ = V^½ (F ⊗ T) V^½

    F   features: identity, the covariance of the training series, or one that is given; divided by
        its mean diagonal and mixed with the floor, F ← (1 − floor) F + floor I
    T   time: (1 − share) I + share P, P_ij = 1 where i and j are in the same phase of a season
        (i ≡ j mod period) or in the same block of neighbours
    V   elements: v = (1 − floor) var / (mean of var over the training set) + floor, where var is told
        by an aligned part or a known covariate (an inverse variance, a variance or a sigma);
        elements of which nothing is told have v = 1

The mean diagonal is 1 (with V: on average over the training set). All powers, draws and log det are
exact; T costs O(L), F one product C × C.

References:
    Voleti, Pal, Oberman (2022). Score-based denoising diffusion with non-isotropic Gaussian noise
    models. arXiv:2210.12254
"""

from __future__ import annotations

__all__ = ["StructuredNoise"]

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import ConfigError, IncompatibleError
from ...core.registry import register
from ...core.sde import BaseSDE
from ...core.types import PositiveInt, Series, Share
from ._elements import ElementScale, ScaleIs
from ._features import Features
from ._pattern import TimePattern
from ._scheduled import ScheduledNoise
from ._terminal import terminal_snr

_FLOOR, _SHARE = 0.05, 0.5


@register("noise", "structured")
@dataclass(frozen=True, eq=False, kw_only=True)
class StructuredNoise(ScheduledNoise):
    """Noise that is correlated between features, over a season or in blocks, or scaled by element.

    Args:
        features: identity, fitted (the covariance of the training series as they are diffused), or a
            positive semi-definite matrix of C rows, of which the shape counts and not the size.
        pattern: over time: none, seasonal or block.
        period: steps of a season, for pattern seasonal.
        block: steps of a block, for pattern block.
        share: of the variance that a season's phase or a block shares, in (0, 1); null: 0.5.
        scale_from: name of an aligned part or of a known covariate column that says how noisy each
            element is (in the user's units); null: all alike.
        scale_is: what it says: ivar (1/σ²), variance or sigma; null: as it is named. Values that
            are not positive numbers are unknown.
        floor: share of F and of V that is white, in (0, 1); null: 0.05.
    """

    needs = "whole windows of one length, unless features are independent and pattern is none"

    features: Literal["identity", "fitted"] | list[list[float]] = "fitted"
    pattern: Literal["none", "seasonal", "block"] = "none"
    period: PositiveInt | None = None
    block: PositiveInt | None = None
    share: Share | None = None
    scale_from: str | None = None
    scale_is: ScaleIs | None = None
    floor: Share | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self._refuse_idle_options()
        _ = self._time, self._given, self._elements

    @property
    def pointwise(self) -> bool:
        """Whether features are independent and time has no pattern."""
        return self.features == "identity" and self.pattern == "none"

    @property
    def conditional(self) -> bool:
        """Whether a condition part scales it."""
        return self.scale_from is not None

    def fit(self, z: Series, sde: BaseSDE, condition: Condition | None = None) -> StructuredNoise:
        """Measure the features' covariance and the elements' mean variance; see `BaseNoise.fit`.

        The terminal SNRs are kept in `terminal_snr_`, (C, L), a row a principal component of F.

        Raises:
            DataError: if the part of `scale_from` says nothing, or has negative values.
        """
        z, channels = z.double(), z.shape[1]
        if self.features == "fitted":
            rows = z.transpose(0, 1).flatten(1)
            fitted = Features.of(rows @ rows.mT, self._floor)
            self._learn(feature_values_=fitted.values, feature_vectors_=fitted.vectors)
        elif self._given is not None and len(self._given.values) != channels:
            raise IncompatibleError(
                f"features has {len(self._given.values)} rows, and {channels} features are diffused: "
                "give a matrix of as many rows, or features: fitted"
            )
        if self._elements is not None:
            diagonal = torch.ones(channels).double() if self._features is None else self._features.diagonal
            self._learn(mean_variance_=self._elements.mean(diagonal, z.shape[2], condition))
        self._learn(terminal_snr_=terminal_snr(self, z, sde, condition, "raise floor"))
        return self

    def colour(self, white: Series, condition: Condition | None = None) -> Series:
        """V^½ (U φ^½ ⊗ T^½) applied to white noise, F = U φ Uᵀ."""
        x = self._over_time(white, 0.5)
        x = x if self._features is None else self._features.power(x, 0.5, "back")
        return self._by_element(x, condition, 0.5)

    def whiten(self, x: Series, condition: Condition | None = None) -> Series:
        """The inverse of `colour`; a row a principal component of F."""
        x = self._over_time(self._by_element(x, condition, -0.5), -0.5)
        return x if self._features is None else self._features.power(x, -0.5, "to")

    def apply(self, x: Series, condition: Condition | None = None) -> Series:
        """Σ x."""
        return self._power(x, condition, 1.0)

    def solve(self, x: Series, condition: Condition | None = None) -> Series:
        """Σ⁻¹ x."""
        return self._power(x, condition, -1.0)

    def log_det(self, channels: int, length: int, condition: Condition | None = None) -> float | Tensor:
        """L log det F + C log det T + Σ log v; (B,) with a scale, else a number."""
        total = 0.0 if self._time is None else channels * self._time.log_det(length)
        if self._features is not None:
            total += length * float(self._features.values.log().sum())
        if self._elements is None:
            return total
        v = self._elements.variance(self._mean_variance, channels, length, condition)
        return total + v.log().expand(-1, channels, -1).sum((1, 2))

    # -- its three parts -----------------------------------------------------------------------

    @property
    def _floor(self) -> float:
        return _FLOOR if self.floor is None else self.floor

    @cached_property
    def _time(self) -> TimePattern | None:
        if self.pattern == "none":
            return None
        size = self.period if self.pattern == "seasonal" else self.block
        if size is None or size < 2:
            name = "period" if self.pattern == "seasonal" else "block"
            raise ConfigError(
                f"noise 'structured' with pattern {self.pattern!r} needs {name}: 2 steps or more"
            )
        return TimePattern(kind=self.pattern, size=size, share=self.share or _SHARE)

    @cached_property
    def _elements(self) -> ElementScale | None:
        return None if self.scale_from is None else ElementScale(self.scale_from, self.scale_is, self._floor)

    @cached_property
    def _given(self) -> Features | None:
        return None if isinstance(self.features, str) else Features.given(self.features, self._floor)

    @property
    def _features(self) -> Features | None:
        """F; None: the identity."""
        if self.features != "fitted":
            return self._given
        return Features(self._learned("feature_values_"), self._learned("feature_vectors_"))

    @property
    def _mean_variance(self) -> Tensor:
        return self._learned("mean_variance_")

    def _power(self, x: Series, condition: Condition | None, exponent: float) -> Series:
        x = self._over_time(self._by_element(x, condition, 0.5 * exponent), exponent)
        x = x if self._features is None else self._features.power(x, exponent)
        return self._by_element(x, condition, 0.5 * exponent)

    def _over_time(self, x: Series, exponent: float) -> Series:
        return x if self._time is None else self._time.power(x, exponent)

    def _by_element(self, x: Series, condition: Condition | None, exponent: float) -> Series:
        if self._elements is None:
            return x
        v = self._elements.variance(self._mean_variance, x.shape[1], x.shape[2], condition)
        return x * (v**exponent).to(x)

    def _refuse_idle_options(self) -> None:
        if self.pointwise and not self.conditional:
            raise ConfigError(
                "noise 'structured' without features, pattern and scale_from is white: use noise: standard"
            )
        idle = {
            "period": self.pattern != "seasonal",
            "block": self.pattern != "block",
            "share": self.pattern == "none",
            "scale_is": not self.conditional,
            "floor": self.features == "identity" and not self.conditional,
        }
        for name, has_no_effect in idle.items():
            if has_no_effect and getattr(self, name) is not None:
                raise ConfigError(
                    f"{name} has no effect on noise 'structured' with features {self.features!r}, pattern "
                    f"{self.pattern!r} and scale_from {self.scale_from!r}: leave it out"
                )
