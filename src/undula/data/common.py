"""Which columns several sets have in common, and what each of them calls them."""

from __future__ import annotations

__all__ = ["common_columns"]

from collections.abc import Mapping

from ..core.errors import DataError, did_you_mean
from .reading import array_columns

Matched = tuple[list[str], dict[str, list[str]], list[str]]


def common_columns(have: Mapping[str, list[str]], wanted: list[str] | None = None) -> Matched:
    """Match columns by their names, and where a set has no names (an array), by their order.

    Args:
        have: each set's columns, by what the set is called in messages.
        wanted: the user's choice; None: all that every set has.

    Returns:
        The columns in the order of the first set that has names, what each set calls them, and how they were
        matched, a sentence each.

    Raises:
        DataError: if there are none, a chosen one is missing, or one without names has too few or too many.
    """
    nameless = {name: columns == array_columns(None, len(columns)) for name, columns in have.items()}
    names = next((c for name, c in have.items() if not nameless[name]), next(iter(have.values())))
    own, notes = {}, []
    for name, columns in have.items():
        taken = _in_order(name, columns, names, wanted) if nameless[name] else columns
        if taken != columns:
            notes.append(f"{name}: its columns have no names, they are taken in order: {', '.join(taken)}")
        own[name] = dict(zip(taken, columns, strict=True))
    chosen = wanted or [c for c in names if all(c in known for known in own.values())]
    for name, known in own.items():
        absent = [c for c in chosen if c not in known]
        if absent:
            near = did_you_mean(absent[0], known)
            raise DataError(f"{name}: no column {absent[0]!r}{near} (columns: {', '.join(known)})")
    if not chosen:
        told = "; ".join(f"{name} has {', '.join(columns)}" for name, columns in have.items())
        raise DataError(
            f"{' and '.join(have)} have no column in common ({told}): rename those of one of them"
        )
    for name, known in own.items():
        if left_out := [c for c in known if c not in chosen]:
            why = "not in every set" if wanted is None else "not chosen"
            notes.append(f"{name}: {', '.join(left_out)} left out, {why}")
        if [c for c in known if c in chosen] != chosen:
            notes.append(f"{name}: its columns are in another order, they are matched by name")
    return chosen, {name: [known[c] for c in chosen] for name, known in own.items()}, notes


def _in_order(name: str, columns: list[str], names: list[str], wanted: list[str] | None) -> list[str]:
    """What the columns of a set without names are."""
    taken = next((known for known in (names, wanted or []) if len(known) == len(columns)), None)
    if taken is None:
        raise DataError(
            f"{name} has {len(columns)} columns without names, and {len(names)} are expected "
            f"({', '.join(names)}): give it these columns in this order, or choose as many with --columns"
        )
    return taken
