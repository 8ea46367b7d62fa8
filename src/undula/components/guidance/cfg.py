r"""Classifier-free guidance: further into what the condition says than the model would go.

    D = D_null + w (D_cond − D_null)

with D_null the model's own estimate with every condition part replaced by its learned null: w = 0 is the
unconditional model, w = 1 the conditional one, w > 1 exaggerates the condition, for less diversity. Both
estimates are made in one batch. Outside an interval of noise levels w is 1, at the cost of one estimate.

A large w overshoots. `rescale` φ takes the spread over time of each channel back to the conditional
estimate's, leaving its mean:

    D ← φ [m + (D − m) s_cond/s] + (1 − φ) D,    m, s: mean and standard deviation of D over time

(The paper scales about 0 and over all channels at once, which for series that have a level would move it.)

References:
    Ho, Salimans (2022). Classifier-free diffusion guidance. arXiv:2207.12598
    Kynkäänniemi et al. (2024). Applying guidance in a limited interval. arXiv:2404.07724
    Lin et al. (2023). Common diffusion noise schedules and sample steps are flawed. arXiv:2305.08891
"""

from __future__ import annotations

__all__ = ["CFGGuidance"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, ClassVar

import torch
from annotated_types import Ge, Le
from torch import Tensor

from ...core.architecture import BaseArchitecture
from ...core.condition import Condition, Layout
from ...core.errors import ConfigError, IncompatibleError
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import NonNegative, Series, Times
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.guidance import BaseGuidance, GuidanceLayer
from ...diffusion.path import GaussianPath

Share = Annotated[float, Ge(0), Le(1)]
_TINY = 1e-12


@register("guidance", "cfg")
@dataclass(frozen=True, kw_only=True)
class CFGGuidance(BaseGuidance):
    """Classifier-free guidance, for a conditional model trained with condition dropout.

    Args:
        guidance_scale: w: 0 ignores the condition, 1 is the model as trained, above 1 exaggerates.
        interval: lowest and highest noise level τ = σ/(α + σ) at which it acts, in [0, 1]; null: all.
            In terms of σ/α = k, τ = k/(1 + k).
        rescale: φ, from 0 (off) to 1: how far the spread is taken back to the conditional one's.
    """

    layer: ClassVar[GuidanceLayer] = "classifier_free"
    needs = "a conditional model trained with condition_dropout above 0"

    guidance_scale: NonNegative = 2.0
    interval: tuple[Share, Share] | None = None
    rescale: Share = 0.0

    def __post_init__(self) -> None:
        if self.interval is not None and self.interval[0] >= self.interval[1]:
            raise ConfigError(
                f"cfg: interval {list(self.interval)} is empty: give the lower level first, as in [0.2, 0.8]"
            )
        if self.guidance_scale == 1 and (self.interval is not None or self.rescale):
            name = "interval" if self.interval is not None else "rescale"
            raise ConfigError(
                f"cfg: {name} has no effect with guidance_scale 1, the model as trained: leave it out, or "
                "give another scale"
            )

    def check(self, path: GaussianPath, layout: Layout, architecture: BaseArchitecture) -> None:
        """Refuse an unconditional model, and one that has not learned its nulls."""
        if not layout.droppable:
            raise IncompatibleError(
                "guidance cfg needs a conditional model, and this one is told nothing: leave guidance out, "
                "or give it a history (data.history_len) or covariates (data.roles)"
            )
        dropout = architecture.condition_dropout
        values = list(dropout.values()) if isinstance(dropout, Mapping) else [dropout]
        if not all(values):
            raise IncompatibleError(
                "guidance cfg compares with the model's nulls, and with condition_dropout: 0 these are never "
                "trained: train with architecture params condition_dropout: 0.1, or leave guidance out"
            )

    def neutral(self) -> CFGGuidance:
        """With w = 1."""
        return CFGGuidance(guidance_scale=1.0)

    def apply(self, denoiser: BaseDenoiser) -> BaseDenoiser:
        """The guided denoiser."""
        return _Guided(denoiser, self)


class _Guided(BaseDenoiser):
    """D_null + w (D_cond − D_null)."""

    def __init__(self, inner: BaseDenoiser, options: CFGGuidance) -> None:
        self.inner, self.path, self.options = inner, inner.path, options
        self._doubled: tuple[Condition, Condition] | None = None

    def __call__(
        self, x_t: Series, t: float | Times | NoiseLevel, condition: Condition | None = None
    ) -> Series:
        """The guided estimate; without a condition the inner one."""
        level = self.path.level(t)
        scale, interval = self.options.guidance_scale, self.options.interval
        if condition is None or not condition.droppable or scale == 1.0 or not _any_within(level, interval):
            return self.inner(x_t, level, condition)
        if scale == 0.0 and interval is None and not self.options.rescale:
            return self.inner(x_t, level, condition.unconditional())
        both = self.inner(torch.cat((x_t, x_t)), _twice(level, len(x_t)), self._both(condition))
        cond, null = both.chunk(2)
        d = torch.lerp(null, cond, scale)
        if self.options.rescale:
            d = torch.lerp(d, _rescaled(d, cond, condition), self.options.rescale)
        if interval is None or not isinstance(level.tau, Tensor):
            return d
        within = (level.tau >= interval[0]) & (level.tau <= interval[1])
        return torch.where(within.to(d.device), d, cond)

    def _both(self, condition: Condition) -> Condition:
        """The condition, and after it the same members with their nulls; kept from call to call."""
        if self._doubled is None or self._doubled[0] is not condition:
            parts = condition.parts
            size = len(next(iter(parts.values())))
            index = torch.arange(2 * size, device=next(iter(parts.values())).device)
            doubled = condition[index % size]
            for name in condition.droppable:
                told = doubled.dropped.get(name)
                doubled = doubled.drop(name, index >= size if told is None else told | (index >= size))
            self._doubled = (condition, doubled)
        return self._doubled[1]


def _any_within(level: NoiseLevel, interval: tuple[float, float] | None) -> bool:
    if interval is None:
        return True
    tau = torch.as_tensor(level.tau)
    return bool(((tau >= interval[0]) & (tau <= interval[1])).any())


def _twice(level: NoiseLevel, size: int) -> NoiseLevel:
    """The levels of a batch for the batch put behind itself."""

    def twice(v: float | Tensor) -> float | Tensor:
        return torch.cat((v, v)) if isinstance(v, Tensor) and v.ndim and len(v) == size else v

    return NoiseLevel(*map(twice, level))


def _rescaled(d: Series, cond: Series, condition: Condition) -> Series:
    """D with the spread over time of the conditional estimate, about its own mean."""
    exists = torch.ones_like(d[:, :1]) if condition.exists is None else condition.exists.to(d)
    count = exists.sum(-1, keepdim=True).clamp(min=1.0)

    def mean(x: Tensor) -> Tensor:
        return (x * exists).sum(-1, keepdim=True) / count

    centre = mean(d)
    ratio = mean((cond - mean(cond)).square()) / mean((d - centre).square()).clamp(min=_TINY)
    return centre + (d - centre) * ratio.sqrt()
