"""Laws of all components."""

from __future__ import annotations

__all__ = ["COMMON_LAWS"]

import inspect
import json
from collections.abc import Callable
from typing import Any

from ..core.component import Component
from ..core.registry import Registry


def constructor_only_stores(component: Component) -> None:
    """Every argument is an attribute of its name, and another of the same arguments is equal."""
    again = type(component)(**component.params)
    assert again.params == component.params, f"{again.params} is not {component.params}"
    assert not component.state, "a component has learned state before it has seen data"


def spec_makes_an_equal_component(component: Component) -> None:
    """A component's spec is plain JSON and makes an equal component."""
    spec = json.loads(json.dumps(Registry.spec(component)))
    again = Registry.resolve(component.kind, spec)
    assert type(again) is type(component), f"the spec makes a {type(again).__name__}"
    assert Registry.spec(again) == Registry.spec(component), "the spec makes another component"


def is_documented(component: Component) -> None:
    """The class and each parameter have a description."""
    info = Registry.inspect(component.kind, Registry.name(component))
    assert info.summary, "the class has no docstring"
    assert inspect.getmodule(type(component)) is not None
    for parameter in info.parameters:
        assert parameter.description, f"parameter {parameter.name} is not described under Args"


COMMON_LAWS: list[Callable[[Any], None]] = [
    constructor_only_stores,
    spec_makes_an_equal_component,
    is_documented,
]
