"""Names of the metrics, importable without numpy."""

from __future__ import annotations

__all__ = ["METRICS"]

METRICS: tuple[str, ...] = (
    "wasserstein",
    "ks",
    "std",
    "skewness",
    "kurtosis",
    "quantile_0.1%",
    "quantile_1%",
    "quantile_99%",
    "quantile_99.9%",
    "tail_0.1%",
    "tail_99.9%",
    "acf",
    "acf_abs",
    "leverage",
    "copying",
)
