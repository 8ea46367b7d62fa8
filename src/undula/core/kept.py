"""Results that are kept from one call to the next."""

from __future__ import annotations

__all__ = ["kept"]

import functools
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


def kept(make: Callable[..., T], *key: Any) -> T:
    """make(*key), kept from one call to the next where the key can be compared."""
    try:
        return _kept(make, key)
    except TypeError:  # a component of the user's own that has no hash
        return make(*key)


@functools.lru_cache(maxsize=64)
def _kept(make: Callable[..., T], key: tuple[Any, ...]) -> T:
    return make(*key)
