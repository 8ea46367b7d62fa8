"""YAML, presets, extends, overrides, messages, the JSON schema, starter configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from undula.config.json_schema import config_schema
from undula.config.loading import as_config, load_config, preset_names
from undula.config.starter import starter_config
from undula.config.yaml12 import dump_yaml, parse_yaml
from undula.core.errors import ConfigError, DataError, UnknownNameError
from undula.core.registry import Registry


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1E3", 1000.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("-.inf", float("-inf")),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("0x1F", 31),
        ("0o17", 15),
        ("017", 17),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("2020-01-01", "2020-01-01"),
        ("1.2.3", "1.2.3"),
        ("'1'", "1"),
        ("[1, a, 2.5]", [1, "a", 2.5]),
    ],
)
def test_yaml_1_2(text: str, value: Any) -> None:
    found = parse_yaml(text, "x")
    assert found == value
    assert type(found) is type(value)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def test_one_guidance_needs_no_list() -> None:
    for spec in ("cfg", {"type": "cfg"}, ["cfg"]):
        config = as_config({"components": {"guidance": spec}})
        assert [one.type for one in config.components.guidance] == ["cfg"]


@given(plain)
@example({"\x85": "a\r\u2028b"})
def test_what_is_dumped_is_read_back(value: Any) -> None:
    assert parse_yaml(dump_yaml(value), "x") == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: key 'a' is already given on line 1"),
        ("a: [1, 2", "x, line 1: not YAML|x, line 2: not YAML"),
        ("a: b: c", "x, line 1: not YAML"),
        ("\t- a", "not YAML"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_wrong_yaml_names_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_yaml(text, "x")


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", preset_names())
def test_presets_are_valid_and_complete(name: str) -> None:
    config = load_config(name)
    assert config.experiment.name == name
    assert config.experiment.description
    for kind, specs in config.component_specs().items():
        for spec in specs if isinstance(specs, list) else [specs]:
            if spec is not None:
                Registry.resolve(kind, spec)
    again = as_config(parse_yaml(dump_yaml(config.model_dump(mode="json")), "x"))
    assert again == config


def test_extends_merges_in_order(tmp_path: Path) -> None:
    write(tmp_path, "model.yaml", "components: {sampler: {type: ddim, params: {num_steps: 7}}}")
    write(tmp_path, "train.yaml", "training: {batch_size: 8, num_epochs: 3}")
    path = write(
        tmp_path,
        "a.yaml",
        "extends: [sp500, model.yaml, train.yaml]\ntraining: {num_epochs: 5}\nexperiment: {name: mine}",
    )
    config = load_config(path)
    assert config.experiment.name == "mine"
    assert config.data.dataset == "sp500"
    assert (config.training.batch_size, config.training.num_epochs) == (8, 5)
    assert config.components.sampler.params == {"num_steps": 7}


def test_a_component_of_another_type_inherits_no_parameters(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "extends: sp500\ncomponents: {architecture: {type: unet}}")
    assert load_config(path).components.architecture.params == {}
    path = write(tmp_path, "b.yaml", "extends: sp500\ncomponents: {architecture: mlp}")
    assert load_config(path).components.architecture.model_dump() == {"type": "mlp", "params": {}}
    path = write(tmp_path, "c.yaml", "extends: sp500\ncomponents: {architecture: {params: {num_layers: 7}}}")
    params = load_config(path).components.architecture.params
    assert params["num_layers"] == 7
    assert params["patch_size"] == 5


def test_circles_are_found(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "extends: b.yaml")
    write(tmp_path, "b.yaml", "extends: a.yaml")
    with pytest.raises(ConfigError, match="goes in a circle"):
        load_config(tmp_path / "a.yaml")


def test_overrides() -> None:
    config = load_config(
        "sp500",
        [
            "training.learning_rate=3e-4",
            "training.sample_every=null",
            "components.sampler=heun",
            "data.columns=[open, close]",
            "components.architecture.params.num_layers=2",
        ],
    )
    assert config.training.learning_rate == 3e-4
    assert config.training.sample_every is None
    assert config.components.sampler.model_dump() == {"type": "heun", "params": {}}
    assert config.data.columns == ["open", "close"]
    assert config.components.architecture.params["num_layers"] == 2
    for wrong in ("training.learning_rate", "=3"):
        with pytest.raises(ConfigError, match="expected KEY=VALUE"):
            load_config("sp500", [wrong])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("traning: {}", r"unknown key 'traning'; did you mean 'training'\?"),
        (
            "training: {learning_rat: 1}",
            r"unknown key 'training\.learning_rat'; did you mean 'learning_rate'\?",
        ),
        ("data: {roles: {tim: x}}", r"unknown key 'data\.roles\.tim'; did you mean 'time'\?"),
        ("data: {split: {trian: 1}}", r"unknown key 'data\.split\.trian'; did you mean 'train'\?"),
        (
            "training: {learning_rate: fast}",
            r"training\.learning_rate = 'fast': input should be a valid number",
        ),
        ("training: {batch_size: 0}", r"training\.batch_size = 0: input should be greater than 0"),
        ("training: {num_epochs: null}", "training would never end"),
        ("data: {split: {train: 0.5}}", "must add up to 1"),
        ("data: {missing: ignore}", r"data\.missing = 'ignore': input should be 'error', 'drop'"),
        ("evaluation: {metrics: [kurtossis]}", "unknown metric 'kurtossis'"),
        (
            "evaluation: {metrics: [domain]}",
            "the metrics are those of the field alone, and no domain is given",
        ),
        ("evaluation: {domain: weather}", "evaluation.domain"),
        ("experiment: {name: 'a/b'}", r"experiment\.name = 'a/b'"),
        ("components: {sde: {typ: x}}", r"unknown key 'components\.sde\.typ'; did you mean 'type'\?"),
        ("- a", "expected keys such as"),
    ],
)
def test_mistakes_are_one_sentence_each(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as error:
        load_config(write(tmp_path, "a.yaml", text))
    assert "a.yaml" in str(error.value)
    assert "pydantic" not in str(error.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "a.yaml", "traning: {}\ntraining: {batch_size: -1}\ndata: {stride: x}")
    with pytest.raises(ConfigError) as error:
        load_config(path)
    assert len(str(error.value).splitlines()) == 3


def test_missing_files_and_presets() -> None:
    with pytest.raises(ConfigError, match=r"config file 'nowhere\.yaml' does not exist"):
        load_config("nowhere.yaml")
    with pytest.raises(UnknownNameError, match=r"neither a file nor a preset; did you mean 'sp500'\?"):
        load_config("sp50")


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "configs"
    folder.mkdir()
    (folder / "my.csv").write_text("v\n1\n")
    (folder / "parts.py").write_text("")
    path = write(folder, "a.yaml", "data: {path: my.csv}\nplugins: [parts.py]")
    monkeypatch.chdir(tmp_path)
    config = load_config("configs/a.yaml")
    assert config.data.path == str(Path("configs/my.csv"))
    assert config.plugins == [str(Path("configs/parts.py"))]
    assert load_config(path).data.path == str(folder / "my.csv")


def test_plugins_are_loaded_with_the_components(tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text(
        "from undula.components.sde.rectified import RectifiedSDE\nfrom undula import register\n"
        "@register('sde', 'from_config_for_test')\nclass Mine(RectifiedSDE):\n    '''Mine.'''\n"
    )
    path = write(tmp_path, "a.yaml", "plugins: [parts.py]\ncomponents: {sde: from_config_for_test}")
    config = load_config(path)
    assert "from_config_for_test" not in Registry.list("sde")
    config.component_specs()
    assert "from_config_for_test" in Registry.list("sde")


def test_the_schema_knows_every_component() -> None:
    schema = config_schema()
    sampler = schema["$defs"]["Components"]["properties"]["sampler"]["anyOf"]
    assert sampler[0]["enum"] == Registry.list("sampler")
    (ddim,) = [s for s in sampler[1:] if s["properties"]["type"]["const"] == "ddim"]
    eta = ddim["properties"]["params"]["properties"]["eta"]
    assert (eta["minimum"], eta["maximum"], eta["default"]) == (0, 1, 0.0)
    assert "drawn anew" in eta["description"]

    def fields(node: Any, path: str = "") -> None:
        if isinstance(node, dict):
            for name, field in node.get("properties", {}).items():
                described = "description" in field or "$ref" in field or "const" in field or name == "params"
                assert described, f"{path}.{name} has no description"
            for name, inner in node.items():
                fields(inner, f"{path}.{name}")
        elif isinstance(node, list):
            for inner in node:
                fields(inner, path)

    fields(schema)


# -- starter configs -------------------------------------------------------------------------------


def test_a_starter_config_fits_its_file(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "when": pd.date_range("2020-01-01", periods=900).astype(str)[::-1],
            "my value": rng.normal(size=900),
            "other": rng.normal(size=900),
        }
    )
    table.loc[5, "other"] = np.nan
    path = tmp_path / "my data.csv"
    table.to_csv(path, index=False)
    text, notes = starter_config(path)
    config = load_config(write(tmp_path, "a.yaml", text))
    assert config.experiment.name == "my_data"
    assert config.data.roles.time == "when"
    assert config.data.columns == ["my value", "other"]
    assert config.data.missing == "interpolate"
    assert "(the file has missing values)" in text
    assert config.data.path == str(path)
    assert any("newest first" in note for note in notes)
    assert text.count("#") > 8


def test_a_starter_config_for_windows(tmp_path: Path) -> None:
    np.save(tmp_path / "w.npy", np.random.default_rng(0).normal(size=(200, 17, 2)))
    config = load_config(write(tmp_path, "a.yaml", starter_config(tmp_path / "w.npy")[0]))
    assert config.data.predict_len == 17
    assert config.components.architecture.params["patch_size"] == 1


def test_a_starter_config_of_a_short_file_has_short_windows(tmp_path: Path) -> None:
    pd.DataFrame({"v": np.random.default_rng(0).normal(size=260)}).to_csv(tmp_path / "s.csv", index=False)
    text, _ = starter_config(tmp_path / "s.csv")
    assert load_config(write(tmp_path, "a.yaml", text)).data.predict_len == 10
    pd.DataFrame({"v": np.arange(20.0)}).to_csv(tmp_path / "s.csv", index=False)
    with pytest.raises(DataError, match="has no window"):
        starter_config(tmp_path / "s.csv")
