"""Where a named data set comes from."""

from __future__ import annotations

__all__ = ["BaseSource"]

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from .component import Component
from .errors import ConfigError

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

    short: ClassVar[str | None] = None
    """The parameter that `name:value` fills in, such as the symbol in yahoo:^GSPC."""

    @classmethod
    def of(cls, spec: Any) -> BaseSource:
        """A source from a name, `name:value`, {type, params}, or itself.

        Raises:
            UndulaError: if there is none of that name, or it takes no value after the colon.
        """
        from .registry import Registry

        name, colon, value = spec.partition(":") if isinstance(spec, str) else (spec, "", "")
        if not colon:
            source: BaseSource = Registry.resolve("dataset", spec)
            return source
        found: Any = Registry.find("dataset", name)
        if found.short is None or not value:
            known: dict[str, Any] = {n: Registry.find("dataset", n) for n in Registry.list("dataset")}
            shorts = [f"{n}:{c.short.upper()}" for n, c in known.items() if c.short is not None]
            what = (
                "takes nothing after a colon"
                if found.short is None
                else f"needs its {found.short} after the colon"
            )
            raise ConfigError(f"data set {spec!r}: {name} {what} (those that do: {', '.join(shorts)})")
        return Registry.get("dataset", name, **{found.short: value})

    @property
    def title(self) -> str:
        """What the user calls it: its name, with the value of `short` after a colon."""
        from .registry import Registry

        name = Registry.name(self)
        return name if self.short is None else f"{name}:{getattr(self, self.short)}"

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
