"""Training, validation and test parts: by time with a gap of one window, or by series.

By time, the parts follow each other, and what is generated in one of them lies a whole window after
what is generated in the one before: as many rows are left out after a boundary as are generated,
and the histories follow. No test window shares a row with a training window.
"""

from __future__ import annotations

__all__ = ["Parts", "begins_of", "split_panel"]

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..core.errors import ConstantColumnsError, DataError, TooShortError
from ..core.randomness import derive_seed
from .options import Align, DataOptions
from .table import Panel
from .windows import WindowDataset

_NAMES = ("train", "val", "test")
_PERIODS: dict[Align, str] = {"hour": "h", "day": "D", "week": "W-SUN", "month": "M"}
_CHUNK = 4_000_000
_WINDOWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Parts:
    """The three parts; an empty one is None.

    Args:
        train: windows to learn from.
        val: windows for the validation loss.
        test: windows held out for the evaluation.
        notes: a sentence a part.
    """

    train: WindowDataset
    val: WindowDataset | None
    test: WindowDataset | None
    notes: list[str]


def split_panel(panel: Panel, options: DataOptions, window_len: int | None = None) -> Parts:
    """Cut a panel into parts and windows.

    Args:
        panel: clean series.
        options: the user's.
        window_len: length of windows that somebody else has cut.

    Raises:
        DataError: if a part is too short for a window, or a column is constant in training.
    """
    values = _joined([s.values for s in panel.series])
    features = _joined([s.features for s in panel.series])
    before = _joined([s.before[:-1] for s in panel.series if s.before is not None]) if panel.start else None
    stamps = None
    if all(s.time is not None for s in panel.series):
        indices = [s.time for s in panel.series if s.time is not None]
        stamps = indices[0].append(indices[1:]) if len(indices) > 1 else indices[0]
    runs, how = _runs(panel, options, window_len)
    firsts = np.cumsum([0, *(len(s.values) for s in panel.series[:-1])])
    begins = None if options.align is None else begins_of(stamps, options.align, firsts)

    parts: list[WindowDataset | None] = []
    notes = []
    for name, share, part_runs in zip(_NAMES, _shares(options), runs, strict=True):
        starts, lengths = _windows(part_runs, options, window_len, begins)
        keep = _complete(values, features, starts, lengths, options, window_len)
        told = _told(before, starts + options.history_len)
        left_out = int((keep & ~told).sum())
        starts, lengths = starts[keep & told], lengths[keep & told]
        if share == 0:
            parts.append(None)
            continue
        if len(starts) == 0:
            several = how == "time" and len({s.name for s in panel.series}) > 1
            raise TooShortError(_too_short(name, part_runs, options, how, several))
        part = WindowDataset(
            values=values,
            features=features,
            starts=starts,
            lengths=lengths,
            history_len=options.history_len,
            stamps=stamps,
            before=before,
        )
        parts.append(part)
        where = f", {part.period()}" if how == "time" else ""
        without = f" ({left_out:,} without a value at their start left out)" if left_out else ""
        notes.append(f"{name}: {len(part):,} windows{where}{without}")
    train = parts[0]
    assert train is not None
    _refuse_constant(train, panel.columns)
    return Parts(train, parts[1], parts[2], notes)


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _shares(options: DataOptions) -> tuple[float, float, float]:
    return options.split.train, options.split.val, options.split.test


def _runs(
    panel: Panel, options: DataOptions, window_len: int | None
) -> tuple[list[list[tuple[int, int]]], str]:
    """Rows (first, last + 1) that belong to each part, and how they were found."""
    bounds = np.cumsum([0, *(len(s.values) for s in panel.series)])
    if panel.independent:
        assert window_len is not None
        count = len(panel.series[0].values) // window_len
        cuts = _cuts(count, options) * window_len
        return [[(int(a), int(b))] for a, b in itertools.pairwise(cuts)], "order"

    window = options.history_len + (options.predict_len or 0)
    names = sorted({s.name for s in panel.series})
    by_series = options.split.by == "series" or (
        options.split.by is None
        and len(names) > 1
        and (options.predict_len is None or all(len(s.values) < 2 * window for s in panel.series))
    )
    runs: list[list[tuple[int, int]]] = [[], [], []]
    if by_series:
        rank = np.random.default_rng(derive_seed(0, "split")).permutation(len(names))
        part_of = np.searchsorted(_cuts(len(names), options)[1:3], rank, side="right")
        lookup = dict(zip(names, part_of, strict=True))
        for series, start, end in zip(panel.series, bounds, bounds[1:], strict=False):
            runs[lookup[series.name]].append((int(start), int(end)))
        return runs, "series"

    boundaries = _time_boundaries(panel, options)
    first_part: dict[str, int] = {}
    skipped: dict[tuple[str, int], int] = {}
    for series, start in zip(panel.series, bounds, strict=False):
        rows = len(series.values)
        if boundaries is None:
            cuts = _cuts(rows, options)
        else:
            assert series.time is not None
            inner = np.searchsorted(series.time.to_numpy(), boundaries, side="right")
            cuts = np.array([0, *inner, rows])
        for part, (a, b) in enumerate(itertools.pairwise(cuts)):
            if a == b:
                continue
            # the gap counts rows of the series, across breaks in time too
            gap = window - options.history_len if part > first_part.setdefault(series.name, part) else 0
            done = skipped.get((series.name, part), 0)
            skip = min(gap - done, int(b - a))
            skipped[series.name, part] = done + skip
            if a + skip < b:
                runs[part].append((int(start + a + skip), int(start + b)))
    return runs, "time"


def _cuts(count: int, options: DataOptions) -> NDArray[np.int64]:
    shares = np.cumsum([0.0, *_shares(options)])
    cuts = np.round(shares * count).astype(np.int64)
    cuts[-1] = count
    return cuts


def _time_boundaries(panel: Panel, options: DataOptions) -> np.ndarray | None:
    """The last times of the first and second part, the same for every series."""
    if any(s.time is None for s in panel.series):
        return None
    times = np.unique(np.concatenate([s.time.to_numpy() for s in panel.series if s.time is not None]))
    return times[_cuts(len(times), options)[1:3] - 1]


def begins_of(stamps: pd.Index | None, align: Align, firsts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The rows with which an hour, day, week or month begins, (T,).

    They are the rows whose period is not that of the row before; of the first row of a stretch, whose
    period may have begun in a gap, it is known only at the very beginning of the period.

    Args:
        stamps: of all rows.
        align: the period.
        firsts: the first row of each stretch.

    Raises:
        DataError: without dates.
    """
    if not isinstance(stamps, pd.DatetimeIndex):
        what = "a time column of dates" + ("" if stamps is None else ", this one has numbers")
        raise DataError(f"data.align: {align} needs {what}: name it in roles.time, or leave align out")
    periods = stamps.to_period(_PERIODS[align])
    begins = np.concatenate([[False], np.asarray(periods[1:] != periods[:-1])])
    begins[firsts] = stamps[firsts] == periods[firsts].start_time
    return begins


def _windows(
    runs: list[tuple[int, int]],
    options: DataOptions,
    window_len: int | None,
    begins: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    if window_len is not None:
        starts = [np.arange(a, b, window_len) for a, b in runs]
        first = np.concatenate(starts) if starts else np.empty(0, np.int64)
        return first, np.full(len(first), window_len, np.int64)
    if options.predict_len is None:
        pairs = np.array([(a, b - a) for a, b in runs], np.int64).reshape(-1, 2)
        return pairs[:, 0], pairs[:, 1]
    size, stride = options.history_len + options.predict_len, options.stride
    runs = [(a, b) for a, b in runs if b - a >= size]
    if begins is None:
        starts = [np.arange(a, b - size + 1, stride) for a, b in runs]
    else:
        shifted = [begins[a + options.history_len : b - options.predict_len + 1] for a, b in runs]
        starts = [
            a + _spaced(np.flatnonzero(here), stride) for (a, _), here in zip(runs, shifted, strict=True)
        ]
    first = np.concatenate(starts) if starts else np.empty(0, np.int64)
    return first, np.full(len(first), options.predict_len, np.int64)


def _spaced(places: NDArray[np.int64], stride: int) -> NDArray[np.int64]:
    """Of places in order the first, and each that lies at least `stride` after the one taken before."""
    taken: list[int] = []
    for place in places:
        if not taken or place - taken[-1] >= stride:
            taken.append(int(place))
    return np.array(taken, np.int64)


def _complete(
    values: np.ndarray,
    features: np.ndarray,
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    options: DataOptions,
    window_len: int | None,
) -> NDArray[np.bool_]:
    """Which windows may be used: all, or those without (any, or only) missing values."""
    if window_len is not None:
        return _complete_cut(values, starts, window_len, options)
    if options.missing not in ("drop", "mask") or not len(starts):
        return np.ones(len(starts), bool)
    missing = np.isnan(values)
    dropped = missing.any(1) | np.isnan(features).any(1)
    bad_row = dropped if options.missing == "drop" else missing.all(1)
    count = np.concatenate([[0], np.cumsum(bad_row)])
    first = starts if options.missing == "drop" else starts + options.history_len
    last = starts + options.history_len + lengths
    bad = count[last] - count[first]
    return bad == 0 if options.missing == "drop" else bad < last - first


def _told(before: np.ndarray | None, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which windows have values at their start."""
    if before is None:
        return np.ones(len(rows), bool)
    told: NDArray[np.bool_] = ~np.isnan(before[rows]).any(axis=1)
    return told


def _complete_cut(
    values: np.ndarray, starts: NDArray[np.int64], window_len: int, options: DataOptions
) -> NDArray[np.bool_]:
    """The same for windows that are already cut, some at a time: the file may exceed memory."""
    keep = np.ones(len(starts), bool)
    windows = values.reshape(-1, window_len * values.shape[1])
    numbers = starts // window_len
    chunk = max(1, _CHUNK // windows.shape[1])
    for a in range(0, len(numbers), chunk):
        bad = ~np.isfinite(windows[numbers[a] : numbers[min(a + chunk, len(numbers)) - 1] + 1])
        if bad.any() and options.missing in ("error", "interpolate"):
            first = int(numbers[a] + np.flatnonzero(bad.any(1))[0])
            raise DataError(
                f"window {first} has missing or infinite values: choose data.missing: drop (leave such "
                "windows out) or mask (train with a masked loss)"
            )
        keep[a : a + chunk] = ~(bad.any(1) if options.missing == "drop" else bad.all(1))
    return keep


def _too_short(name: str, runs: list[tuple[int, int]], options: DataOptions, how: str, several: bool) -> str:
    longest = max((b - a for a, b in runs), default=0)
    window = options.history_len + (options.predict_len or 1)
    parts = f"history_len {options.history_len} + predict_len {options.predict_len}"
    gap = " after the gap of one window" if how == "time" and name != "train" else ""
    needed = ""
    if how == "time" and not several:
        shares = (getattr(options.split, part) for part in _NAMES[1:])
        most = max(
            ((window + (options.predict_len or 1)) / share for share in shares if share), default=window
        )
        needed = f" (about {math.ceil(most):,} rows would do)"
    aligned = "" if options.align is None else f" that begins with a row of a new {options.align}"
    return (
        f"the {name} part has no window{aligned}: its longest stretch has {longest:,} rows{gap}, a window "
        f"needs {window:,} ({parts}): use shorter windows, more data{needed}, or another data.split (a "
        f"share of 0 leaves a part out{', by: series splits the set of series' if several else ''})"
    )


def _refuse_constant(train: WindowDataset, columns: list[str]) -> None:
    some = train.some().future
    constant = ~(np.nanmax(some, axis=(0, 1)) > np.nanmin(some, axis=(0, 1)))
    for start in range(0, len(train), _WINDOWS_AT_ONCE) if constant.any() else ():
        windows = train.futures(np.arange(start, min(start + _WINDOWS_AT_ONCE, len(train))))
        same = (windows == some[0, 0]) | np.isnan(windows) | np.isnan(some[0, 0])
        constant &= same.all(axis=(0, 1))
    names = [name for name, same in zip(columns, constant, strict=True) if same]
    if not names:
        return
    value = some[0, 0, columns.index(names[0])]
    one = f"column {names[0]!r} is constant in the training part ({value:g})"
    many = f"columns {', '.join(map(repr, names))} are constant in the training part"
    raise ConstantColumnsError(
        f"{one if len(names) == 1 else many}: there is nothing to learn, leave out of data.columns "
        "(roles.target)",
        names,
        [name for name in columns if name not in names],
    )
