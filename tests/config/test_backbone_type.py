"""`backbone_type` is another word for an architecture's `type`."""

from __future__ import annotations

from pathlib import Path

import pytest

from undula import DiffusionModel
from undula.config.loading import as_config, load_config
from undula.core.errors import ConfigError
from undula.core.registry import Registry

SPEC = {"backbone_type": "gru", "params": {"model_dim": 16}}


def test_a_config_takes_it() -> None:
    config = as_config({"components": {"architecture": SPEC}})
    assert config.components.architecture.model_dump() == {"type": "gru", "params": {"model_dim": 16}}


def test_a_model_and_an_ensembles_member_take_it() -> None:
    network = DiffusionModel(architecture=SPEC).compose().architecture
    assert Registry.name(network) == "gru"
    ensemble = Registry.get("architecture", "ensemble", models=[SPEC, "cnn"])
    assert [Registry.name(model) for model in ensemble.models] == ["gru", "cnn"]  # type: ignore[attr-defined]


def test_the_same_name_twice_is_fine_and_another_is_refused() -> None:
    both = {"type": "gru", **SPEC}
    assert as_config({"components": {"architecture": both}}).components.architecture.type == "gru"
    both["type"] = "lstm"
    message = "type = 'lstm' and backbone_type = 'gru' are two names for one thing"
    with pytest.raises(ConfigError, match=message):
        as_config({"components": {"architecture": both}})
    with pytest.raises(ConfigError, match=message):
        Registry.resolve("architecture", both)


def test_it_is_the_architectures_alone() -> None:
    with pytest.raises(ConfigError, match="backbone_type"):
        as_config({"components": {"sde": {"backbone_type": "vpsde"}}})
    with pytest.raises(ConfigError, match="is not a component"):
        Registry.resolve("sde", {"backbone_type": "vpsde"})


def test_it_overrides_and_is_overridden_as_type_is(tmp_path: Path) -> None:
    """A network of another name does not inherit parameters, whichever word it was named by."""
    base = tmp_path / "base.yaml"
    base.write_text("components: {architecture: {type: transformer, params: {num_layers: 2}}}\n")
    over = tmp_path / "over.yaml"
    over.write_text("extends: base.yaml\ncomponents: {architecture: {backbone_type: gru}}\n")
    found = load_config(over).components.architecture
    assert (found.type, found.params) == ("gru", {})
    found = load_config(over, ["components.architecture.backbone_type=lstm"]).components.architecture
    assert (found.type, found.params) == ("lstm", {})
    found = load_config(base, ["components.architecture.backbone_type=transformer"]).components.architecture
    assert (found.type, found.params) == ("transformer", {"num_layers": 2})
