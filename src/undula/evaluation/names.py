"""The metrics' names, groups and words, importable without numpy."""

from __future__ import annotations

__all__ = [
    "ABOUT",
    "COSTS",
    "DEFAULT",
    "GROUPS",
    "METRICS",
    "About",
    "Domain",
    "Group",
    "check_metrics",
    "chosen",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.errors import did_you_mean

Group = Literal["judges", "values", "tails", "dynamics", "columns", "windows", "domain", "copying"]
Domain = Literal["finance", "energy"]

GROUPS: dict[Group, str] = {
    "judges": "can a classifier tell them apart?",
    "values": "the distribution of single values",
    "tails": "extremes",
    "dynamics": "how a column moves in time",
    "columns": "how columns move together",
    "windows": "whole windows",
    "domain": "the field's own figures",
    "copying": "are samples copies of training windows?",
}
"""What each group of figures asks."""


@dataclass(frozen=True)
class About:
    """What a metric is.

    Args:
        words: its name in tables.
        group: what it asks.
        unit: whether it has the column's unit, and is brought to training standard deviations where
            several columns are averaged.
        several: whether it needs several columns.
        network: whether it trains networks, and is computed on request only.
        chance: its value for equal sets, where that is not 0.
    """

    words: str
    group: Group
    unit: bool = False
    several: bool = False
    network: bool = False
    chance: float = 0.0


ABOUT: dict[str, About] = {
    "boosting": About("boosted trees: area under the ROC curve", "judges", chance=0.5),
    "discriminative": About("discriminative score: GRU of ⌊C/2⌋ units", "judges", network=True),
    "discriminative_gru32": About("discriminative score: GRU of 32 units", "judges", network=True),
    "discriminative_lstm32": About("discriminative score: LSTM of 32 units", "judges", network=True),
    "predictive": About("predictive score", "judges", network=True),
    "context_fid": About("Context-FID", "windows", network=True),
    "wasserstein": About("Wasserstein distance of the values", "values", unit=True),
    "ks": About("Kolmogorov-Smirnov distance of the values", "values"),
    "vds": About("maximum mean discrepancy of the values", "values"),
    "std": About("standard deviation", "values", unit=True),
    "skewness": About("skewness", "values"),
    "kurtosis": About("excess kurtosis", "tails"),
    "quantile_0.1%": About("0.1 % quantile", "tails", unit=True),
    "quantile_1%": About("1 % quantile", "tails", unit=True),
    "quantile_99%": About("99 % quantile", "tails", unit=True),
    "quantile_99.9%": About("99.9 % quantile", "tails", unit=True),
    "tail_0.1%": About("lower tail: 0.1 % quantile in sd", "tails"),
    "tail_99.9%": About("upper tail: 99.9 % quantile in sd", "tails"),
    "acf": About("autocorrelation, lags 1–10", "dynamics"),
    "acf_abs": About("autocorrelation of |x − mean|, lags 1–10", "dynamics"),
    "acf_squared": About("autocorrelation of (x − mean)², lags 1–10", "dynamics"),
    "leverage": About("leverage: corr(x_t, |x_t+k|), lags 1–10", "dynamics"),
    "increments": About("Wasserstein distance of the increments, in their sd", "dynamics"),
    "psd": About("power spectrum: mean gap in dB", "dynamics"),
    "cross_correlation": About("cross-correlation over lags 0–10: mean gap", "columns", several=True),
    "correlational": About("correlational score", "columns", several=True),
    "fdds": About("correlations within windows: maximum mean discrepancy", "columns", several=True),
    "energy_distance": About("energy distance of windows", "windows"),
    "sliced_wasserstein": About("sliced Wasserstein distance of windows", "windows"),
    "sliced_wasserstein_spectrum": About("sliced Wasserstein distance of their spectra", "windows"),
    "copying": About("share of samples that copy", "copying"),
}
"""All metrics; kurtosis is excess kurtosis."""

METRICS: tuple[str, ...] = tuple(ABOUT)

DEFAULT: tuple[str, ...] = tuple(name for name, about in ABOUT.items() if not about.network)
"""Those that take seconds."""

COSTS: dict[str, float] = {
    "boosting": 20.0,
    "discriminative": 100.0,
    "discriminative_gru32": 300.0,
    "discriminative_lstm32": 400.0,
    "predictive": 300.0,
    "context_fid": 300.0,
}
"""What metrics cost, roughly, in units of one without a judge; for the progress alone."""


def check_metrics(names: Sequence[str] | None, domain: Domain | None = None) -> str | None:
    """What is wrong with a user's choice of metrics; None if nothing is.

    Args:
        names: metrics or groups.
        domain: the data's field.
    """
    if names and set(names) == {"domain"} and domain is None:
        return "the metrics are those of the field alone, and no domain is given: set it to finance or energy"
    unknown = [name for name in names or [] if name not in (*METRICS, *GROUPS, "all")]
    if not unknown:
        return None
    near = did_you_mean(unknown[0], [*METRICS, *GROUPS, "all"])
    return (
        f"unknown metric {unknown[0]!r}{near} (known: {', '.join(METRICS)}; groups: {', '.join(GROUPS)}, all)"
    )


def chosen(metrics: Sequence[str] | None, columns: int) -> list[str]:
    """The metrics that are computed, of those that the columns allow.

    Args:
        metrics: names, or groups; "all": every metric; None: the default. Figures of a field are not
            among them.
        columns: how many the data have.
    """
    wanted = set(DEFAULT if metrics is None else METRICS if "all" in metrics else metrics)
    names = [name for name, about in ABOUT.items() if name in wanted or about.group in wanted]
    return [name for name in names if columns > 1 or not ABOUT[name].several]
