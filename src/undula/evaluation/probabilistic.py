r"""Scores of probabilistic answers given as samples (S, …) against what happened (…).

    CRPS          E|X − y| − ½ E|X − X'|          fair: the second mean leaves out a sample with itself
    pinball       max(τ (y − q), (τ − 1) (y − q))                 of a quantile q at level τ
    wQL           mean over τ of 2 Σ pinball / Σ |y|              as GluonTS has it
    coverage      share of y between the (1 − p)/2 and (1 + p)/2 quantiles of the samples
    PIT           share of samples below y, at random among equal ones; uniform for a calibrated answer
    spread/skill  √mean Var X against the root mean squared error of the mean; equal for a calibrated one

Coverage alone is passed by answers that are many times too wide; the CRPS is not. Both see one number at a
time; `evaluation.joint` judges whole paths.

References:
    Gneiting, Raftery (2007). Strictly proper scoring rules. doi:10.1198/016214506000001437
    Ferro (2014). Fair scores for ensemble forecasts. doi:10.1002/qj.2270
    Alexandrov et al. (2020). GluonTS: probabilistic and neural time series modeling in Python. JMLR 21(116)
    Czado, Gneiting, Held (2009). Predictive model assessment for count data.
    doi:10.1111/j.1541-0420.2009.01191.x (the randomised PIT)
    Fortin, Abaza, Anctil, Turcotte (2014). Why should ensemble spread match the RMSE of the ensemble mean?
    doi:10.1175/JHM-D-14-0008.1
    Wilson (1927). Probable inference, the law of succession, and statistical inference. doi:10.2307/2276774
"""

from __future__ import annotations

__all__ = [
    "binomial_interval",
    "coverage",
    "crps",
    "pinball",
    "pit",
    "spread_skill",
    "weighted_quantile_loss",
]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..core.errors import DataError
from ..core.randomness import derive_seed

Array = NDArray[np.floating[Any]]


def crps(samples: Array, truth: Array, fair: bool = True) -> Array:
    """The continuous ranked probability score of each number, of the shape of `truth`.

    Args:
        samples: (S, …), in the unit of the score.
        truth: what happened, (…).
        fair: whether the score is unbiased in the number of samples.
    """
    count = len(samples)
    ordered = np.sort(samples, axis=0)
    rank = (2.0 * np.arange(count) - count + 1.0).reshape(-1, *[1] * (ordered.ndim - 1))
    pairs = max(count - 1, 1) if fair else count
    spread = (rank * ordered).sum(0) / (count * pairs)  # ½ E|X − X'|
    score: Array = np.abs(samples - truth).mean(0) - spread
    return score


def coverage(samples: Array, truth: Array, level: float = 0.9) -> float:
    """Share of `truth` (…) inside the central interval of the samples (S, …); unknown values (NaN) aside."""
    known = np.isfinite(truth)
    low, high = np.nanquantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return float(((low <= truth) & (truth <= high))[known].mean())


def pinball(quantile: Array, truth: Array, level: float) -> Array:
    """The pinball loss of quantiles at a level in (0, 1), of the shape of `truth`; 0 is exact."""
    gap = truth - quantile
    loss: Array = np.maximum(level * gap, (level - 1) * gap)
    return loss


def weighted_quantile_loss(
    samples: Array,
    truth: Array,
    levels: Sequence[float] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9),
) -> float:
    """The mean over levels of 2 Σ pinball / Σ |y|, sums over all numbers: GluonTS's mean_wQuantileLoss.

    Args:
        samples: (S, …).
        truth: (…); unknown values (NaN) are left out.
        levels: of the quantiles.

    Raises:
        DataError: if all of `truth` is 0 or unknown: the loss has no unit then.
    """
    known = np.isfinite(truth)
    x, y = samples[:, known], truth[known]
    size = float(np.abs(y).sum())
    if size == 0.0:
        raise DataError(
            "the weighted quantile loss is in units of Σ|y|, and what happened is 0 throughout: use the crps"
        )
    quantiles = np.quantile(x, levels, axis=0)
    losses = [pinball(q, y, level).sum() for q, level in zip(quantiles, levels, strict=True)]
    return float(2 * np.mean(losses) / size)


def pit(samples: Array, truth: Array, seed: int = 0) -> Array:
    """Where `truth` (…) lies among samples (S, …): in (0, 1), uniform for a calibrated answer.

    (#{X < y} + V (#{X = y} + 1)) / (S + 1) with V uniform: exactly uniform where y is one more sample, also
    of values that repeat. Unknown values (NaN) stay unknown.

    Args:
        samples: (S, …).
        truth: (…).
        seed: of V.
    """
    share = np.random.default_rng(derive_seed(seed, "pit")).random(truth.shape)
    below, same = (samples < truth).sum(0), (samples == truth).sum(0)
    found: Array = np.where(np.isfinite(truth), (below + share * (same + 1)) / (len(samples) + 1), np.nan)
    return found


def spread_skill(samples: Array, truth: Array) -> tuple[float, float]:
    """Spread √((S + 1)/S · mean Var X) and skill √mean (X̄ − y)², equal for a calibrated answer.

    Args:
        samples: (S, …), S ≥ 2.
        truth: (…); unknown values (NaN) are left out.
    """
    known = np.isfinite(truth)
    x, y = samples[:, known], truth[known]
    spread = np.sqrt((len(x) + 1) / len(x) * x.var(0, ddof=1).mean())
    return float(spread), float(np.sqrt(((x.mean(0) - y) ** 2).mean()))


def binomial_interval(k: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share of which k out of n were seen: of a coverage, say.

    It takes the n as independent: windows that overlap are fewer than they look.
    """
    from scipy.stats import norm

    if not 0 <= k <= n or n < 1:
        raise DataError(f"{k} out of {n} is not a share: expected 0 ≤ k ≤ n and n ≥ 1")
    z = float(norm.ppf((1 + level) / 2))
    centre, size = (k + z**2 / 2) / (n + z**2), 1 + z**2 / n
    half = z / size * np.sqrt(k / n * (1 - k / n) / n + z**2 / (4 * n**2))
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
