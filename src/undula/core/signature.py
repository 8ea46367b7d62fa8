"""A constructor's signature as a schema: annotations, defaults, descriptions, checks.

Descriptions come from the "Args:" sections of the class and its bases.
"""

from __future__ import annotations

__all__ = ["Nested", "Parameter", "parameters_model", "parameters_of", "problem_of"]

import dataclasses
import functools
import inspect
import re
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from .errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

Nested = Callable[[type], Any]


@dataclass(frozen=True)
class Parameter:
    """A parameter of a component's constructor."""

    name: str
    annotation: str
    default: Any
    required: bool
    description: str


def parameters_of(component: Any) -> tuple[Parameter, ...]:
    """A class's parameters, in order."""
    descriptions, hints = _argument_docs(component), _hints(component)
    return tuple(
        Parameter(
            name=p.name,
            annotation=_annotation_text(hints.get(p.name, Any)),
            default=None if p.default is p.empty else p.default,
            required=p.default is p.empty,
            description=descriptions.get(p.name, ""),
        )
        for p in inspect.signature(component).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    )


@functools.cache
def parameters_model(component: Any, nested: Nested) -> type[BaseModel]:
    """The pydantic model of a constructor's parameters.

    Args:
        component: the class.
        nested: gives the annotation that stands for a class whose instances a parameter takes, or
            None if the class is not a component's.
    """
    from pydantic import ConfigDict, Field, create_model

    fields: dict[str, Any] = {}
    descriptions = _argument_docs(component)
    hints = _hints(component)
    extra: Literal["allow", "forbid"] = "forbid"
    for p in inspect.signature(component).parameters.values():
        if p.kind is p.VAR_KEYWORD:
            extra = "allow"
            continue
        annotation = _with_nested(hints.get(p.name, Any), nested)
        default = ... if p.default is p.empty else p.default
        fields[p.name] = (annotation, Field(default, description=descriptions.get(p.name) or None))
    config = ConfigDict(
        extra=extra, arbitrary_types_allowed=True, protected_namespaces=(), allow_inf_nan=False
    )
    return create_model(component.__name__, __config__=config, **fields)


def problem_of(error: Any, who: str, model: type[BaseModel]) -> str:
    """One of pydantic's errors as a sentence.

    Args:
        error: an item of `ValidationError.errors()`.
        who: the component, in words.
        model: of its parameters.
    """
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = list(model.model_fields)
        hint = did_you_mean(path, known) or f" (it takes {', '.join(known) or 'none'})"
        return f"{who} has no parameter {path!r}{hint}"
    if error["type"] == "missing":
        return f"{who} needs the parameter {path!r}"
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ConfigError):
        return str(cause)
    return f"{who}: {path} = {error['input']!r}: {error['msg'].lower()}"


def _hints(component: Any) -> dict[str, Any]:
    """The constructor's annotations; a dataclass's fields belong to the modules of its bases."""
    owner = component if dataclasses.is_dataclass(component) else component.__init__
    return typing.get_type_hints(owner, include_extras=True)


def _with_nested(annotation: Any, nested: Nested) -> Any:
    """The annotation with every component's class replaced by what `nested` gives for it."""
    if isinstance(annotation, type):
        return nested(annotation) or annotation
    arguments = typing.get_args(annotation)
    if not arguments or typing.get_origin(annotation) is Literal:
        return annotation
    if typing.get_origin(annotation) is Annotated:
        return Annotated[_with_nested(arguments[0], nested), *arguments[1:]]
    replaced = tuple(_with_nested(a, nested) if a is not Ellipsis else a for a in arguments)
    if replaced == arguments:
        return annotation
    origin = typing.get_origin(annotation)
    return typing.Union[replaced] if origin in (None, types.UnionType) else origin[replaced]  # noqa: UP007


def _annotation_text(annotation: Any) -> str:
    text = inspect.formatannotation(annotation)
    text = re.sub(r"Annotated\[(\w+), ([^\]]*)\]", r"\1 (\2)", text)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)


def _argument_docs(component: type) -> dict[str, str]:
    """Descriptions in the "Args:" sections of a class and its bases, by parameter."""
    found: dict[str, str] = {}
    for cls in reversed(component.__mro__):
        docs = inspect.cleandoc(cls.__doc__ or "")
        section = re.search(r"^Args:\n((?:    .*\n?|\n)+)", docs, flags=re.MULTILINE)
        if section:
            for name, text in re.findall(
                r"^    (\w+): (.*(?:\n        .*)*)", section.group(1), flags=re.MULTILINE
            ):
                found[name] = " ".join(text.split())
    return found
