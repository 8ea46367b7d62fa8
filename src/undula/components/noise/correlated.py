r"""Stationary coloured noise: AR(1), pink, brown.

Σ is diagonal in the orthonormal cosine basis (DCT-II) of the window's own length,

    Σ = Dᵀ diag(S) D,    S_k = (1 − floor) s_k / mean(s) + floor,    ω_k = π k / L

    ar φ           s_k = 1/(1 − 2 φ cos ω_k + φ²)
    power_law β    s_k = max(k, 1)^−β       β = 1 pink, 2 brown, −1 blue

so that its mean diagonal is 1 for every L, and a draw, Σ, Σ⁻¹ and log det Σ = C Σ_k log S_k each cost
one or two FFTs. The basis reflects at both ends instead of wrapping around: for `ar` without its
floor Σ⁻¹ is tridiagonal, a Gauss-Markov chain with reflecting ends,

    Σ_ij ∝ r(i − j) + r(i + j + 1),   r(n) = φ^|n| summed over n + 2L ℤ.

Away from the ends that is AR(1)'s φ^|i−j|; the first step's variance is larger by about 1 + φ, and
step n's by φ^(2n+1). The floor is white and keeps the noise above nothing at every frequency.

References:
    Voleti, Pal, Oberman (2022). Score-based denoising diffusion with non-isotropic Gaussian noise
    models. arXiv:2210.12254 (the theory is the white case's on whitened data)
    Biloš et al. (2023). Modeling temporal data as continuous functions with stochastic process
    diffusion. arXiv:2211.02590
"""

from __future__ import annotations

__all__ = ["CorrelatedNoise"]

import functools
import math
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le, Lt
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import ConfigError
from ...core.registry import register
from ...core.sde import BaseSDE
from ...core.transforms import dct, idct
from ...core.types import Series, Share
from ._scheduled import ScheduledNoise
from ._terminal import terminal_snr

Coefficient = Annotated[float, Gt(-1), Lt(1)]
Exponent = Annotated[float, Ge(-4), Le(4)]


@register("noise", "correlated")
@dataclass(frozen=True, eq=False, kw_only=True)
class CorrelatedNoise(ScheduledNoise):
    """Noise with a spectrum over time: AR(1) or a power law, on a white floor.

    Args:
        ar: φ in (−1, 1) of AR(1) noise, or fitted: the lag-one autocorrelation of the training
            series as they are diffused. Of ar and power_law one is given; neither: power_law 1.
        power_law: β in [−4, 4] of a spectrum 1/f^β: 1 pink, 2 brown. Below the lowest frequency of
            the window it is flat.
        floor: share of the variance that is white, in (0, 1).
    """

    needs = "whole windows of one length; a path that hides the data at every frequency (raise floor if not)"

    ar: Coefficient | Literal["fitted"] | None = None
    power_law: Exponent | None = None
    floor: Share = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.ar is not None and self.power_law is not None:
            raise ConfigError(
                f"noise 'correlated' has ar = {self.ar} and power_law = {self.power_law:g}: "
                "give one of the two spectra"
            )

    @property
    def pointwise(self) -> bool:
        """False."""
        return False

    def fit(self, z: Series, sde: BaseSDE, condition: Condition | None = None) -> CorrelatedNoise:
        """Measure φ where it is `fitted`, and the terminal SNR per frequency; see `BaseNoise.fit`.

        The ratios are kept in `terminal_snr_`, (C, L).
        """
        if self.ar == "fitted":
            self._learn(ar_=_lag_one(z.double()))
        self._learn(terminal_snr_=terminal_snr(self, z, sde, condition, "raise floor"))
        return self

    def spectrum(self, length: int) -> Tensor:
        """S, the eigenvalues of Σ for windows of `length` steps, float64 (L,)."""
        return _spectrum(*self._kind(), self.floor, length)

    def colour(self, white: Series, condition: Condition | None = None) -> Series:
        """Dᵀ S^½ applied to white noise."""
        return idct(self._power(white, 0.5) * white)

    def whiten(self, x: Series, condition: Condition | None = None) -> Series:
        """S^−½ D x, a coordinate a frequency."""
        return self._power(x, -0.5) * dct(x)

    def apply(self, x: Series, condition: Condition | None = None) -> Series:
        """Σ x."""
        return idct(self._power(x, 1.0) * dct(x))

    def solve(self, x: Series, condition: Condition | None = None) -> Series:
        """Σ⁻¹ x."""
        return idct(self._power(x, -1.0) * dct(x))

    def log_det(self, channels: int, length: int, condition: Condition | None = None) -> float:
        """C Σ_k log S_k."""
        return channels * float(self.spectrum(length).log().sum())

    def _kind(self) -> tuple[str, float]:
        if self.ar is None:
            return "power_law", 1.0 if self.power_law is None else self.power_law
        return "ar", float(self._learned("ar_")) if self.ar == "fitted" else self.ar

    def _power(self, x: Series, exponent: float) -> Tensor:
        return _powers(*self._kind(), self.floor, x.shape[-1], exponent, x.dtype, x.device)


def _spectrum(kind: str, value: float, floor: float, length: int) -> Tensor:
    k = torch.arange(length, dtype=torch.float64)
    if kind == "ar":
        s = 1.0 / (1.0 - 2.0 * value * torch.cos(math.pi * k / length) + value**2)
    else:
        s = k.clamp(min=1.0) ** -value
    return (1.0 - floor) * s / s.mean() + floor


@functools.lru_cache(maxsize=64)
def _powers(
    kind: str,
    value: float,
    floor: float,
    length: int,
    exponent: float,
    dtype: torch.dtype,
    device: torch.device,
) -> Tensor:
    with torch.inference_mode(False):
        return (_spectrum(kind, value, floor, length) ** exponent).to(dtype).to(device)


def _lag_one(z: Series) -> Tensor:
    """Σ z_n z_{n+1} / ½ Σ (z_n² + z_{n+1}²), in [−1, 1], kept from ±1 by a hundredth of a per cent."""
    here, there = z[..., :-1], z[..., 1:]
    total = 0.5 * (here.square() + there.square()).sum()
    return ((here * there).sum() / total.clamp(min=1e-300)).clamp(-0.9999, 0.9999)
