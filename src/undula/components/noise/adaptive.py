r"""Noise that adapts: a warp of time from the data, a scale from the history.

    Σ = c² I

**Warp.** `schedule: fitted` lays the times so that the loss rises evenly with u, as in the time
warping of Dieleman et al.: every slice of u stands for an equal part of what a denoiser can resolve,

    u(t) = (1 − floor) [E(t) − E(t_min)]/[E(1) − E(t_min)] + floor (t − t_min)/(1 − t_min)
    E(t) = Σ_i v_i/(1 + SNR(t) v_i)

E is the error E‖x_0 − D‖² of the best linear denoiser of the training series, whose covariance has
eigenvalues v_i (shrunk after Ledoit and Wolf); no network is needed. Training times and a sampler's
uniform grid gather where SNR ≈ 1/v_i. The floor keeps every noise level in practice: no slice stands
for more than 1/(1 − floor) of an equal part. It matters most for ε-prediction, whose errors at high
noise reach D multiplied by σ/α.

**Scale.** `scale: history` makes calm series diffuse with little noise and wild ones with much:

    c² = r²/mean r²,   r = geometric mean over features of sd(past)/typical sd(past), kept in [¼, 4]

with `past` the H values before the window in the user's units; mean and typical (the geometric mean)
are over the training set. Without a history (none, fewer than two values, dropped) c = 1. It suits
series whose level does not drift (returns, not prices), and the network must see the history too.

References:
    Dieleman et al. (2022). Continuous diffusion for categorical data. arXiv:2211.15089 (time warping)
    Ledoit, Wolf (2004). doi:10.1016/S0047-259X(03)00096-4
"""

from __future__ import annotations

__all__ = ["AdaptiveNoise"]

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import ConfigError, DataError, IncompatibleError
from ...core.noise import Warp
from ...core.registry import register
from ...core.sde import BaseSDE
from ...core.types import Fraction, Series
from ...diffusion.warp import FittedWarp, Schedule, make_warp
from ._even import even_knots, spectrum
from ._scheduled import LearningNoise
from ._terminal import terminal_snr

_FLOOR = 0.5
_LIMIT = 4.0


@register("noise", "adaptive")
@dataclass(frozen=True, eq=False, kw_only=True)
class AdaptiveNoise(LearningNoise):
    """White noise whose times follow the data's loss and whose scale follows the history.

    Args:
        schedule: warp of time: fitted (the loss rises evenly), or a fixed one: linear, cosine,
            sigmoid, values at equal distances.
        floor: share of a fitted warp that is spread evenly over time, in [0, 1); null: 0.5.
        scale: none, or history: the noise is as much larger or smaller as the spread of the history
            compares with a typical one.
    """

    needs = (
        "schedule fitted: density uniform or stratified, or one in λ with a sampler's grid: uniform; "
        "scale history: data.history_len"
    )

    schedule: Literal["fitted"] | Schedule = "fitted"
    floor: Fraction | None = None
    scale: Literal["none", "history"] = "none"

    def __post_init__(self) -> None:
        if self.schedule != "fitted":
            make_warp(self.schedule)
            if self.scale == "none":
                raise ConfigError(
                    f"noise 'adaptive' with schedule {self.schedule!r} and scale 'none' adapts to nothing: "
                    "use noise: standard, schedule: fitted or scale: history"
                )
            if self.floor is not None:
                raise ConfigError(
                    f"floor has no effect with schedule {self.schedule!r}: leave it out, or use "
                    "schedule: fitted"
                )

    @property
    def conditional(self) -> bool:
        """Whether the history scales it."""
        return self.scale == "history"

    @property
    def fits_warp(self) -> bool:
        """Whether the schedule is fitted."""
        return self.schedule == "fitted"

    @property
    def warp(self) -> Warp:
        """The warp of time; before `fit` a fitted one is linear."""
        if self.schedule != "fitted":
            return make_warp(self.schedule)
        knots = vars(self).get("knots_")
        return FittedWarp((0.0, 1.0) if knots is None else knots.tolist())

    def fit(self, z: Series, sde: BaseSDE, condition: Condition | None = None) -> AdaptiveNoise:
        """Measure the histories' spreads and the covariance of the series; see `BaseNoise.fit`.

        With a scale, the terminal SNRs are kept in `terminal_snr_`, (C, L).
        """
        if condition is not None and condition.valid is not None:
            z = z * condition.valid
        if self.scale == "history":
            self._learn_scale(condition)
            self._learn(terminal_snr_=terminal_snr(self, z, sde, condition, "use scale: none"))
        if self.schedule == "fitted":
            values = spectrum(self.whiten(z, condition))
            self._learn(knots_=even_knots(values, sde, _FLOOR if self.floor is None else self.floor))
        return self

    def colour(self, white: Series, condition: Condition | None = None) -> Series:
        """C times white noise."""
        return self._power(white, condition, 0.5)

    def whiten(self, x: Series, condition: Condition | None = None) -> Series:
        """X/c."""
        return self._power(x, condition, -0.5)

    def apply(self, x: Series, condition: Condition | None = None) -> Series:
        """c² x."""
        return self._power(x, condition, 1.0)

    def solve(self, x: Series, condition: Condition | None = None) -> Series:
        """x/c²."""
        return self._power(x, condition, -1.0)

    def log_det(self, channels: int, length: int, condition: Condition | None = None) -> float | Tensor:
        """C L log c²; (B,) with a history, else a number."""
        variance = self._variance(condition)
        return 0.0 if variance is None else channels * length * variance.log()

    def _power(self, x: Series, condition: Condition | None, exponent: float) -> Series:
        variance = self._variance(condition)
        return x if variance is None else x * (variance**exponent).to(x)[:, None, None]

    def _variance(self, condition: Condition | None) -> Tensor | None:
        """c², float64 (B,); None: 1."""
        if self.scale == "none" or condition is None or condition.past is None:
            return None
        ratio = _ratio(condition.past, self._learned("typical_spread_"))
        c2 = (ratio.square() / self._learned("mean_square_").to(ratio)).nan_to_num(nan=1.0)
        dropped = condition.dropped.get("history")
        return c2 if dropped is None else c2.masked_fill(dropped, 1.0)

    def _learn_scale(self, condition: Condition | None) -> None:
        if condition is None or condition.past is None or condition.past.shape[-1] < 2:
            raise IncompatibleError(
                "noise 'adaptive' with scale: history needs a history: set data.history_len to 2 or more, or "
                "use scale: none"
            )
        spread = _spread(condition.past)
        log_spread = torch.where(spread > 0, spread, torch.nan).log()
        typical = log_spread.nanmean(0).exp()
        if not bool(typical.isfinite().all()):
            raise DataError(
                "noise 'adaptive' with scale: history: a feature's histories are all constant or missing; "
                "leave the feature out, or use scale: none"
            )
        self._learn(typical_spread_=typical)
        self._learn(mean_square_=_ratio(condition.past, typical).square().nanmean())


def _spread(past: Tensor) -> Tensor:
    """The standard deviation of each history, float64 (B, C); NaN where it has fewer than two values."""
    past = past.double()
    known = ~past.isnan()
    count = known.sum(-1)
    mean = past.nansum(-1) / count
    squares = torch.where(known, (past - mean[..., None]).square(), 0.0).sum(-1)
    return torch.where(count > 1, (squares / count).sqrt(), torch.nan)


def _ratio(past: Tensor, typical: Tensor) -> Tensor:
    """r, the spread of each history relative to a typical one, (B,); NaN where it is unknown."""
    spread = _spread(past)
    ratio = (spread / typical.to(spread)).clamp(1.0 / _LIMIT, _LIMIT)
    return ratio.log().nanmean(1).exp()
