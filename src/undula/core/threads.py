"""Numerical libraries on one thread: for small work, threads spend more time waiting for one another.

Many short parallel loops (trees, mixtures, embeddings of a few thousand windows) are no faster with several
threads, which spin at the end of each; where other processes want the cores, they are many times slower.
"""

from __future__ import annotations

__all__ = ["one_thread"]

from contextlib import AbstractContextManager, nullcontext
from typing import Any


def one_thread(small: bool = True) -> AbstractContextManager[Any]:
    """OpenMP and BLAS of this process use one thread inside.

    Args:
        small: whether the work is; larger work keeps its threads.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1) if small else nullcontext()
