"""The learning rate over a run, as a factor of its highest value.

References:
    Loshchilov, Hutter (2017). SGDR. arXiv:1608.03983 (cosine)
    Smith, Topin (2019). Super-convergence. arXiv:1708.07120 (one cycle)
"""

from __future__ import annotations

__all__ = ["learning_rate_factor"]

import math

_RISE = 0.3
_START, _END = 1.0 / 25.0, 1e-4


def learning_rate_factor(schedule: str, progress: float, step: int, warmup_steps: int) -> float:
    """The factor of the highest rate at a step.

    Args:
        schedule: cosine (warm-up, then to 0), one_cycle (up over 30 % of the run, then down) or
            constant (warm-up, then 1).
        progress: share of the run that is done, in [0, 1].
        step: counted from 0.
        warmup_steps: steps of the warm-up.
    """
    progress = min(max(progress, 0.0), 1.0)
    if schedule == "one_cycle":
        if progress < _RISE:
            return _blend(_START, 1.0, progress / _RISE)
        return _blend(1.0, _END, (progress - _RISE) / (1.0 - _RISE))
    warmup = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    return warmup * (_blend(1.0, 0.0, progress) if schedule == "cosine" else 1.0)


def _blend(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share))
