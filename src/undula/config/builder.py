"""A config built in Python, a step at a time, each step checked as a YAML file is.

config = (
    ConfigBuilder("prices", description="Daily prices")
    .component("architecture", "transformer", model_dim=64)
    .data(path="prices.csv", transform="log_return")
    .training(num_epochs=20)
    .build()
)
"""

from __future__ import annotations

__all__ = ["ConfigBuilder"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import ConfigError, did_you_mean
from ..core.files import write_text
from ..core.registry import Registry
from .loading import as_config, validated
from .schema import Components, Config
from .yaml12 import dump_yaml


class ConfigBuilder:
    """A config in the making; every method returns a new builder and leaves this one as it is.

    Args:
        name: of the experiment and its run folders.
        description: a sentence for the report.
        seed: of everything random.
        base: what to begin with: a config, a mapping, a file or a preset; None: the defaults.

    Raises:
        ConfigError: as `undula validate` says it; likewise from every method.
    """

    def __init__(
        self,
        name: str,
        *,
        description: str | None = None,
        seed: int | None = None,
        base: Config | Mapping[str, Any] | str | Path | None = None,
    ) -> None:
        config = Config() if base is None else as_config(base)
        given = {"name": name, "description": description, "seed": seed}
        tree = config.model_dump(mode="json")
        tree["experiment"] |= {key: value for key, value in given.items() if value is not None}
        self._config = validated(tree, "experiment")

    def component(self, kind: str, component: str, /, **params: Any) -> ConfigBuilder:
        """Choose a part of the model.

        Args:
            kind: such as "architecture".
            component: its name, such as "transformer".
            params: arguments of its constructor; specs of further components may be among them.
        """
        kinds = list(Components.model_fields)
        if kind not in kinds:
            raise ConfigError(
                f"unknown kind of component {kind!r}{did_you_mean(kind, kinds)} (known: {', '.join(kinds)})"
            )
        self._config.component_specs()  # plugins are loaded
        Registry.get(kind, component, **params)
        spec = {"type": component, "params": params}
        several = getattr(self._config.components, kind)
        if isinstance(several, list):  # guidances stack
            return self._with("components", {kind: [*(one.model_dump() for one in several), spec]})
        return self._with("components", {kind: spec})

    def data(self, **options: Any) -> ConfigBuilder:
        """Say where the data are and how they are cut; see `DataOptions`."""
        return self._with("data", options)

    def training(self, **options: Any) -> ConfigBuilder:
        """Say how to train; see `TrainingOptions`."""
        return self._with("training", options)

    def evaluation(self, **options: Any) -> ConfigBuilder:
        """Say how to judge."""
        return self._with("evaluation", options)

    def wandb(self, **options: Any) -> ConfigBuilder:
        """Log to Weights & Biases."""
        return self._with("wandb", {"enabled": True, **options})

    def plugins(self, *paths: str | Path) -> ConfigBuilder:
        """Name Python files with components of your own, before they are used."""
        tree = self._config.model_dump(mode="json")
        tree["plugins"] = [*tree["plugins"], *map(str, paths)]
        return self._made(tree, "plugins")

    def build(self) -> Config:
        """The config."""
        return self._config.model_copy(deep=True)

    def save(self, path: str | Path) -> Path:
        """Write the config as YAML, complete and ready for `undula run`; return the path."""
        write_text(Path(path), dump_yaml(self._config.model_dump(mode="json")))
        return Path(path)

    def _with(self, block: str, values: dict[str, Any]) -> ConfigBuilder:
        tree = self._config.model_dump(mode="json")
        return self._made({**tree, block: {**tree[block], **values}}, f"{block}(…)")

    def _made(self, tree: dict[str, Any], where: str) -> ConfigBuilder:
        made = object.__new__(type(self))
        made._config = validated(tree, where)
        return made
