r"""Where windows that somebody else has cut lie in their series, from what they share.

Windows of a series cut with a stride below their length repeat each other's rows, and intervals and floors
must not take them for independent. Window B follows window A by s steps if A without its first s rows is
B without its last s; chains of such windows are stretches of series, in whatever order they were stored.

Windows of few values agree by chance, and nights without sun agree always, so a shared stretch must be
improbable: over its rows r_t

    Σ −log₁₀ p(r_t)  where r_t ≠ r_{t−1},    −log₁₀ p(stay | r_t)  where r_t = r_{t−1}

must reach 2 log₁₀ N + 3 digits, with the frequencies of all windows' rows.
"""

from __future__ import annotations

__all__ = ["Placed", "placed"]

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Codes = NDArray[np.int64]

_DIGITS = 3.0
_MOSTLY = 0.9
"""Once so many windows have a follower, the others are ends of series."""


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
    """Find chains of overlapping windows (N, L, C); windows without a neighbour keep their order."""
    n, length, _ = windows.shape
    followers = _followers(windows)
    followed = {follower for follower, _ in followers.values()}
    order: list[int] = []
    starts, stretches, row = [], [], 0
    seen = np.zeros(n, bool)
    heads = [i for i in range(n) if i not in followed]
    for head in [*heads, *range(n)]:  # the second round: chains that close, as of periodic series
        here, rows = head, [windows[head]]
        if seen[here]:
            continue
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
    linked = len(set(followers) | followed)
    return Placed(windows[order], np.array(starts, np.int64), stretches, linked)


def _followers(windows: Array) -> dict[int, tuple[int, int]]:
    """For each window the one that starts within it, and how many steps later; the nearest."""
    n, length, _ = windows.shape
    codes = _codes(windows)
    digits = _digits(codes)
    found: dict[int, tuple[int, int]] = {}
    left, free = np.ones(n, bool), np.ones(n, bool)  # without a follower; following nobody
    for step in range(1, length):
        told = left & (digits[:, step] >= 2.0 * np.log10(n) + _DIGITS)
        told &= np.isin(codes[:, step], codes[free, 0])
        beginning: dict[bytes, list[int]] = {}
        for j in np.flatnonzero(free & np.isin(codes[:, 0], codes[told, step])):
            beginning.setdefault(codes[j, : length - step].tobytes(), []).append(int(j))
        for i in np.flatnonzero(told):
            others = beginning.get(codes[i, step:].tobytes(), [])
            follower = next((j for j in others if j != i and free[j]), None)
            if follower is not None:
                found[int(i)] = (follower, step)
                left[i] = free[follower] = False
        if len(found) > _MOSTLY * n:
            break
    return found


def _codes(windows: Array) -> Codes:
    """The number of each row among the different ones, (N, L)."""
    rows = np.ascontiguousarray(windows.reshape(-1, windows.shape[2])) + 0.0  # −0 is 0
    whole = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    numbers: Codes = np.unique(whole, return_inverse=True)[1].reshape(windows.shape[:2]).astype(np.int64)
    return numbers


def _digits(codes: Codes) -> Array:
    """How improbable each window is from a step to its end, as −log₁₀, (N, L)."""
    frequency = np.bincount(codes.ravel()) / codes.size
    rests = codes[:, 1:] == codes[:, :-1]
    before = np.bincount(codes[:, :-1].ravel(), minlength=len(frequency))
    staying = np.bincount(codes[:, 1:][rests], minlength=len(frequency)) / np.maximum(before, 1)
    moved = -np.log10(frequency[codes])
    rested = -np.log10(np.where(staying > 0, staying, 1.0))[codes]
    steps = np.concatenate([moved[:, :1], np.where(rests, rested[:, 1:], moved[:, 1:])], 1)
    after = np.cumsum(steps[:, ::-1], 1)[:, ::-1]
    digits: Array = after - steps + moved  # the first row of a stretch counts for itself
    return digits
