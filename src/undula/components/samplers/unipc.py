r"""UniPC: a multistep predictor whose next network call also corrects the step behind it.

With the exponential steps of `dpm`, p the order of the predictor and D_k its values at the levels,

    predict    x̃_s from x_t and D at t and the p − 1 levels before
    call       D_s = D(x̃_s, s)
    correct    x_s from x_t and D at s, t and the p − 1 levels before
    go on      from x_s, with D_s as the value at s

so that the corrector costs no call, and raises the order from p to p + 1. The coefficients are the
unique ones that are exact for a polynomial D, with which the function B(h) of the paper cancels; but
the predictor of order 2 is the paper's with B(h) = e^h − 1, that of `dpm`, which errs less in long
steps. The first steps have fewer levels behind them: order 3 reaches 4 only where they are short. Where
a level has α = 0, D is interpolated in α/σ. The last step ends on D, and the predictor before it is at
most of order 2.

References:
    Zhao et al. (2023). UniPC: a unified predictor-corrector framework. arXiv:2302.04867
"""

from __future__ import annotations

__all__ = ["UniPCSampler"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ...core.condition import Condition
from ...core.kept import kept
from ...core.registry import register
from ...core.sde import NoiseLevel
from ...core.types import Series
from ...diffusion.denoiser import BaseDenoiser
from ...diffusion.sampler import BaseSampler, OnStep, SampleNoise
from ._exponential import Move, advance, behind, move


@register("sampler", "unipc")
@dataclass(frozen=True, kw_only=True)
class UniPCSampler(BaseSampler):
    """UniPC: order p + 1 with one network call a step; deterministic.

    Args:
        order: p of the predictor, 1 to 3.
    """

    order: Literal[1, 2, 3] = 2

    def integrate(
        self,
        denoiser: BaseDenoiser,
        x: Series,
        levels: Sequence[NoiseLevel],
        noise: SampleNoise | None = None,
        condition: Condition | None = None,
        on_step: OnStep | None = None,
    ) -> Series:
        """Integrate from levels[0] to levels[-1]; see `BaseSampler.integrate`."""
        steps = kept(_plan, self.order, tuple(levels))
        values = [denoiser(x, levels[0], condition)]
        for k, (predict, correct) in enumerate(steps):
            predicted = advance(x, values, predict)
            if correct is None:
                x = predicted
            else:
                values = [denoiser(predicted, levels[k + 1], condition), *values]
                x = advance(x, values, correct)
            values = values[: self.order]
            if on_step is not None:
                on_step(k + 1, len(steps))
        return x


def _plan(order: int, levels: tuple[NoiseLevel, ...]) -> list[tuple[Move, Move | None]]:
    """Predictor and corrector of each step; a step to σ = 0 has no corrector."""
    found: list[tuple[Move, Move | None]] = []
    for k in range(len(levels) - 1):
        start, end = levels[k], levels[k + 1]
        nodes = behind(levels, k, order)
        correct = move(start, end, [end, *nodes]) if end.sigma > 0 else None
        found.append((move(start, end, nodes, midpoint=len(nodes) == 2), correct))
    return found
