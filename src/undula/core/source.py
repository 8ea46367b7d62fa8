"""Where a named data set comes from."""

from __future__ import annotations

__all__ = ["BaseSource"]

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from .component import Component

if TYPE_CHECKING:
    import pandas as pd


class BaseSource(Component, ABC):
    """A data set that a config names under `data.dataset`.

    A source that reads a file of the user's has a parameter `path`, which `data.path` fills in. One
    that can be fetched from the network overrides `download`.
    """

    kind: ClassVar[str] = "dataset"

    roles: ClassVar[dict[str, str]] = {}
    """Column roles that hold unless the user names others, such as {"time": "date"}."""

    @abstractmethod
    def load(self) -> pd.DataFrame:
        """The whole table, in the source's own units, with its time column if it has one."""

    @classmethod
    def reads_file(cls) -> bool:
        """Whether the source takes a file of the user's."""
        return "path" in inspect.signature(cls).parameters

    @classmethod
    def can_download(cls) -> bool:
        """Whether the source can be fetched from the network."""
        return cls.download is not BaseSource.download

    def download(self) -> pd.DataFrame:
        """Fetch the whole table from where it is published.

        Raises:
            DataError: if it cannot be had, with the remedy.
        """
        raise NotImplementedError
