"""Experiments of one's own: each method that is overridden acts, and the rest stays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance

from undula import BaseExperiment, ExperimentRunner, Registry, register
from undula.core.errors import ConfigError, UnknownNameError
from undula.model import DiffusionModel, FitHooks
from undula.testing import check_component

from ..cli.command import TINY

SHORT = ["training.num_epochs=1", "training.sample_every=null", "evaluation.metrics=[wasserstein, std]"]


@pytest.fixture
def own() -> Iterator[None]:
    """An experiment of each kind, gone afterwards."""

    @register("experiment", "scaled_for_test")
    class Scaled(BaseExperiment):
        """Losses times a factor.

        Args:
            factor: of the losses.
        """

        def __init__(self, factor: float = 1.0) -> None:
            self.factor = factor

        def train_step(self, loss, batch, step, position, size):
            return self.factor * loss.losses(batch, step, position, size)

    @register("experiment", "range_for_test")
    class Range(BaseExperiment):
        """Also judges the windows' ranges."""

        def evaluate(self, model, prepared, config, on_progress=None):
            found = super().evaluate(model, prepared, config, on_progress)
            spans = lambda a, b: wasserstein_distance(np.ptp(a, axis=1).ravel(), np.ptp(b, axis=1).ravel())  # noqa: E731
            return replace(
                found.with_distance("range", spans),
                extra={"answer": {"value": 42.0, "better": "higher", "protocol": "known"}},
            )

    @register("experiment", "fewer_for_test")
    class Fewer(BaseExperiment):
        """Trains on the data's first half."""

        def setup(self, config):
            data = config.data.model_copy(
                update={"split": config.data.split.model_copy(update={"train": 0.4, "test": 0.5})}
            )
            return super().setup(config.model_copy(update={"data": data}))

    yield
    for key in [k for k in Registry._classes if k[1].endswith("_for_test")]:
        del Registry._classes[key]


def run(folder: Path, *changes: str):
    (folder / "tiny.yaml").write_text(TINY)
    runner = ExperimentRunner.from_config(folder / "tiny.yaml", [*SHORT, *changes], out=folder, quiet=True)
    return runner.run()


def curve(result) -> list[float]:
    lines = [json.loads(line) for line in (result.folder / "metrics.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if "loss" in line]


def test_a_step_of_ones_own_is_what_is_trained(own, tmp_path: Path) -> None:
    """A factor of 1 changes nothing; a factor of 4 is seen in the log, and survives a resumed run's config."""
    settings = ["experiment.type=scaled_for_test", "experiment.params.factor=4"]
    plain, same = run(tmp_path), run(tmp_path, settings[0])
    assert curve(plain) == curve(same) and plain.results["metrics"] == same.results["metrics"]
    scaled = run(tmp_path, *settings)
    assert curve(scaled)[0] == pytest.approx(4 * curve(plain)[0], rel=0.05)
    assert "type: scaled_for_test" in (scaled.folder / "config.yaml").read_text()


def test_figures_of_ones_own_have_floors_and_baselines(own, tmp_path: Path) -> None:
    result = run(tmp_path, "experiment.type=range_for_test")
    assert list(result.results["metrics"]) == ["wasserstein", "std", "range", "answer"]
    figure = result.results["metrics"]["range"]
    assert set(figure["baselines"]) == {"gaussian", "iid_bootstrap", "block_bootstrap"}
    assert figure["floor"] == max(figure["floors"].values())
    assert result.results["metrics"]["answer"]["value"] == 42.0
    assert ">range<" in (result.folder / "report.html").read_text()

    import pandas as pd

    samples = pd.read_parquet(result.folder / "samples.parquet")
    spans = samples.groupby("sample")["value"].agg(np.ptp).to_numpy()
    _, prepared = ExperimentRunner.from_config(result.folder / "config.yaml").prepare()
    real = np.ptp(prepared.parts.test.futures(np.arange(len(prepared.parts.test))), axis=1).ravel()
    assert figure["value"] == pytest.approx(wasserstein_distance(spans, real), rel=1e-6)


def test_a_figures_name_is_taken_once(own, tmp_path: Path) -> None:
    @register("experiment", "taken_for_test")
    class Taken(BaseExperiment):
        """Judges the standard deviation again."""

        def evaluate(self, *arguments):
            return super().evaluate(*arguments).with_distance("std", lambda a, b: 0.0)

    with pytest.raises(ConfigError, match="there is a figure 'std' already"):
        run(tmp_path, "experiment.type=taken_for_test")


def test_a_setup_of_ones_own_is_used(own, tmp_path: Path) -> None:
    windows = [
        run(tmp_path, f"experiment.type={t}").results["data"]["windows"]["train"]
        for t in ("standard", "fewer_for_test")
    ]
    assert windows[1] == pytest.approx(windows[0] / 2, rel=0.05)


def test_own_experiments_obey_the_laws(own) -> None:
    check_component(Registry.get("experiment", "scaled_for_test", factor=2.0))
    check_component(Registry.get("experiment", "range_for_test"))


def test_the_laws_notice_a_step_that_looks_at_its_neighbours(own) -> None:
    class Centred(BaseExperiment):
        """Losses minus something random."""

        def train_step(self, loss, batch, step, position, size):
            losses = loss.losses(batch, step, position, size)
            return losses + torch.rand(len(losses))

    register("experiment", "random_for_test")(Centred)
    with pytest.raises(AssertionError, match="costs something else when asked again"):
        check_component(Registry.get("experiment", "random_for_test"))


def test_losses_of_a_wrong_shape_are_refused() -> None:
    model = DiffusionModel(
        architecture="mlp", data={"predict_len": 8}, training={"max_steps": 1, "threads": 1}
    )
    hooks = FitHooks(train_step=lambda loss, *rest: loss.losses(*rest).mean())
    with pytest.raises(
        ConfigError, match=r"losses of shape \(\): give one for each member of the batch, \(128,\)"
    ):
        model.fit(np.random.default_rng(0).normal(size=(600, 8, 1)), hooks)


def test_unknown_types_are_explained(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown experiment 'standart'; did you mean 'standard'\?"):
        run(tmp_path, "experiment.type=standart")
    with pytest.raises(ConfigError, match="no parameter 'factor'"):
        run(tmp_path, "experiment.params.factor=2")


def test_another_type_keeps_name_and_seed(tmp_path: Path) -> None:
    """Only parameters belong to a type."""
    from undula.config.loading import load_config

    (tmp_path / "base.yaml").write_text(TINY.replace("seed: 3", "seed: 3, type: a, params: {x: 1}"))
    (tmp_path / "own.yaml").write_text("extends: base.yaml\nexperiment: {type: b}\n")
    found = load_config(tmp_path / "own.yaml").experiment
    assert (found.name, found.seed, found.type, found.params) == ("tiny", 3, "b", {})
