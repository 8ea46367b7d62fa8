r"""Daily and weekly profiles of synthetic series against real ones, by the clock of their time stamps.

    daily profile gap    √(mean_h (m_h − m'_h)²)            h = 0 … 23, m of `profiles`
    weekly profile gap   √(mean_{d,h} (m_{d,h} − m'_{d,h})²)

over the hours that both have, in the data's units, or, as the mean over several columns, each in training
standard deviations. Baselines have no stamps, and no such figures.

References:
    Hong, Fan (2016). Probabilistic electric load forecasting: a tutorial review.
    doi:10.1016/j.ijforecast.2015.11.011
"""

from __future__ import annotations

__all__ = ["Stamped", "clock_figures", "clock_profiles", "profile_by_step", "why_not"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evaluation.blocks import RealWindows
from ...evaluation.field import FieldFigures
from ...evaluation.figure import Figure
from ...evaluation.judge import Protocol, distance_figure
from ...evaluation.names import About
from ...report.profiles import Profile
from .profiles import hours_of_week, means_by

Array = NDArray[np.floating[Any]]

_DAY, _WEEK = 24, 168
_CLOCKS = {"daily_profile": _DAY, "weekly_profile": _WEEK}
_WORDS = {
    "daily_profile": About("daily profile: root mean square gap over 24 hours", "domain", unit=True),
    "weekly_profile": About("weekly profile: root mean square gap over 168 hours", "domain", unit=True),
}


@dataclass(frozen=True)
class Stamped:
    """Windows whose rows have time stamps.

    Args:
        real: the windows, (N, L, C), with their places.
        times: stamps of their rows, (N, L); None: there are none.
    """

    real: RealWindows
    times: NDArray[np.datetime64] | None

    def with_hours(self) -> RealWindows:
        """The windows, and the hour of the week, 0 to 167, as one more column."""
        assert self.times is not None
        hours = hours_of_week(self.times)[:, :, None].astype(float)
        return replace(self.real, windows=np.concatenate([self.real.windows, hours], axis=2))


def why_not(sets: Mapping[str, Stamped]) -> str | None:
    """Why there are no profiles by the clock; None if there are.

    Args:
        sets: by what they are called.
    """
    without = [name for name, one in sets.items() if one.times is None]
    if without:
        return (
            f"{' and '.join(without)} {'has' if len(without) == 1 else 'have'} no time stamps (a series with "
            "a time column has)"
        )
    hours = [np.unique(hours_of_week(one.times) % _DAY) for one in sets.values() if one.times is not None]
    common = set(hours[0].tolist()).intersection(*(h.tolist() for h in hours[1:]))
    if len(common) < 2:
        return f"the stamps have {len(common)} hour{'s' * (len(common) != 1)} of the day in common"
    return None


def clock_figures(
    real: Stamped, synthetic: Stamped, train: Stamped | None, columns: Sequence[str], protocol: Protocol
) -> dict[str, Figure]:
    """The gaps of the profiles, with their floors, by name.

    Args:
        real: what is judged against.
        synthetic: what is judged.
        train: what the generator was trained on; None: the real windows.
        columns: names of the C columns.
        protocol: what the real windows are to the generator.
    """
    seen = train or real
    sd = np.nanstd(seen.real.windows, axis=(0, 1)) if len(columns) > 1 else np.ones(len(columns))
    words = FieldFigures(about=_WORDS, columns=tuple(range(len(columns))), names=tuple(columns))
    sets = [one.with_hours() for one in (synthetic, real, seen)]
    return {
        name: replace(
            distance_figure(
                partial(_gap, size=size, scale=np.where(sd > 0, sd, 1.0)),
                sets[0].windows, sets[1], sets[2], {}, protocol,
            ),
            words=words.words(name, len(columns)),
        )
        for name, size in _CLOCKS.items()
    }  # fmt: skip


def _gap(a: Array, b: Array, size: int, scale: Array) -> float:
    """Mean over columns of the root mean square gap, in units of `scale`; NaN without a common hour."""
    gaps = _by_hour(a, size) - _by_hour(b, size)
    there = ~np.isnan(gaps).any(axis=1)
    return float((np.sqrt(np.square(gaps[there]).mean(0)) / scale).mean()) if there.any() else float("nan")


def _by_hour(windows: Array, size: int) -> Array:
    """Means by hour and column, (size, C), of windows with the hour of the week in the last column."""
    hours = windows[:, :, -1].astype(np.int64) % size
    columns = [windows[:, :, c] for c in range(windows.shape[2] - 1)]
    there = [~np.isnan(x) for x in columns]
    return np.stack([means_by(x[t], hours[t], size) for x, t in zip(columns, there, strict=True)], axis=1)


def clock_profiles(columns: Sequence[str], sets: Mapping[str, Stamped]) -> list[Profile]:
    """The daily and the weekly profile of each set, for a picture.

    Args:
        columns: names of the C columns.
        sets: with time stamps, by what they are called.
    """
    axes = {
        _DAY: ("daily profile", "hour of the day"),
        _WEEK: ("weekly profile", "hour of the week, from Monday"),
    }
    found = []
    for size, (name, axis) in axes.items():
        courses = {}
        for label, one in sets.items():
            windows = one.with_hours().windows
            courses[label] = _courses(windows[:, :, :-1], windows[:, :, -1].astype(np.int64) % size, size)
        found.append(Profile(name, axis, list(columns), courses))
    return found


def profile_by_step(columns: Sequence[str], sets: Mapping[str, Array]) -> Profile:
    """The mean course of windows of a day or whatever they are, for a picture.

    Args:
        columns: names of the C columns.
        sets: windows (N, L, C), by what they are called.
    """
    courses = {}
    for label, windows in sets.items():
        steps = np.broadcast_to(np.arange(windows.shape[1]), windows.shape[:2])
        courses[label] = _courses(windows, steps, windows.shape[1])
    return Profile("course of a window", "step", list(columns), courses)


def _courses(windows: Array, groups: NDArray[np.int64], size: int) -> Array:
    """Mean, 10 % and 90 % quantile by group and column, (3, size, C); NaN for groups without values."""
    found = np.full((3, size, windows.shape[2]), np.nan)
    order = np.argsort(groups.ravel(), kind="stable")
    edges = np.searchsorted(groups.ravel()[order], np.arange(size + 1))
    for c in range(windows.shape[2]):
        values = windows[:, :, c].ravel()[order]
        for g in range(size):
            some = values[edges[g] : edges[g + 1]]
            some = some[~np.isnan(some)]
            if len(some):
                found[:, g, c] = some.mean(), *np.quantile(some, [0.1, 0.9])
    return found
