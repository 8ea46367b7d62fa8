"""The JSON schema of a config, with every component's parameters, for editors."""

from __future__ import annotations

__all__ = ["config_schema"]

from typing import Any

from ..core.registry import KINDS, Registry
from .schema import Components, Config


def config_schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a config; component parameters come from their constructors."""
    schema = Config.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["extends"] = {
        "description": "File or preset, or a list of them, that this config changes.",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    definitions = schema["$defs"]
    for kind in Components.model_fields:
        choices: list[dict[str, Any]] = [{"enum": Registry.list(kind)}]
        for name in Registry.list(kind):
            parameters = Registry.parameters_model(kind, name).model_json_schema()
            definitions.update(parameters.pop("$defs", {}))
            choices.append(
                {
                    "type": "object",
                    "description": Registry.summary(kind, name),
                    "properties": {"type": {"const": name}, "params": parameters},
                    "required": ["type"],
                    "additionalProperties": False,
                }
            )
        if KINDS[kind].of_list:
            choices.append({"type": "array", "minItems": 1, "items": {"anyOf": list(choices)}})
        field = definitions["Components"]["properties"][kind]
        optional = [{"type": "null"}] if "anyOf" in field else []
        definitions["Components"]["properties"][kind] = {
            "description": field["description"],
            "anyOf": [*choices, *optional],
        }
    definitions["Experiment"]["properties"]["type"]["enum"] = Registry.list("experiment")
    definitions.pop("ComponentSpec", None)
    return schema
