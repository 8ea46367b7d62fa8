r"""What a latent space lets through: the bottleneck probe.

Four sets of windows are compared, by the statistics that matter in the end:

    data                x
    decode(mean)        the decoder's location at the posterior's mean: what the latent knows of x
    decode(posterior)   x̂ ~ p(x | z), z ~ q(z | x): what a perfect generator of latents would give
    decode(prior)       x̂ ~ p(x | z), z ~ N(0, 1): what the autoencoder gives alone

What is lost between data and decode(posterior) no diffusion in this latent space can repair; what is lost
between decode(posterior) and decode(prior) is what diffusion is there to win back.

References:
    Dai, Wipf (2019). Diagnosing and enhancing VAE models. arXiv:1903.05789 (aggregate posterior and prior)
"""

from __future__ import annotations

__all__ = ["PROBED", "Band", "Bottleneck", "Units", "latent_mismatch", "probe_bands", "probe_statistics"]

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .statistics import STATISTICS

Array = NDArray[np.floating[Any]]

PROBED = ("std", "kurtosis", "quantile_0.1%", "quantile_99.9%", "tail_0.1%", "tail_99.9%", "acf_abs")

_EDGES = (0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)


@dataclass(frozen=True)
class Units:
    """What the units of the latent say.

    Args:
        active: how many have a posterior mean that varies over the data.
        total: how many there are.
        kl: nats of each, largest first.
        latent_sd: of draws from the posterior, in the prior's standard deviations, by unit.
    """

    active: int
    total: int
    kl: list[float]
    latent_sd: list[float]


@dataclass(frozen=True)
class Band:
    """Reconstruction where the data lie between two of their quantiles.

    Args:
        low: share below the band.
        high: share up to its end.
        rmse: root mean square of x − decode(mean), in the data's units.
        bias: mean of decode(mean) − x.
    """

    low: float
    high: float
    rmse: float
    bias: float


@dataclass(frozen=True)
class Bottleneck:
    """What the probe found.

    Args:
        columns: names of the features.
        units: of the latent.
        sets: by part of the data, by set ("data", "mean", "posterior", "prior"), by statistic: a
            number for each column.
        bands: of held-out windows (of training windows, if nothing is held out), by column.
        part: whose the bands are.
        parameters: numbers in the autoencoder.
    """

    columns: list[str]
    units: Units
    sets: dict[str, dict[str, dict[str, list[float]]]]
    bands: list[list[Band]]
    part: str
    parameters: int

    def as_json(self) -> dict[str, Any]:
        """Plain values, None where a number is not finite."""
        found: dict[str, Any] = _finite(asdict(self))
        return found


def probe_statistics(sets: Mapping[str, Array]) -> dict[str, dict[str, list[float]]]:
    """The statistics of each set of windows (N, L, C): by set, by statistic, a number for each column."""
    return {
        what: {
            name: [float(STATISTICS[name](windows[:, :, c])) for c in range(windows.shape[2])]
            for name in PROBED
        }
        for what, windows in sets.items()
    }


def probe_bands(data: Array, decoded: Array) -> list[list[Band]]:
    """Errors of reconstruction by quantiles of the data, for each column.

    Args:
        data: windows, (N, L, C).
        decoded: their reconstructions, (N, L, C).
    """
    found = []
    for c in range(data.shape[2]):
        x, error = data[:, :, c].ravel(), (decoded - data)[:, :, c].ravel()
        ends = np.quantile(x, _EDGES)
        place = np.clip(np.searchsorted(ends, x, side="right") - 1, 0, len(_EDGES) - 2)
        bands = []
        for k, (low, high) in enumerate(pairwise(_EDGES)):
            inside = error[place == k]
            if len(inside):
                rmse = float(np.sqrt((inside**2).mean()))
                bands.append(Band(low, high, rmse, float(inside.mean())))
        found.append(bands)
    return found


def latent_mismatch(a: Array, b: Array) -> dict[str, float]:
    """How far two sets of latents (N, D) are apart, in standard deviations of the second.

    Returns:
        `wasserstein`: the mean over units of the Wasserstein distance; `correlation`: the root mean square
        difference of the correlations of pairs of units, 0 for a single unit.
    """
    scale = b.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    distances = [stats.wasserstein_distance(x / s, y / s) for x, y, s in zip(a.T, b.T, scale, strict=True)]
    pairs = np.triu_indices(a.shape[1], 1)
    difference = _correlations(a)[pairs] - _correlations(b)[pairs]
    return {
        "wasserstein": float(np.mean(distances)),
        "correlation": float(np.sqrt(np.mean(difference**2))) if len(difference) else 0.0,
    }


def _correlations(x: Array) -> Array:
    centred = x - x.mean(0)
    norms = np.sqrt((centred**2).sum(0))
    unit = centred / np.where(norms > 0, norms, 1.0)
    found: Array = unit.T @ unit
    return found


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _finite(v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_finite(v) for v in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
