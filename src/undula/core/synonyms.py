"""Another word for `type` in the spec of a component, where one is in use."""

from __future__ import annotations

__all__ = ["with_type"]

from collections.abc import Mapping
from typing import Any

from .errors import ConfigError

_WORDS = {"architecture": "backbone_type"}


def with_type(kind: str, spec: Any) -> Any:
    """A spec with its name under `type`, where it stood under the kind's other word for it.

    Args:
        kind: such as "architecture".
        spec: a name, a mapping, a component; what has no other word is returned as it is.

    Raises:
        ConfigError: if both are given and differ.
    """
    word = _WORDS.get(kind)
    if not isinstance(spec, Mapping) or word not in spec:
        return spec
    rest = {key: value for key, value in spec.items() if key != word}
    if rest.setdefault("type", spec[word]) != spec[word]:
        raise ConfigError(
            f"{kind}: type = {rest['type']!r} and {word} = {spec[word]!r} are two names for one thing, "
            "and they differ: give one of them"
        )
    return rest
