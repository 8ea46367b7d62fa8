"""Tables that were fetched from the network, kept in a folder of the user's.

The folder is $UNDULA_CACHE, else undula in $XDG_CACHE_HOME, else ~/.cache/undula.
"""

from __future__ import annotations

__all__ = ["cache_file", "cached", "fetch"]

import os
import re
from pathlib import Path

import pandas as pd

from ..core.errors import DataError
from ..core.files import atomic_path
from ..core.source import BaseSource


def cache_file(name: str) -> Path:
    """Where a data set is kept, by its title; letters that no file name has become underscores."""
    own = os.environ.get("UNDULA_CACHE")
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    plain = re.sub(r"[^\w.^=-]+", "_", name)
    return (Path(own) if own else home / "undula") / f"{plain}.parquet"


def cached(source: BaseSource) -> pd.DataFrame:
    """A source's table: the kept one, else fetched and kept."""
    path = cache_file(source.title)
    return pd.read_parquet(path if path.is_file() else fetch(source))


def fetch(source: BaseSource) -> Path:
    """Fetch a source's table anew and keep it.

    Raises:
        DataError: if the source cannot be fetched, or has nothing to give; a kept table stays.
    """
    name = source.title
    if not source.can_download():
        raise DataError(
            f"the data set {name!r} needs no download: it is made, shipped with undula, or read from your "
            "file (data.path)"
        )
    table = source.download()
    if table.empty:
        raise DataError(f"the download of {name!r} is empty")
    path = cache_file(name)
    with atomic_path(path) as temporary:
        table.to_parquet(temporary, index=False)
    return path
