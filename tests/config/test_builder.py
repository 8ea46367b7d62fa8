"""Configs built in Python: the same values, the same messages, and no builder changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from undula import Config, ConfigBuilder
from undula.config.loading import load_config, validated
from undula.core.errors import ConfigError, DataError, UndulaError
from undula.experiments.runner import ExperimentRunner

from ..cli.command import TINY


def test_a_builder_makes_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    built = (
        ConfigBuilder("tiny", description="A test", seed=3)
        .component("architecture", "transformer", model_dim=16, num_heads=2, num_layers=1, patch_size=4)
        .component("sde", "rectified")
        .component("objective", "flow_matching")
        .component("sampler", "ddim", num_steps=4)
        .data(dataset="ar1", predict_len=16, stride=8)
        .training(batch_size=256, num_epochs=4, log_every=3, validate_every=5, sample_every=2, threads=1)
        .evaluation(
            num_samples=120,
            bootstrap=20,
            metrics=["wasserstein", "ks", "std", "kurtosis", "quantile_1%", "acf", "acf_abs", "copying"],
            baselines=["gaussian", "iid_bootstrap", "block_bootstrap"],
        )
    )
    assert built.build() == load_config(tmp_path / "tiny.yaml")
    assert load_config(built.save(tmp_path / "saved.yaml")) == built.build()


def test_a_builder_is_not_changed_by_its_methods() -> None:
    first = ConfigBuilder("a").training(num_epochs=3)
    second, third = first.training(batch_size=7), first.component("sampler", "euler")
    assert first.build().training.batch_size == Config().training.batch_size
    assert (second.build().training.num_epochs, second.build().training.batch_size) == (3, 7)
    assert (
        first.build().components.sampler.type == "heun" and third.build().components.sampler.type == "euler"
    )
    first.build().training.num_epochs = 99
    assert first.build().training.num_epochs == 3


def test_a_builder_may_begin_with_a_preset() -> None:
    built = ConfigBuilder("mine", base="sp500").component("sampler", "ddim").build()
    preset = load_config("sp500")
    assert built.experiment.name == "mine" and built.experiment.description == preset.experiment.description
    assert built.data == preset.data and built.components.sampler.params == {}


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (lambda b: b.component("sampler", "hein"), r"unknown sampler 'hein'; did you mean 'heun'\?"),
        (lambda b: b.component("samplr", "heun"), r"unknown kind of component 'samplr'; did you mean 'sampler'\?"),
        (lambda b: b.component("sampler", "heun", num_step=3), r"no parameter 'num_step'; did you mean"),
        (lambda b: b.training(learning_rat=1), r"unknown key 'training\.learning_rat'; did you mean"),
        (lambda b: b.training(batch_size=0), r"training\.batch_size = 0: input should be greater than 0"),
        (lambda b: b.data(split={"train": 0.5}), "must add up to 1"),
        (lambda b: b.evaluation(metrics=["kurtossis"]), "unknown metric 'kurtossis'"),
        (lambda b: b.wandb(mode="of"), r"wandb\.mode = 'of'"),
    ],
)  # fmt: skip
def test_each_step_is_checked(step, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        step(ConfigBuilder("a"))


def test_a_bad_name_is_told() -> None:
    with pytest.raises(ConfigError, match=r"experiment\.name = 'a/b'"):
        ConfigBuilder("a/b")


def test_what_only_the_whole_shows_is_told_by_the_run() -> None:
    config = ConfigBuilder("a").component("sde", "rectified").component("objective", "score_matching").build()
    with pytest.raises(UndulaError, match="use v, x0, velocity or edm"):
        ExperimentRunner(config).prepare()
    with pytest.raises(DataError, match="no data"):
        ExperimentRunner(ConfigBuilder("a").build()).prepare()


def test_plugins_come_first(tmp_path: Path) -> None:
    plugin = tmp_path / "mine.py"
    plugin.write_text(
        "from undula import register\n"
        "from undula.components.sde.cosine import CosineSDE\n"
        '@register("sde", "my_path_of_builder")\n'
        'class Mine(CosineSDE):\n    """Mine."""\n'
    )
    config = ConfigBuilder("a").plugins(plugin).component("sde", "my_path_of_builder").build()
    assert config.plugins == [str(plugin)]
    assert validated(config.model_dump(mode="json"), "x") == config
