"""Laws of data sources."""

from __future__ import annotations

__all__ = ["DATASET_LAWS"]

from collections.abc import Callable
from typing import Any

from ..core.source import BaseSource


def loads_the_same_table_twice(source: BaseSource) -> None:
    """A source is a function of its parameters, and its roles name its columns."""
    table = source.load()
    assert len(table) > 0, "the table is empty"
    assert table.equals(source.load()), "two loads differ"
    for role, column in source.roles.items():
        assert column in table.columns, f"role {role} names {column!r}, which is not a column"


DATASET_LAWS: list[Callable[[Any], None]] = [loads_the_same_table_twice]
