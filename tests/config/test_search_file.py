"""Search files: what they may say, and what is said where they are wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from undula.config.search import Range, load_search, search_of
from undula.core.errors import ConfigError


def test_a_search_file(tmp_path: Path) -> None:
    path = tmp_path / "search.yaml"
    path.write_text(
        "parameters:\n"
        "  components.architecture.params.model_dim: {choice: [64, 128]}\n"
        "  training.learning_rate: {log_uniform: [1e-5, 1e-3]}\n"
        "metric: val_loss\ndirection: minimize\n"
    )
    search = load_search(path)
    assert search.parameters["training.learning_rate"] == Range("log_uniform", (1e-5, 1e-3))
    assert (search.num_trials, search.sampler, search.pruner) == (20, "tpe", "none")
    assert search_of(search.model_dump(mode="json"), "x") == search


def test_a_grid_has_as_many_trials_as_points() -> None:
    parameters = {"training.batch_size": {"int": [8, 12]}, "training.clip_norm": {"choice": [None, 1.0]}}
    assert search_of({"parameters": parameters, "sampler": "grid"}, "x").num_trials == 10
    assert search_of({"parameters": parameters, "sampler": "grid", "trials": 3}, "x").num_trials == 3
    assert search_of({"parameters": parameters, "sampler": "grid", "trials": 30}, "x").num_trials == 10


RATE = {"training.learning_rate": {"log_uniform": [1e-4, 1e-2]}}


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({}, "parameters: is missing"),
        ([], "expected keys such as `parameters:`"),
        ({"parameters": {}}, "name at least one key"),
        ({"parameters": {"a": {"choise": [1]}}}, r"parameters\.a: unknown range 'choise'; did you mean 'choice'\?"),
        ({"parameters": {"a": [1, 2]}}, "expected one of choice, uniform, log_uniform, int, log_int"),
        ({"parameters": {"a": {"choice": 3}}}, "choice takes a list"),
        ({"parameters": {"a": {"choice": [1, 2, 1]}}}, "the choices 1 and 1 are equal"),
        ({"parameters": {"a": {"uniform": [2, 1]}}}, "2 is not below 1"),
        ({"parameters": {"a": {"uniform": [1]}}}, r"takes \[lowest, highest\], two numbers"),
        ({"parameters": {"a": {"int": [1, 2.5]}}}, "two whole numbers"),
        ({"parameters": {"a": {"log_uniform": [0, 1]}}}, "needs positive numbers, and 0 is not: use uniform"),
        ({"parameters": RATE, "metric": "val_los"}, r"unknown metric; did you mean 'val_loss'\?"),
        ({"parameters": RATE, "smpler": "tpe"}, r"unknown key 'smpler'; did you mean 'sampler'\?"),
        ({"parameters": RATE, "sampler": "grid"}, "has infinitely many values"),
        ({"parameters": RATE, "pruner": "mean"}, "pruner = 'mean'"),
    ],
)  # fmt: skip
def test_mistakes_are_told(tree: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        search_of(tree, "search.yaml")


def test_a_missing_file() -> None:
    with pytest.raises(ConfigError, match=r"search file 'no\.yaml' does not exist"):
        load_search("no.yaml")
