"""A run from Python: the folder, the results, what is said when nothing is held out."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import yaml

from undula import DiffusionModel, ExperimentRunner
from undula.evaluation.names import chosen
from undula.evaluation.statistics import STATISTICS

from ..cli.command import TINY


def runner(folder: Path, *changes: str, quiet: bool = True) -> ExperimentRunner:
    path = folder / "tiny.yaml"
    path.write_text(TINY)
    return ExperimentRunner.from_config(path, ["training.num_epochs=1", *changes], out=folder, quiet=quiet)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory):
    found = runner(tmp_path_factory.mktemp("runs"), "evaluation.metrics=null").run()
    assert found is not None
    return found


def test_the_folder_is_complete(outcome) -> None:
    present = {str(p.relative_to(outcome.folder)) for p in outcome.folder.rglob("*") if p.is_file()}
    for name in (
        "config.yaml", "environment.json", "metrics.jsonl", "model/model.json", "model/model.safetensors",
        "samples.parquet", "results.json", "report.html", "plots/windows.png",
    ):  # fmt: skip
        assert name in present
    assert any(name.startswith("checkpoints/last") for name in present)
    assert any("tfevents" in name for name in present)
    assert not [name for name in present if name.endswith((".tmp", ".pkl", ".pt"))]


def test_every_figure_has_floors_and_baselines(outcome) -> None:
    results = json.loads((outcome.folder / "results.json").read_text())
    assert results["status"] == "finished"
    assert set(results["metrics"]) == set(chosen(None, 1))
    for name, figure in results["metrics"].items():
        assert {"value", "sd", "at_floor_size", "floor", "floors", "baselines", "protocol", "better"} <= set(
            figure
        )
        assert set(figure["baselines"]) == {"gaussian", "iid_bootstrap", "block_bootstrap"}
        if name in STATISTICS:
            assert {"generated", "held_out", "train", "low", "high"} <= set(figure["statistic"])
    assert results["timing"]["steps"] > 0


def test_the_config_in_the_folder_is_whole_and_runs_again(outcome, tmp_path: Path) -> None:
    text = (outcome.folder / "config.yaml").read_text()
    assert yaml.safe_load(text)["training"]["ema_decay"] == 0.999
    again = ExperimentRunner.from_config(outcome.folder / "config.yaml", out=tmp_path, quiet=True).run()
    assert again.results["metrics"]["std"]["value"] == outcome.results["metrics"]["std"]["value"]


def test_samples_are_those_of_the_model(outcome) -> None:
    table = pd.read_parquet(outcome.folder / "samples.parquet")
    model = DiffusionModel.load(outcome.folder)
    assert list(table.columns) == ["sample", "step", *model.columns_]
    assert table["sample"].nunique() == 120


def test_nothing_held_out_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = "data.split={train: 1.0, val: 0.0, test: 0.0}"
    outcome = runner(tmp_path, split, "training.sample_every=1", quiet=False).run()
    assert outcome.results["metrics"] == {}
    said = capsys.readouterr().err
    assert "nothing is held out" in said
    assert "training part in brackets" in said


def test_bits_per_dim_on_demand(tmp_path: Path) -> None:
    outcome = runner(tmp_path, "evaluation.bits_per_dim=true", "evaluation.metrics=[std]").run()
    assert set(outcome.results["metrics"]) == {"std", "bits_per_dim"}
    assert 0 < outcome.results["metrics"]["bits_per_dim"]["value"] < 20
