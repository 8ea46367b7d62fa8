"""A constructor's signature as a schema: annotations, defaults, descriptions, checks.

Descriptions come from the "Args:" sections of the class and its bases.
"""

from __future__ import annotations

__all__ = [
    "Nested",
    "Parameter",
    "annotation_text",
    "message_of",
    "parameters_model",
    "parameters_of",
    "problem_of",
    "shown",
    "spec_in_words",
]

import dataclasses
import functools
import inspect
import json
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
_SIGNS = {"Gt": ">", "Ge": "≥", "Lt": "<", "Le": "≤"}


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
            annotation=annotation_text(hints.get(p.name, Any)),
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
    return f"{who}: {path} = {error['input']!r}: {message_of(error)}"


def message_of(error: Any) -> str:
    """What one of pydantic's errors says, for somebody who does not know pydantic."""
    message = str(error["msg"]).removeprefix("Value error, ").partition(", unable to parse")[0]
    context = error.get("ctx", {})
    match error["type"]:
        case "string_pattern_mismatch":
            return f"does not match the pattern {context['pattern']}"
        case "list_type":
            return "input should be a list, such as [a, b]"
        case "is_instance_of":
            return f"input should be a {context['class'].removeprefix('Base').lower()}"
    return message[:1].lower() + message[1:]


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


def annotation_text(annotation: Any) -> str:
    """An annotation in words, such as "int > 0", "one of a, b" or "list of a sampler"."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any or annotation is inspect.Parameter.empty:
        return "anything"
    if annotation is type(None):
        return "null"
    if origin is Annotated:
        return f"{annotation_text(arguments[0])}{_bounds_text(arguments[1:])}"
    if origin is Literal:
        return " or ".join(shown(value) for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(annotation_text(a) for a in arguments)
    if origin in (list, tuple, set) and arguments:
        items = [annotation_text(a) for a in arguments if a is not Ellipsis]
        return f"{origin.__name__} of {', '.join(items)}"
    if origin is not None and arguments:
        return f"{annotation_text(origin)} of {', '.join(annotation_text(a) for a in arguments)}"
    if kind := getattr(annotation, "kind", None):
        return f"{kind}: a name, or {{type, params}}"
    return str(getattr(annotation, "__name__", annotation))


def spec_in_words(value: Any) -> str:
    """A value of a config in a few words: a spec as its name and its parameters."""
    if isinstance(value, dict) and "type" in value:
        params = [f"{k}={spec_in_words(v)}" for k, v in (value.get("params") or {}).items()]
        return " ".join([str(value["type"]), *params])
    return value if isinstance(value, str) else json.dumps(value)


def shown(value: Any) -> str:
    """A value as a config writes it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(shown(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {shown(item)}' for key, item in value.items())}}}"
    return str(value) if not isinstance(value, str) or value else "''"


def _bounds_text(bounds: tuple[Any, ...]) -> str:
    """Limits of a number as " > 0" or " in [0, 1)"."""
    names = [type(b).__name__ for b in bounds]
    limits = {name: getattr(b, name.lower()) for name, b in zip(names, bounds, strict=True) if name in _SIGNS}
    low, high = limits.get("Ge", limits.get("Gt")), limits.get("Le", limits.get("Lt"))
    if low is not None and high is not None:
        return f" in {'[' if 'Ge' in limits else '('}{low:g}, {high:g}{']' if 'Le' in limits else ')'}"
    return "".join(f" {_SIGNS[name]} {limit:g}" for name, limit in limits.items())


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
