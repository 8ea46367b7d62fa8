r"""Differences between configs from trainings that share their seeds.

Of n seeds that two configs share, with d_i the difference of a figure at seed i, Student's interval of the
mean difference is

    d̄ ± t_{n−1, (1+c)/2} s_d / √n,        s_d² = Σ (d_i − d̄)² / (n − 1),

at confidence c. Pairing removes what a seed does to both configs (the same windows in the same order, the
same noise of the samples). One seed gives no interval. The interval is over trainings, for this held-out
part: it says nothing of another one.

Many intervals are looked at together, and one in twenty excludes zero by chance; Holm's correction of the
p-values p_(1) ≤ … ≤ p_(m),

    p̃_(k) = max_{j ≤ k} min(1, (m − j + 1) p_(j)),

bounds the probability of any false claim among the m.

References:
    Student (1908). The probable error of a mean. doi:10.1093/biomet/6.1.1
    Holm (1979). A simple sequentially rejective multiple test procedure. Scand. J. Statist. 6, 65–70.
"""

from __future__ import annotations

__all__ = ["CONFIDENCE", "Difference", "holm", "paired_difference", "spread", "winner"]

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Difference:
    """The mean of a − b over the seeds that both have.

    Args:
        n: seeds.
        mean: of the differences; NaN without a seed.
        low: end of its interval; NaN with fewer than two seeds.
        high: likewise.
        p: two-sided p-value of Student's test; NaN with fewer than two seeds.
    """

    n: int
    mean: float
    low: float
    high: float
    p: float

    @property
    def sign(self) -> int:
        """The sign of the difference if the interval excludes zero, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def paired_difference(
    a: Mapping[int, float], b: Mapping[int, float], confidence: float = CONFIDENCE
) -> Difference:
    """Student's interval of the mean of a − b.

    Args:
        a: a figure of one config, by seed; seeds whose figure is not finite do not count.
        b: of the other.
        confidence: in (0, 1).
    """
    seeds = sorted(set(a) & set(b))
    found = np.array([a[seed] - b[seed] for seed in seeds], dtype=float)
    found = found[np.isfinite(found)]
    n = len(found)
    mean = float(found.mean()) if n else math.nan
    if n < 2:
        return Difference(n, mean, math.nan, math.nan, math.nan)
    error = float(found.std(ddof=1)) / math.sqrt(n)
    half = float(stats.t.ppf(0.5 * (1 + confidence), n - 1)) * error
    ratio = abs(mean) / error if error > 0 else (math.inf if mean else 0.0)
    return Difference(n, mean, mean - half, mean + half, 2 * float(stats.t.sf(ratio, n - 1)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the order given; NaN stays NaN and does not count."""
    order = sorted((p, i) for i, p in enumerate(p_values) if not math.isnan(p))
    corrected = [math.nan] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        corrected[i] = highest
    return corrected


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (n − 1) of finite values; NaN where there are too few."""
    finite = np.array([v for v in values if math.isfinite(v)])
    mean = float(finite.mean()) if len(finite) else math.nan
    return mean, float(finite.std(ddof=1)) if len(finite) > 1 else math.nan


def winner(
    labels: Sequence[str], differences: Mapping[tuple[str, str], Difference], better: str
) -> str | None:
    """The config that is better than every other by an interval that excludes zero.

    Args:
        labels: of the configs.
        differences: of a − b, by (a, b), each pair once.
        better: "lower" or "higher".
    """
    wanted = -1 if better == "lower" else 1
    for label in labels:
        signs = [d.sign if a == label else -d.sign for (a, b), d in differences.items() if label in (a, b)]
        if len(signs) == len(labels) - 1 and all(sign == wanted for sign in signs):
            return label
    return None
