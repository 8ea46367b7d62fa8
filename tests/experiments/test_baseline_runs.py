"""Baselines as runs of their own, beside figures, and in comparisons."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula import DiffusionModel, ExperimentRunner
from undula.config.loading import as_config, load_config
from undula.core.baseline import BaseBaseline
from undula.core.errors import ConfigError, DataError, RunError
from undula.core.registry import Registry
from undula.core.signature import spec_in_words
from undula.evaluation.comparing import compare_results
from undula.experiments import comparison as comparisons
from undula.experiments.candidates import differences, identity, read_candidates
from undula.experiments.comparison import Comparison
from undula.experiments.parallel import JobOutcome
from undula.experiments.validation import validate_config
from undula.report.comparison_words import caveats

from ..cli.command import TINY

SHORT = [
    "training.num_epochs=1", "training.sample_every=null", "evaluation.metrics=[wasserstein, std, acf]",
    "evaluation.baselines=[gaussian]",
]  # fmt: skip
GARCH = ["experiment.type=baseline", "experiment.params.baseline=garch"]


@pytest.fixture
def tiny(tmp_path: Path) -> str:
    (tmp_path / "tiny.yaml").write_text(TINY)
    return str(tmp_path / "tiny.yaml")


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Jobs run in this process; the names of those that were."""
    names: list[str] = []

    def run(jobs, budget, display):
        for job in jobs:
            names.append(job.name)
            folder = Path(job.command[-1])
            ExperimentRunner(load_config(folder / "config.yaml"), quiet=True).run(resume=folder)
        return [JobOutcome(job, 0, None, None) for job in jobs]

    monkeypatch.setattr(comparisons, "run_jobs", run)
    return names


@pytest.fixture
def slow_one():
    """A baseline that says it is slow, and remembers with which seeds it was fitted."""
    seeds = []

    @Registry.register("baseline", "slow_for_test")
    class Slow(BaseBaseline):
        """Rows of zeros and ones."""

        slow = True

        def fit(self, series, length, seed=0, on_progress=None):
            seeds.append(seed)
            self._shape = (length, series[0].shape[1])
            return self

        def sample(self, n, seed=0):
            return np.random.default_rng(seed).integers(0, 2, (n, *self._shape)).astype(float)

    yield seeds
    del Registry._classes["baseline", "slow_for_test"]


def test_a_run_of_a_baseline_is_a_run(tiny: str, tmp_path: Path) -> None:
    result = ExperimentRunner.from_config(tiny, [*SHORT, *GARCH], out=tmp_path, quiet=True).run()
    files = {p.name for p in result.folder.iterdir()}
    assert {
        "config.yaml",
        "environment.json",
        "samples.parquet",
        "results.json",
        "report.html",
        "plots",
    } <= files
    assert not {"model", "checkpoints"} & files
    found = result.results
    assert found["status"] == "finished" and set(found["metrics"]) == {"wasserstein", "std", "acf"}
    assert found["timing"]["steps"] is None and found["timing"]["train_s"] > 0
    assert any(note.startswith("garch: column 1: α") for note in found["data"]["notes"])
    page = (result.folder / "report.html").read_text()
    assert "A baseline was fitted on the first part" in page and "<h2>Training</h2>" not in page

    again = ExperimentRunner(load_config(result.folder / "config.yaml"), quiet=True).run(resume=result.folder)
    assert again.results["metrics"] == found["metrics"], "a fit is a function of config and seed"
    with pytest.raises(RunError, match="is the run of a baseline, which leaves samples and no model"):
        DiffusionModel.load(result.folder)


def test_a_baseline_is_judged_as_models_are(tiny: str, tmp_path: Path) -> None:
    """Its figures are those of its samples under the judge of `undula run`, with the floors of any run."""
    changes = [
        *SHORT,
        "experiment.type=baseline",
        "experiment.params.baseline={type: var, params: {order: 1}}",
    ]
    baseline = ExperimentRunner.from_config(tiny, changes, out=tmp_path, quiet=True).run()
    model = ExperimentRunner.from_config(tiny, SHORT, out=tmp_path, quiet=True).run()
    for name, figure in baseline.results["metrics"].items():
        other = model.results["metrics"][name]
        assert figure["floors"] == other["floors"] and figure["baselines"] == other["baselines"]
        assert figure["protocol"] == other["protocol"]
    assert baseline.results["metrics"]["acf"]["value"] < 0.1, "a VAR has the autocorrelation of an AR(1)"
    table = pd.read_parquet(baseline.folder / "samples.parquet")
    assert len(table) == 120 * 16 and list(table.columns) == ["sample", "step", "value"]


def test_what_stands_beside_figures_is_chosen(tiny: str, tmp_path: Path) -> None:
    chosen = "evaluation.baselines=[iid_bootstrap, {type: block_bootstrap, params: {block_length: 3}}]"
    result = ExperimentRunner.from_config(tiny, [*SHORT, *GARCH, chosen], out=tmp_path, quiet=True).run()
    names = ["iid_bootstrap", "block_bootstrap block_length=3"]
    assert list(result.results["metrics"]["std"]["baselines"]) == names == result.baselines
    none = ExperimentRunner.from_config(
        tiny, [*SHORT, *GARCH, "evaluation.baselines=[]"], out=tmp_path, quiet=True
    ).run()
    assert none.results["metrics"]["std"]["baselines"] == {}
    assert "times the larger floor." in (none.folder / "report.html").read_text()
    assert list(as_config({}).baselines()) == [
        "gaussian",
        "gaussian_mixture",
        "iid_bootstrap",
        "block_bootstrap",
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["evaluation.baselines=[gausian]"], "unknown baseline 'gausian'; did you mean 'gaussian'"),
        (["evaluation.baselines=[gaussian, gaussian]"], "'gaussian' is there twice"),
        ([*GARCH[:1]], "needs the parameter 'baseline'"),
        ([*GARCH[:1], "experiment.params.baseline=gach"], "unknown baseline 'gach'; did you mean 'garch'"),
    ],
)
def test_mistakes_are_told_before_anything_is_fitted(
    tiny: str, tmp_path: Path, changes: list[str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        ExperimentRunner.from_config(tiny, changes, out=tmp_path / "runs").run()
    assert not (tmp_path / "runs").exists()
    assert any(message.split("'")[1] in problem for problem in validate_config(tiny, changes).problems)


def test_a_baseline_that_cannot_be_fitted_leaves_no_folder(tiny: str, tmp_path: Path) -> None:
    changes = [
        *SHORT,
        "experiment.type=baseline",
        "experiment.params.baseline={type: var, params: {order: 50000}}",
    ]
    with pytest.raises(DataError, match="var needs a training stretch of"):
        ExperimentRunner.from_config(tiny, changes, out=tmp_path / "runs", quiet=True).run()
    assert not list((tmp_path / "runs" / "tiny").iterdir())


def test_a_config_of_a_baseline_is_validated_without_a_network(tiny: str) -> None:
    report = validate_config(tiny, GARCH)
    assert report.ok and report.costs is None and report.notes


def test_only_the_baseline_and_the_data_make_its_identity(tiny: str) -> None:
    def of(*changes: str) -> str:
        return identity(load_config(tiny, [*GARCH, *changes]))

    assert of() == of("training.num_epochs=9", "components.architecture=mlp")
    assert of() == of("experiment.params.baseline={type: garch, params: {leverage: false}}")
    assert of() != of("experiment.params.baseline={type: garch, params: {leverage: true}}")
    assert of() != of("data.predict_len=8")


def test_comparisons_take_baselines(
    tiny: str, tmp_path: Path, in_process: list[str], slow_one: list[int]
) -> None:
    specs = [{"type": "block_bootstrap", "params": {"block_length": 4}}, "slow_for_test"]
    block = "block_bootstrap block_length=4"
    candidates = read_candidates([tiny], SHORT, baselines=specs)
    assert [c.label for c in candidates] == ["tiny", block, "slow_for_test"]
    shown = differences(candidates)
    assert not [key for key in shown if key.startswith(("components", "training"))]
    assert shown["experiment.type"] == {"tiny": "standard", block: "baseline", "slow_for_test": "baseline"}
    comparison = Comparison.create(candidates, seeds=2, out=tmp_path)
    runs = [(e.label, e.seed) for e in comparison.entries]
    assert runs.count(("slow_for_test", 3)) == 1 and ("slow_for_test", 4) not in runs and len(runs) == 5
    comparison.raise_troubles(comparison.train(quiet=True))
    assert len(in_process) == 5 and slow_one == [3]
    compared = comparison.compare()
    assert compared.labels == [c.label for c in candidates]
    std = compared.figures[1]
    assert set(std.values[block]) == {3, 4} and std.values[block][3] != std.values[block][4]
    assert set(std.values["slow_for_test"]) == {3}
    assert caveats(compared)[0].startswith("slow_for_test has one seed: differences from it have no interval")
    rows = pd.read_csv(comparison.folder.path / "runs.csv")
    assert rows["parameters"].notna().sum() == 2 and (rows["status"] == "finished").all()
    page = (comparison.folder.path / "report.html").read_text()
    assert block in page
    assert Comparison(comparison.folder.path).left() == []
    results = {
        (e.label, e.seed): json.loads((e.folder.path / "results.json").read_text())
        for e in comparison.entries
    }
    assert compare_results(results, compared.labels) == compared


def test_how_often_baselines_are_fitted(tiny: str, slow_one: list[int]) -> None:
    both = ["slow_for_test", "gaussian"]
    assert [c.most_seeds for c in read_candidates([tiny], baselines=both)] == [None, 1, None]
    assert [c.most_seeds for c in read_candidates([tiny], baselines=both, baseline_seeds=2)] == [None, 2, 2]
    with pytest.raises(ConfigError, match=r"baseline gaussian .* are the same config"):
        read_candidates([tiny], baselines=["gaussian", "gaussian"])
    with pytest.raises(ConfigError, match="or --baselines A,B"):
        read_candidates([tiny])


def test_specs_in_words() -> None:
    assert spec_in_words("garch") == "garch"
    assert (
        spec_in_words({"type": "garch", "params": {"lags": 1, "leverage": True}})
        == "garch lags=1 leverage=true"
    )
