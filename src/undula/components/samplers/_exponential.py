r"""Exponential integrators: D interpolated between noise levels, all else integrated exactly.

With ℓ = log(α/σ), h = ℓ_s − ℓ_t, q = e^{−h} and the share η of noise that is drawn anew,

    x_s = (σ_s/σ_t) q^{η²} x_t + (1 + η²) α_s ∫_0^h e^{−(1+η²)(h−v)} D(ℓ_t + v) dv
          + σ_s √(1 − q^{2η²}) Σ^½ z

has the same marginals for every η. D is replaced by the polynomial in ℓ through its values at a few
levels. Where one of them has α = 0, hence ℓ = −∞, it is a polynomial in α/σ; this for η = 0, whose
integral is ∫ D d(α/σ).

References:
    Lu et al. (2022). DPM-Solver++. arXiv:2211.01095
    Xue et al. (2023). SA-Solver: stochastic Adams solver. arXiv:2309.05019 (any η)
"""

from __future__ import annotations

__all__ = ["ONTO_D", "Move", "advance", "behind", "between", "move", "weights"]

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ...core.sde import NoiseLevel
from ...diffusion.path import GaussianPath


class Move(NamedTuple):
    """Coefficients of x, of the values of D (the first is the newest), and of the noise."""

    from_x: float
    from_d: tuple[float, ...]
    from_noise: float = 0.0


ONTO_D = Move(0.0, (1.0,))
"""The last step: to σ = 0."""


def advance(x: Tensor, values: Sequence[Tensor], move: Move) -> Tensor:
    """Apply the deterministic part of a move."""
    x = x * move.from_x
    for d, weight in zip(values, move.from_d, strict=False):
        if weight:
            x.add_(d, alpha=weight)
    return x


def move(
    start: NoiseLevel,
    end: NoiseLevel,
    nodes: Sequence[NoiseLevel],
    eta: float = 0.0,
    midpoint: bool = False,
) -> Move:
    """The move from one level to the next with D interpolated through its values at `nodes`.

    Args:
        start: where x is.
        end: where it goes; on D itself where σ = 0.
        nodes: levels at which D is known.
        eta: η.
        midpoint: see `weights`.
    """
    if end.sigma == 0:
        return ONTO_D
    kept = _decay(start, end) ** eta**2
    return Move(
        float(end.sigma / start.sigma * kept),
        weights(start, end, nodes, eta, midpoint),
        float(end.sigma * math.sqrt(1.0 - kept**2)),
    )


def weights(
    start: NoiseLevel,
    end: NoiseLevel,
    nodes: Sequence[NoiseLevel],
    eta: float = 0.0,
    midpoint: bool = False,
) -> tuple[float, ...]:
    """How much each value of D counts; exact where D is a polynomial through the nodes.

    Args:
        start: where x is.
        end: where it goes, σ > 0.
        nodes: levels at which D is known.
        eta: η; 0 if a node has α = 0.
        midpoint: integrate the slope as if D had its value of half-way all along, as 2M and 2S do.
    """
    total = end.alpha * (1.0 - _decay(start, end) ** (1.0 + eta**2))
    if len(nodes) == 1:
        return (float(total),)
    if midpoint or min(level.alpha for level in nodes) == 0:
        moments = [total / (k + 1) for k in range(len(nodes))]
    else:
        moments = [end.alpha * m for m in _moments((1.0 + eta**2) * _step(start, end), len(nodes))]
    in_log = min(level.alpha for level in nodes) > 0
    coordinate = [_log_ratio(level) if in_log else level.alpha / level.sigma for level in nodes]
    zero, one = ((_log_ratio(k) if in_log else k.alpha / k.sigma) for k in (start, end))
    places = (np.array(coordinate) - zero) / (one - zero)
    return tuple(np.linalg.solve(np.vander(places, increasing=True).T, np.array(moments)).tolist())


def behind(levels: Sequence[NoiseLevel], k: int, order: int) -> list[NoiseLevel]:
    """The levels through which a multistep rule of an order interpolates in step k, the newest first.

    The first steps have fewer behind them. The last step before that to the data is often far longer in
    ℓ than those behind it, where a parabola would go astray: there the order is 2 at the most.
    """
    if k + 3 == len(levels) and levels[-1].sigma == 0:
        order = min(order, 2)
    return [levels[k - j] for j in range(min(order, k + 1))]


def between(
    path: GaussianPath, steps: Sequence[tuple[NoiseLevel, NoiseLevel]], share: float
) -> list[NoiseLevel]:
    """The level of each step that lies at a share of h after its start; of α/σ, if that is at α = 0."""
    half_log_snr = [
        _log_ratio(start) + share * _step(start, end)
        if start.alpha > 0
        else math.log(share) + _log_ratio(end)
        for start, end in steps
    ]
    times = path.sde.time_at(2.0 * torch.tensor(half_log_snr, dtype=torch.float64))
    return path.sde.levels(times)


def _moments(h: float, count: int) -> list[float]:
    """Integrals h ∫_0^1 e^{−h(1−u)} u^k du for k = 0, 1, …: by series for small h, by parts for large."""
    if h < 1.0:
        return [
            h * sum((-h) ** m * math.factorial(k) / math.factorial(k + m + 1) for m in range(18))
            for k in range(count)
        ]
    found = [-math.expm1(-h)]
    for k in range(1, count):
        found.append(1.0 - k / h * found[-1])
    return found


def _log_ratio(level: NoiseLevel) -> float:
    """ℓ = log(α/σ)."""
    return math.log(level.alpha / level.sigma)


def _step(start: NoiseLevel, end: NoiseLevel) -> float:
    """The step h in ℓ."""
    return _log_ratio(end) - _log_ratio(start)


def _decay(start: NoiseLevel, end: NoiseLevel) -> float:
    """The share q = e^{−h}; 0 from α = 0."""
    return float(start.alpha / start.sigma * end.sigma / end.alpha)
