"""Where a named data set comes from."""

from __future__ import annotations

__all__ = ["BaseSource"]

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from .component import Component

if TYPE_CHECKING:
    import pandas as pd


class BaseSource(Component, ABC):
    """A data set that a config names under `data.dataset`."""

    kind: ClassVar[str] = "dataset"

    roles: ClassVar[dict[str, str]] = {}
    """Column roles that hold unless the user names others, such as {"time": "date"}."""

    @abstractmethod
    def load(self) -> pd.DataFrame:
        """The whole table, in the source's own units, with its time column if it has one."""
