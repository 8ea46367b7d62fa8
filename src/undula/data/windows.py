"""Windows of series as views: nothing is copied until a batch is taken.

All rows lie in one array (T, C), in memory or a memory map; a window is a start and a length in
it. Overlapping windows hence cost nothing, and a file larger than memory is read where it lies.
"""

from __future__ import annotations

__all__ = ["Batch", "WindowDataset"]

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Batch:
    """Windows side by side, in the user's units; NaN where a value is missing or padding.

    Args:
        history: target columns before the window, (B, H, C).
        future: target columns of the window, (B, L, C).
        features: the other columns over both, (B, H + L, K).
        exists: False where the window is padding, (B, L); None: nowhere.
        index: the windows' numbers in their data set, (B,).
        start: the columns of roles.at_start in the last row before the window, (B, A); None: there are none.
    """

    history: Array
    future: Array
    features: Array
    exists: NDArray[np.bool_] | None
    index: NDArray[np.int64]
    start: Array | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Steps of each window without padding, (B,)."""
        n, longest = self.future.shape[:2]
        if self.exists is None:
            return np.full(n, longest, np.int64)
        return self.exists.sum(1).astype(np.int64)

    def take(self, rows: NDArray[np.int64], length: int | None = None) -> Batch:
        """The windows at these places in the batch.

        Args:
            rows: places; one may occur often.
            length: steps of the result; None: the batch's. Beyond the batch's end the future is
                missing, and the features end.
        """
        exists = None if self.exists is None else self.exists[rows]
        own, channels = self.future.shape[1:]
        length = own if length is None else length
        future = np.full((len(rows), length, channels), np.nan, self.future.dtype)
        future[:, :own] = self.future[rows, :length]
        features = self.features[rows, : max(self.history.shape[1] + length, 1)]
        exists = None if exists is None else exists[:, :length]
        start = None if self.start is None else self.start[rows]
        return Batch(self.history[rows], future, features, exists, self.index[rows], start)


@dataclass(frozen=True, kw_only=True)
class WindowDataset:
    """Windows of one part of the data.

    Args:
        values: target columns of all rows, (T, C).
        features: the other columns, (T, K).
        starts: first row of each window, history included, (N,).
        lengths: steps of each window without history, (N,).
        history_len: H.
        stamps: the rows' time stamps, (T,), or None.
        before: the columns of roles.at_start one row before each row, (T, A), or None.
    """

    values: Array
    features: Array
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]
    history_len: int = 0
    stamps: pd.Index | None = None
    before: Array | None = None

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: int) -> dict[str, Array]:
        """Window i as a dictionary of `history`, `future` and `metadata`, each (length, features)."""
        if not -len(self) <= i < len(self):
            raise IndexError(f"window {i} of {len(self)}")
        start, split = self.starts[i], self.starts[i] + self.history_len
        end = split + self.lengths[i]
        return {
            "history": _as_float(np.asarray(self.values[start:split])),
            "future": _as_float(np.asarray(self.values[split:end])),
            "metadata": np.asarray(self.features[start:end]),
        }

    @property
    def channels(self) -> int:
        """C."""
        return int(self.values.shape[1])

    @property
    def length(self) -> int | None:
        """L, or None where it varies."""
        first = int(self.lengths[0])
        return first if (self.lengths == first).all() else None

    def batch(self, index: NDArray[np.int64]) -> Batch:
        """The windows `index`, padded to the longest of them."""
        lengths, h = self.lengths[index], self.history_len
        longest = int(lengths.max())
        steps = np.arange(h + longest)
        rows = self.starts[index][:, None] + np.minimum(steps, (h + lengths)[:, None] - 1)
        values = _as_float(self.values[rows])
        exists = None
        if (lengths != longest).any():
            exists = np.arange(longest) < lengths[:, None]
            values[:, h:][~exists] = np.nan
        return Batch(values[:, :h], values[:, h:], self.features[rows], exists, index, self.told(index))

    def told(self, index: NDArray[np.int64] | None = None) -> Array | None:
        """The columns of roles.at_start in the last row before what windows generate, (B, A); None: none."""
        if self.before is None:
            return None
        starts = self.starts if index is None else self.starts[index]
        told: Array = self.before[starts + self.history_len]
        return told

    def some(self, most: int = 4_000_000) -> Batch:
        """Evenly spaced windows, at most so many numbers; for fitting scalers."""
        size = (self.history_len + int(self.lengths.max())) * self.channels
        count = max(1, min(len(self), most // size))
        return self.batch(np.unique(np.linspace(0, len(self) - 1, count).astype(np.int64)))

    def futures(self, index: NDArray[np.int64] | None = None) -> Array:
        """Target columns of windows of one length, (N, L, C)."""
        return self.batch(np.arange(len(self)) if index is None else index).future

    def times(self) -> list[NDArray[Any]] | None:
        """Time stamps of each window without history, (L_i,); None if there are none."""
        if self.stamps is None:
            return None
        stamps = self.stamps.to_numpy()
        firsts = self.starts + self.history_len
        return [stamps[first : first + n] for first, n in zip(firsts, self.lengths, strict=True)]

    def stretches(self, most: int = 2_000_000) -> list[Array]:
        """The unbroken stretches of rows that the windows cover, each (T, C), for baselines.

        Windows that only touch are not joined. Of a huge data set, the first `most` numbers.
        """
        return [self.values[rows].astype(float) for rows in self._runs(most)]

    def stretches_with_features(self, most: int = 2_000_000) -> tuple[list[Array], list[Array]]:
        """The same stretches, and their features, each (T, K)."""
        runs = self._runs(most)
        return [self.values[r].astype(float) for r in runs], [self.features[r].astype(float) for r in runs]

    def _runs(self, most: int) -> list[slice]:
        """The rows of each stretch."""
        order = np.argsort(self.starts, kind="stable")
        starts = self.starts[order]
        ends = np.maximum.accumulate(starts + self.history_len + self.lengths[order])
        breaks = np.flatnonzero(starts[1:] >= ends[:-1]) + 1
        found, left = [], most // self.channels
        for first, last in zip([0, *breaks], [*breaks, len(starts)], strict=True):
            if left <= 0:
                break
            found.append(slice(int(starts[first]), int(ends[last - 1])))
            left -= found[-1].stop - found[-1].start
        return found

    def ends(self) -> tuple[str, str]:
        """First and last time stamp (row number, if there are none) of the windows, as text."""
        first = int(self.starts.min())
        last = int((self.starts + self.history_len + self.lengths).max()) - 1
        if self.stamps is None:
            return f"{first:,}", f"{last:,}"
        ends = [self.stamps[first], self.stamps[last]]
        if isinstance(self.stamps, pd.DatetimeIndex):
            whole_days = all(t == t.normalize() for t in ends)
            ends = [t.date() if whole_days else t for t in ends]
        return str(ends[0]), str(ends[1])

    def period(self) -> str:
        """First and last time stamp, in words."""
        first, last = self.ends()
        return f"{'rows ' if self.stamps is None else ''}{first} to {last}"


def _as_float(rows: NDArray[Any]) -> Array:
    """Rows as native float32 or float64: whole numbers would be scaled with truncated constants."""
    return rows if rows.dtype in (np.float32, np.float64) else rows.astype(np.float64)
