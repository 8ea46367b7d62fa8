"""What every exchangeable part has in common: parameters that are stored, and learned state.

A component's constructor only stores its arguments, each under its own name; what it learns from
data is kept in attributes that end in `_` and hold tensors. From these two rules follow its
config (`Registry.spec`), its file (`state`, `load_state`) and its equality, without further code.
"""

from __future__ import annotations

__all__ = ["Component"]

import inspect
from collections.abc import Iterator
from typing import Any, ClassVar

from torch import Tensor


class Component:
    """A part that a config may name."""

    kind: ClassVar[str]
    """The registry's kind, set by the kind's base class."""

    needs: ClassVar[str] = ""
    """What this component requires of the others, in words; shown by `undula components`."""

    @property
    def params(self) -> dict[str, Any]:
        """The constructor's arguments, by name.

        A constructor that takes `**kwargs` keeps them under that name; the registry does it for one
        that does not.
        """
        found: dict[str, Any] = {}
        for name, parameter in inspect.signature(type(self)).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                found |= getattr(self, name, {})
            else:
                found[name] = getattr(self, name)
        return found

    @property
    def state(self) -> dict[str, Tensor]:
        """What was learned from data: every tensor attribute whose name ends in `_`.

        That of a part (a pipeline's step) stands under the part's name and number.
        """
        found = {
            name: value
            for name, value in vars(self).items()
            if name.endswith("_") and not name.startswith("_") and isinstance(value, Tensor)
        }
        for place, part in self._parts():
            found |= {f"{place}.{name}": value for name, value in part.state.items()}
        return found

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave."""
        for name, value in state.items():
            if "." not in name:
                object.__setattr__(self, name, value)
        for place, part in self._parts():
            prefix = f"{place}."
            part.load_state(
                {name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)}
            )

    def _parts(self) -> Iterator[tuple[str, Component]]:
        """Components among the attributes, by name, in lists by name and number."""
        for name, value in vars(self).items():
            if isinstance(value, Component):
                yield name, value
            elif isinstance(value, list | tuple):
                for number, item in enumerate(value):
                    if isinstance(item, Component):
                        yield f"{name}:{number}", item
