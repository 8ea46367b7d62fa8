"""Reading configs: files and presets, `extends`, overrides, and messages that say what is wrong."""

from __future__ import annotations

__all__ = [
    "as_config",
    "checked",
    "load_config",
    "preset_names",
    "preset_text",
    "problems_of",
    "read_tree",
    "validated",
    "with_values",
]

import os
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..core.errors import ConfigError, UnknownNameError, did_you_mean
from ..core.signature import message_of
from ..core.synonyms import with_type
from .schema import Config
from .yaml12 import parse_scalar, parse_yaml

M = TypeVar("M", bound=BaseModel)

_TYPES = ("int", "float", "bool", "str", "list[str]", "dict[str,any]")
_DATA_FILES = (".csv", ".parquet", ".npy", ".npz")
_PRESETS = resources.files("undula") / "presets"


def preset_names() -> list[str]:
    """Names of all presets."""
    return sorted(p.name.removesuffix(".yaml") for p in _PRESETS.iterdir() if p.name.endswith(".yaml"))


def preset_text(name: str) -> str:
    """The YAML text of a preset; UnknownNameError if there is none."""
    if name not in preset_names():
        names = preset_names()
        raise UnknownNameError(
            f"{name!r} is neither a file nor a preset{did_you_mean(name, names)} "
            f"(presets: {', '.join(names)})"
        )
    return (_PRESETS / f"{name}.yaml").read_text(encoding="utf-8")


def load_config(source: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Read a YAML file or a preset.

    Args:
        source: a file's path, or a preset's name.
        overrides: such as "training.learning_rate=3e-4".

    Raises:
        ConfigError: with every key that is wrong.
    """
    return validated(read_tree(source, overrides), str(source))


def as_config(config: Config | Mapping[str, Any] | str | Path) -> Config:
    """A config from itself, a mapping, a YAML file or a preset's name.

    Raises:
        ConfigError: with every key that is wrong.
    """
    if isinstance(config, Config):
        return config
    if isinstance(config, Mapping):
        return validated(dict(config), "config")
    if isinstance(config, str | Path):
        return load_config(config)
    raise ConfigError(f"config of type {type(config).__name__}: expected a mapping, a file or a preset")


def read_tree(source: str | Path, overrides: Iterable[str] = ()) -> dict[str, Any]:
    """The plain values of a YAML file or a preset, with its parents and overrides; not yet checked.

    Raises:
        ConfigError: if a file cannot be read or is not YAML.
    """
    tree = _read(source, seen=())
    for text in overrides:
        tree = _merged(tree, _named(_override(text)))
    return tree


def with_values(config: Config, values: Mapping[str, Any], where: str) -> Config:
    """A config with some keys changed, as `--set` changes them.

    Args:
        config: to begin with.
        values: by the key's path, such as "training.learning_rate".
        where: what to call it in messages.

    Raises:
        ConfigError: with every key that is wrong.
    """
    tree = config.model_dump(mode="json")
    for path, value in values.items():
        tree = _merged(tree, _nested(path, value))
    return validated(tree, where)


def validated(tree: dict[str, Any], where: str) -> Config:
    """A config from plain values.

    Raises:
        ConfigError: with every key that is wrong, a line each.
    """
    return checked(Config, tree, where)


def checked(model: type[M], values: Mapping[str, Any] | M | None, where: str) -> M:
    """A block of a config from plain values; a block itself is returned as it is.

    Raises:
        ConfigError: with every key that is wrong, a line each.
    """
    if isinstance(values, model):
        return values
    try:
        return model.model_validate(dict(values or {}))
    except ValidationError as error:
        raise ConfigError("\n".join(f"{where}: {line}" for line in problems_of(error, model))) from None


def problems_of(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """What is wrong, a sentence a key, with the nearest known key."""
    problems: dict[tuple[str, str], list[str]] = {}
    for problem in error.errors():
        subject, message = _sentence(problem, model)
        problems.setdefault((subject, message.partition(" should be ")[0]), []).append(message)
    return [
        subject + " or ".join([messages[0], *(m.removeprefix(f"{start} should be ") for m in messages[1:])])
        for (subject, start), messages in problems.items()
    ]


def _sentence(problem: Any, model: type[BaseModel]) -> tuple[str, str]:
    """The key with its value, and what is wrong with it; a union's members are told apart by neither."""
    location = [str(part) for part in problem["loc"]]
    path = ".".join(
        part
        for part in location
        if not part.startswith(("function-", "literal[", "constrained-")) and part not in _TYPES
    )
    if problem["type"] == "extra_forbidden":
        known = _fields(model, location[:-1])
        near = did_you_mean(location[-1], known) or f" (known here: {', '.join(known)})"
        return "", f"unknown key {path!r}{near}"
    if problem["type"] == "missing":
        return f"{path}: ", "is missing"
    message = message_of(problem)
    given = problem["input"]
    if isinstance(given, Mapping):
        return f"{path}: " if path else "", message
    return f"{path} = {given!r}: ", message


def _fields(model: type[BaseModel], path: list[str]) -> list[str]:
    """Known keys of the block at a path."""
    for name in path:
        field = model.model_fields.get(name)
        annotations = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        inner = [a for a in annotations if isinstance(a, type) and issubclass(a, BaseModel)]
        if not inner:
            return []
        model = inner[0]
    return list(model.model_fields)


def _read(source: str | Path, seen: tuple[str, ...], base: Path | None = None) -> dict[str, Any]:
    path = Path(source) if base is None or Path(source).is_absolute() else base / source
    is_file = path.is_file() or path.suffix in (".yaml", ".yml") or os.sep in str(source)
    if is_file and not path.is_file():
        raise ConfigError(f"config file {str(path)!r} does not exist")
    where = str(path) if is_file else str(source)
    if where in seen:
        raise ConfigError(f"extends goes in a circle: {' → '.join([*seen, where])}")
    if is_file and path.suffix.lower() in _DATA_FILES:
        raise ConfigError(
            f"{where} is a data file, not a config: make a config for it with "
            f"`undula init {where} > {path.stem}.yaml`, and run that"
        )
    try:
        text = path.read_text(encoding="utf-8") if is_file else preset_text(str(source))
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"config file {where!r} cannot be read: {error}") from error
    tree = parse_yaml(text, where)
    if tree is None:
        tree = {}
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{where} is not a config: expected keys such as `data:` and `training:`, found "
            f"{'a list' if isinstance(tree, list) else 'text or a number'}"
        )
    parents = tree.pop("extends", [])
    merged: dict[str, Any] = {}
    for parent in [parents] if isinstance(parents, str) else parents:
        merged = _merged(merged, _read(parent, (*seen, where), path.parent if is_file else None))
    if is_file:
        _anchor(tree, path.parent)
    return _merged(merged, _named(tree))


def _named(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with every component's name under `type`, so that the merging of trees sees it."""
    components = tree.get("components")
    if not isinstance(components, dict):
        return tree
    named = {kind: with_type(kind, spec) for kind, spec in components.items()}
    return {**tree, "components": named}


def _anchor(tree: dict[str, Any], folder: Path) -> None:
    """Make a file's relative paths relative to the file, not to where undula is called."""
    data = tree.get("data")
    if isinstance(data, dict) and isinstance(data.get("path"), str):
        data["path"] = _anchored(data["path"], folder)
    if isinstance(tree.get("plugins"), list):
        tree["plugins"] = [_anchored(p, folder) if isinstance(p, str) else p for p in tree["plugins"]]


def _anchored(path: str, folder: Path) -> str:
    return path if Path(path).is_absolute() or not (folder / path).exists() else str(folder / path)


def _override(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {text!r}: expected KEY=VALUE, such as training.learning_rate=3e-4")
    return _nested(key.strip(), parse_scalar(value))


def _nested(path: str, value: Any) -> dict[str, Any]:
    tree = value
    for part in reversed(path.split(".")):
        tree = {part: tree}
    assert isinstance(tree, dict)
    return tree


def _merged(base: Any, over: Any) -> Any:
    """`over` on top of `base`; a component of another type does not inherit parameters."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        if isinstance(base, dict) and "type" in base and isinstance(over, str):
            return base if base["type"] == over else {"type": over}
        return over
    if "type" in over and "type" in base and over["type"] != base["type"]:
        base = {key: value for key, value in base.items() if key not in ("type", "params")}
    return {
        **base,
        **{key: _merged(base[key], value) if key in base else value for key, value in over.items()},
    }
