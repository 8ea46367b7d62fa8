"""Comparisons: what is compared, what is trained, what is reused, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from undula import ExperimentRunner
from undula.config.loading import load_config
from undula.core.errors import ConfigError, RunError, TrainingError
from undula.experiments import comparison as comparisons
from undula.experiments.candidates import Candidate, differences, identity, read_candidates, seeds_of
from undula.experiments.comparison import Comparison
from undula.experiments.parallel import JobOutcome

from ..cli.command import TINY

SHORT = ["training.num_epochs=1", "training.sample_every=null", "evaluation.metrics=[wasserstein, std, acf]"]
NARROW = "components.architecture.params.model_dim=8"


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Finished runs of two configs, one of them with two seeds."""
    folder = tmp_path_factory.mktemp("runs")
    (folder / "tiny.yaml").write_text(TINY)
    found = {}
    for name, changes in {"wide3": [], "wide4": ["experiment.seed=4"], "narrow3": [NARROW]}.items():
        runner = ExperimentRunner.from_config(
            folder / "tiny.yaml", [*SHORT, *changes], out=folder, quiet=True
        )
        found[name] = runner.run().folder
    return found


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
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
def tiny(tmp_path: Path) -> str:
    (tmp_path / "tiny.yaml").write_text(TINY)
    return str(tmp_path / "tiny.yaml")


def labels(candidates: list[Candidate]) -> list[str]:
    return [candidate.label for candidate in candidates]


# -- what is compared ------------------------------------------------------------------------------


def test_values_of_a_key_become_configs(tiny: str) -> None:
    found = read_candidates(
        [tiny], SHORT, ["components.architecture=[transformer, mlp]", "training.learning_rate=[1e-3, 1e-4]"]
    )
    assert labels(found) == ["transformer 0.001", "transformer 0.0001", "mlp 0.001", "mlp 0.0001"]
    assert found[0].config.components.architecture.params["model_dim"] == 16, (
        "the same type keeps its parameters"
    )
    assert found[2].config.components.architecture.params == {}
    assert [c.config.training.learning_rate for c in found] == [1e-3, 1e-4] * 2
    specs = read_candidates([tiny], [], ["components.sde=[vpsde, {type: vpsde, params: {beta_max: 10}}]"])
    assert labels(specs) == ["vpsde", "vpsde beta_max=10"]


def test_labels_differ(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "tiny.yaml").write_text(TINY.replace("model_dim: 16", "model_dim: 8"))
    assert labels(read_candidates([tiny, str(tmp_path / "b" / "tiny.yaml")])) == ["tiny", "tiny (2)"]


def test_runs_of_one_config_are_joined(runs: dict[str, Path]) -> None:
    wide, narrow = read_candidates([str(runs["wide3"]), str(runs["narrow3"]), str(runs["wide4"])])
    assert set(wide.runs) == {3, 4} and set(narrow.runs) == {3}
    assert seeds_of([wide, narrow], None, None) == [3, 4]
    assert seeds_of([wide, narrow], 3, None) == [3, 4, 5]
    assert seeds_of([wide, narrow], 5, 1) == [1, 2, 3, 4, 5]
    with pytest.raises(ConfigError, match=r"has seed 4, and the seeds compared are 3: set --seeds"):
        seeds_of([wide, narrow], 1, None)


def test_seeds_are_three_unless_said(tiny: str) -> None:
    found = read_candidates([tiny], [], ["training.learning_rate=[1e-3, 1e-4]"])
    assert seeds_of(found, None, None) == [3, 4, 5]
    assert seeds_of(found, 1, 7) == [7]


def test_identity_is_what_matters(tiny: str) -> None:
    def of(*changes: str, seed: int | None = None) -> str:
        return identity(load_config(tiny, changes), seed)

    assert of() == of("training.threads=3", "experiment.name=other", "experiment.seed=9")
    assert of() == of("components.architecture.params.num_layers=1", "components.sde={type: rectified}")
    assert of() == of("data.dataset={type: ar1}")
    assert of() != of("training.learning_rate=1e-4")
    assert of(seed=1) != of(seed=2)


def test_only_keys_that_differ_are_shown(tiny: str) -> None:
    found = read_candidates([tiny], [], ["components.architecture=[transformer, mlp]"])
    table = differences(found)
    assert table["components.architecture.type"] == {"transformer": "transformer", "mlp": "mlp"}
    assert table["components.architecture.params.patch_size"] == {"transformer": 4}, "written, of one alone"
    assert "components.architecture.params.dropout" not in table, "the same default"
    assert "components.architecture.params.embedding_dim" not in table, "nobody wrote it"
    assert not [key for key in table if not key.startswith("components.architecture")]


@pytest.mark.parametrize(
    ("items", "changes", "vary", "message"),
    [
        (["tiny"], [], [], "one config cannot be compared"),
        (["tiny", "tiny"], [], [], r"tiny.yaml \(tiny\) and .*tiny.yaml \(tiny\) are the same config"),
        (["tiny", "long"], [], [], r"data.predict_len is 16 in .*tiny.yaml and 24 in .*long.yaml"),
        (["tiny", "long"], [], [], r"give them the same, for example with --set"),
        (["tiny", "judged"], [], [], r"evaluation.num_samples is 120 in .*tiny.yaml and 200 in"),
        (["tiny"], [], ["training.learning_rate=1e-3"], r"--vary 'training.learning_rate=1e-3': expected KEY=\[A, B\]"),
        (["tiny"], [], ["training.lr=[1, 2]"], r"unknown key 'training.lr'"),
        (["tiny", "nothing_like_it"], [], [], "neither a file nor a preset"),
        (["wide3", "tiny"], ["training.num_epochs=7"], [], "is a run, and --set and --vary would make it another"),
        (["wide3", "wide3", "narrow3"], [], [], "are runs of the same config with the same seed 3"),
    ],
)  # fmt: skip
def test_mistakes_are_explained(
    items: list[str],
    changes: list[str],
    vary: list[str],
    message: str,
    tiny: str,
    tmp_path: Path,
    runs: dict[str, Path],
) -> None:
    (tmp_path / "long.yaml").write_text(TINY.replace("predict_len: 16", "predict_len: 24"))
    (tmp_path / "judged.yaml").write_text(TINY.replace("num_samples: 120", "num_samples: 200"))
    files = {
        "tiny": tiny,
        **{n: str(tmp_path / f"{n}.yaml") for n in ("long", "judged")},
        **{k: str(v) for k, v in runs.items()},
    }
    with pytest.raises(ConfigError, match=message):
        read_candidates([files.get(item, item) for item in items], changes, vary)


def test_all_differences_of_the_data_are_named(tiny: str, tmp_path: Path) -> None:
    changed = TINY.replace("predict_len: 16", "predict_len: 24, split: {train: 0.7, val: 0.1, test: 0.2}")
    (tmp_path / "other.yaml").write_text(changed)
    with pytest.raises(ConfigError) as error:
        read_candidates([tiny, str(tmp_path / "other.yaml")])
    for key in ("data.predict_len", "data.split.train", "data.split.test"):
        assert key in str(error.value)


# -- what is trained -------------------------------------------------------------------------------


def test_what_is_missing_is_trained_and_runs_are_reused(
    runs: dict[str, Path], trained: list[str], tmp_path: Path
) -> None:
    before = {name: (run / "results.json").stat().st_mtime_ns for name, run in runs.items()}
    candidates = read_candidates([str(run) for run in runs.values()])
    comparison = Comparison.create(candidates, out=tmp_path)
    assert [entry.name for entry in comparison.left()] == ["tiny (2), seed 4"]
    comparison.raise_troubles(comparison.train(quiet=True))
    assert trained == ["tiny (2), seed 4"]
    assert {name: (run / "results.json").stat().st_mtime_ns for name, run in runs.items()} == before

    compared = comparison.compare()
    assert (compared.labels, compared.seeds) == (["tiny", "tiny (2)"], [3, 4])
    of_run = json.loads((runs["wide4"] / "results.json").read_text())["metrics"]
    assert compared.figures[0].values["tiny"][4] == of_run["wasserstein"]["value"]
    new = load_config(comparison.folder.path / "runs" / "tiny-2-seed4" / "config.yaml")
    assert (new.experiment.seed, new.components.architecture.params["model_dim"]) == (4, 8)

    again = Comparison(comparison.folder.path)
    assert again.train(quiet=True) == [] and len(trained) == 1
    assert again.compare() == compared


def test_the_folder_tells_everything(runs: dict[str, Path], tmp_path: Path) -> None:
    candidates = read_candidates([str(runs["wide3"]), str(runs["narrow3"])])
    comparison = Comparison.create(candidates, name="narrower", out=tmp_path)
    comparison.train(quiet=True)
    compared = comparison.compare()
    folder = comparison.folder.path
    assert folder.parent == tmp_path / "narrower"
    figures = pd.read_csv(folder / "comparison.csv")
    assert list(figures["figure"].unique()) == ["wasserstein", "std", "acf"]
    assert set(figures["config"]) == {"tiny", "tiny (2)"}
    assert {"mean", "sd", "floor", "baseline_block_bootstrap", "seed_3", "held_out_low"} <= set(
        figures.columns
    )
    pairs = pd.read_csv(folder / "differences.csv")
    assert len(pairs) == 3 and pairs["low"].isna().all()
    facts = pd.read_csv(folder / "runs.csv")
    assert facts["parameters"].nunique() == 2 and (facts["steps"] == 8).all()
    found = json.loads((folder / "comparison.json").read_text())
    assert found["differences"] == {"components.architecture.params.model_dim": {"tiny": 16, "tiny (2)": 8}}
    page = (folder / "report.html").read_text()
    for text in (
        "There is one seed",
        "components.architecture.params.model_dim",
        "Wasserstein distance",
        "block bootstrap",
    ):
        assert text in page
    assert page.count("Plotly.newPlot") == 1, "no chart of intervals with one seed"
    assert compared.intervals == 0


def test_a_changed_run_is_refused(runs: dict[str, Path], tmp_path: Path, trained: list[str]) -> None:
    comparison = Comparison.create(read_candidates([str(r) for r in runs.values()]), out=tmp_path)
    config = comparison.left()[0].folder.path / "config.yaml"
    config.write_text(config.read_text().replace("num_epochs: 1", "num_epochs: 2"))
    with pytest.raises(RunError, match=r"config.yaml is not what was compared here \(tiny \(2\), seed 4\)"):
        comparison.train(quiet=True)
    assert not trained


def test_nothing_is_written_for_a_config_that_cannot_run(tiny: str, tmp_path: Path) -> None:
    candidates = read_candidates([tiny], ["data.predict_len=100000"], ["training.learning_rate=[1e-3, 1e-4]"])
    with pytest.raises(Exception, match="window"):
        Comparison.create(candidates, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_failed_run_is_told_and_the_rest_is_compared(
    runs: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comparison = Comparison.create(read_candidates([str(r) for r in runs.values()]), out=tmp_path)
    fail = lambda jobs, budget, display: [JobOutcome(job, 1, "the loss is not finite", None) for job in jobs]  # noqa: E731
    monkeypatch.setattr(comparisons, "run_jobs", fail)
    outcomes = comparison.train(quiet=True)
    compared = comparison.compare()
    assert compared.figures[0].values["tiny"].keys() == {3, 4} and compared.figures[0].values[
        "tiny (2)"
    ].keys() == {3}
    assert "not finished" in (comparison.folder.path / "runs.csv").read_text()
    with pytest.raises(
        TrainingError, match=r"(?s)1 of 4 runs failed:.*seed 4: the loss is not finite.*--resume"
    ):
        comparison.raise_troubles(outcomes)


def test_what_is_no_comparison(tmp_path: Path, runs: dict[str, Path]) -> None:
    with pytest.raises(RunError, match="has no manifest"):
        Comparison(runs["wide3"])
