"""Where windows that somebody else has cut lie in their series, from what they share.

Windows of a series cut with a stride below their length repeat each other's rows, and intervals and floors
must not take them for independent. Window B follows window A by s steps if A without its first s rows is
B without its last s; chains of such windows are stretches of series, in whatever order they were stored.
"""

from __future__ import annotations

__all__ = ["Placed", "placed"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Placed:
    """Windows with their places.

    Args:
        windows: in the order of their places, (N, L, C).
        starts: first row of each, (N,); stretches that do not follow each other are far apart.
        stretches: the rows of each stretch, (T, C).
        overlapping: how many windows share rows with another.
    """

    windows: Array
    starts: NDArray[np.int64]
    stretches: list[Array]
    overlapping: int


def placed(windows: Array) -> Placed:
    """Find chains of overlapping windows (N, L, C); the others keep their order."""
    n, length, _ = windows.shape
    followers = _followers(windows)
    has_predecessor = np.zeros(n, bool)
    for follower, _ in followers.values():
        has_predecessor[follower] = True
    order, starts, stretches, row = [], [], [], 0
    seen = np.zeros(n, bool)
    heads = [*np.flatnonzero(~has_predecessor), *range(n)]
    for head in heads:
        if seen[head]:
            continue
        here, rows = int(head), [windows[head]]
        while True:
            seen[here] = True
            order.append(here)
            starts.append(row)
            follower, step = followers.get(here, (-1, 0))
            if follower < 0 or seen[follower]:
                break
            rows.append(windows[follower][length - step :])
            row, here = row + step, follower
        row += length if len(rows) == 1 else 4 * length
        stretches.append(np.concatenate(rows))
    linked = len(set(followers) | {follower for follower, _ in followers.values()})
    return Placed(windows[order], np.array(starts, np.int64), stretches, linked)


def _followers(windows: Array) -> dict[int, tuple[int, int]]:
    """For each window the one that starts within it, and how many steps later; the nearest."""
    length = windows.shape[1]
    firsts: dict[bytes, list[int]] = {}
    rows = np.ascontiguousarray(windows)
    for i, window in enumerate(rows):
        firsts.setdefault(window[0].tobytes(), []).append(i)
    found: dict[int, tuple[int, int]] = {}
    taken: set[int] = set()
    for step in range(1, length):
        for i, window in enumerate(rows):
            if i in found:
                continue
            for j in firsts.get(window[step].tobytes(), ())[:_CANDIDATES]:
                if j != i and j not in taken and np.array_equal(window[step:], rows[j][: length - step]):
                    found[i] = (j, step)
                    taken.add(j)
                    break
        if len(found) > _MOSTLY * len(windows):
            break
    return found


_CANDIDATES = 8
_MOSTLY = 0.9
"""Once so many windows have a follower, the others are ends of series."""
