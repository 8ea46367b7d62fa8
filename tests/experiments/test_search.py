"""Searches: what is tried, what is refused before the start, what a dead process leaves, what is found."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from undula import ExperimentRunner
from undula.config.loading import load_config, validated
from undula.config.schema import Config
from undula.config.search import SearchConfig, search_of
from undula.config.yaml12 import parse_yaml
from undula.core.errors import ConfigError, RunError
from undula.experiments.search import Search, SearchResult
from undula.experiments.search.space import Space
from undula.experiments.search.study import FileLock

from ..cli.command import TINY

RATE, DIM = "training.learning_rate", "components.architecture.params.model_dim"
SPACE = {DIM: {"choice": [8, 16]}, RATE: {"log_uniform": [1e-4, 1e-2]}}


def base(**training: Any) -> Config:
    tree = parse_yaml(TINY, "tiny")
    tree["data"]["dataset"] = {"type": "ar1", "params": {"num_steps": 4000}}
    tree["evaluation"] |= {"num_samples": 100, "bootstrap": 1}
    tree["training"] |= {"num_epochs": None, "max_steps": 10, "validate_every": 3, **training}
    return validated(tree, "tiny")


def wanted(parameters: dict[str, Any] = SPACE, **options: Any) -> SearchConfig:
    return search_of({"parameters": parameters, "trials": 3, **options}, "search")


def run(folder: Path, search: SearchConfig, config: Config | None = None) -> SearchResult:
    return Search.create(config or base(), search, folder, quiet=True).run()


def tried(result: SearchResult) -> list[tuple[Any, ...]]:
    return [(r.number, r.state, r.value, r.params) for r in result.trials]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    return run(tmp_path_factory.mktemp("search"), wanted(trials=4))


# -- what is found ---------------------------------------------------------------------------------


def test_the_best_is_the_lowest_validation_loss_of_a_run(found: SearchResult) -> None:
    curves = {
        r.number: [json.loads(line) for line in (found.folder / "trials" / r.folder / "metrics.jsonl").open()]
        for r in found.trials
    }
    losses = {n: min(line["val_loss"] for line in lines if "val_loss" in line) for n, lines in curves.items()}
    assert {r.number: r.value for r in found.trials} == losses
    assert found.best.number == min(losses, key=losses.__getitem__)
    for record in found.trials:
        shown = {line["step"]: line["val_loss"] for line in curves[record.number] if "val_loss" in line}
        assert record.val_losses == shown


def test_the_best_config_runs_again_and_is_as_good(found: SearchResult, tmp_path: Path) -> None:
    best = load_config(found.folder / "best.yaml")
    assert best.components.architecture.params["model_dim"] == found.values[DIM]
    assert best.training.learning_rate == found.values[RATE]
    assert best.evaluation == base().evaluation and best.training.sample_every == base().training.sample_every
    outcome = ExperimentRunner(best, out=tmp_path, quiet=True).run()
    assert outcome is not None
    assert outcome.results["training"]["best_val_loss"] == found.best.value


def test_a_trial_for_the_validation_loss_draws_no_samples_and_says_so(found: SearchResult) -> None:
    folder = found.folder / "trials" / "0000"
    results = json.loads((folder / "results.json").read_text())
    assert results["status"] == "trained" and results["metrics"] == {}
    assert "sample_s_per_1000" not in results["timing"]
    assert not (folder / "samples.parquet").exists() and not (folder / "report.html").exists()


def test_a_trial_can_be_evaluated_later(tmp_path: Path) -> None:
    result = run(tmp_path, wanted(trials=1))
    folder = result.folder / "trials" / "0000"
    outcome = ExperimentRunner(load_config(folder / "config.yaml"), quiet=True).run(resume=folder)
    assert outcome is not None and outcome.results["status"] == "finished"
    assert "test part" in outcome.results["metrics"]["std"]["protocol"]


def test_the_table_and_the_page_show_every_trial(found: SearchResult) -> None:
    table = pd.read_csv(found.folder / "trials.csv")
    assert table["value"].tolist() == [r.value for r in found.trials]
    assert table[RATE].tolist() == pytest.approx([r.params[RATE] for r in found.trials])
    page = (found.folder / "search.html").read_text()
    own = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r'(?:src|href)="(?!data:|#)', own)
    for chart in ("history", "importances", "parallel", "curves"):
        assert f'id="chart-{chart}"' in page
    assert own.count("<tr") >= 5 and RATE in own


def test_a_figure_is_judged_on_the_validation_part(tmp_path: Path) -> None:
    result = run(tmp_path, wanted(metric="std", trials=2))
    for record in result.trials:
        results = json.loads((result.folder / "trials" / record.folder / "results.json").read_text())
        assert list(results["metrics"]) == ["std"]
        assert results["metrics"]["std"]["value"] == record.value
        assert "validation part" in results["metrics"]["std"]["protocol"]
    assert result.best.value == min(r.value or 0.0 for r in result.trials)


def test_maximising_finds_the_highest(tmp_path: Path) -> None:
    result = run(tmp_path, wanted(metric="wasserstein", direction="maximize", pruner="median", trials=2))
    assert result.best.value == max(r.value or 0.0 for r in result.trials)
    assert all(loss > 0 for r in result.trials for loss in r.val_losses.values())


# -- what is tried ---------------------------------------------------------------------------------


def test_the_seed_decides_what_is_tried(found: SearchResult, tmp_path: Path) -> None:
    assert tried(run(tmp_path / "a", wanted(trials=2))) == tried(found)[:2]
    other = run(tmp_path / "b", wanted(trials=2, seed=1, sampler="random"))
    assert [r.params for r in other.trials] != [r.params for r in found.trials[:2]]
    assert len({r.params[RATE] for r in found.trials}) == 4


def test_a_grid_tries_every_point_once(tmp_path: Path) -> None:
    parameters = {
        "components.sampler": {"choice": ["ddim", {"type": "heun", "params": {"num_steps": 3}}]},
        "training.batch_size": {"int": [255, 256]},
    }
    result = run(tmp_path, wanted(parameters, sampler="grid", trials=None), base(max_steps=2))
    tries = [(r.params["components.sampler"], r.params["training.batch_size"]) for r in result.trials]
    heun = '{"type": "heun", "params": {"num_steps": 3}}'
    assert tries == [("ddim", 255), ("ddim", 256), (heun, 255), (heun, 256)]
    config = load_config(result.folder / "trials" / "0003" / "config.yaml")
    assert (config.components.sampler.type, config.components.sampler.params) == ("heun", {"num_steps": 3})
    assert config.training.batch_size == 256


def test_hopeless_trials_end_early(tmp_path: Path) -> None:
    """With a rate of 1e-7 the loss stays; the median of four that learn is far below."""
    rates = [1e-2, 9e-3, 8e-3, 7e-3, 1e-7]
    search = wanted({RATE: {"choice": rates}}, sampler="grid", pruner="median", trials=None)
    result = run(tmp_path, search, base(max_steps=40, warmup_steps=1))
    assert [r.state for r in result.trials] == ["finished"] * 4 + ["pruned"]
    last = result.trials[-1]
    assert max(last.val_losses) < 40 and "hopeless at step" in last.reason
    results = json.loads((result.folder / "trials" / last.folder / "results.json").read_text())
    assert results["status"] == "pruned" and results["metrics"] == {}


def test_a_trial_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    rates = {RATE: {"choice": [1e30, 1e-3]}}
    config = base(clip_norm=None, warmup_steps=0)
    result = run(tmp_path, wanted(rates, sampler="grid", trials=None), config)
    assert [r.state for r in result.trials] == ["failed", "finished"]
    assert "the loss is not finite" in result.trials[0].reason
    with pytest.raises(RunError, match="no trial was finished: the loss is not finite"):
        run(tmp_path, wanted({RATE: {"choice": [1e30]}}, sampler="grid", trials=None), config)


def test_a_defect_in_a_trial_is_kept_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ExperimentRunner.run

    def out_of_memory(self: ExperimentRunner, resume: Any = None) -> Any:
        if str(resume).endswith("0000"):
            raise MemoryError("everything is full")
        return whole(self, resume)

    monkeypatch.setattr(ExperimentRunner, "run", out_of_memory)
    result = run(tmp_path, wanted(trials=2))
    assert [r.state for r in result.trials] == ["failed", "finished"]
    assert "MemoryError: everything is full" in result.trials[0].reason
    assert "out_of_memory" in (result.folder / "trials" / "0000" / "error.txt").read_text()


# -- what is refused before the start --------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "options", "message"),
    [
        ({"trainin.learning_rate": {"choice": [1]}}, {}, r"unknown key 'trainin'; did you mean 'training'\?"),
        (
            {"components.architecture.params.modl_dim": {"choice": [8]}},
            {},
            r"modl_dim = 8: architecture 'transformer' has no parameter 'modl_dim'; did you mean 'model_dim'\?",
        ),
        ({"training.batch_size": {"int": [-3, 5]}}, {}, r"training\.batch_size = -3"),
        ({DIM: {"int": [16, 18]}}, {}, r"model_dim = 17: transformer: model_dim = 17 is not a multiple"),
        (
            {DIM: {"choice": [24, 40]}, "components.architecture.params.num_heads": {"choice": [3, 5]}},
            {},
            r"parameters: .*model_dim = 24, .*num_heads = 5: transformer",
        ),
        ({"data.predict_len": {"choice": [16, 90000]}}, {}, r"predict_len = 90000: the train part has no window"),
        ({"components.objective": {"choice": ["score_matching"]}}, {}, "use v, x0, velocity or edm"),
        (SPACE, {"metric": "bits_per_dim"}, r"needs evaluation\.bits_per_dim: true"),
    ],
)  # fmt: skip
def test_corners_are_checked_first(
    tmp_path: Path, parameters: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, wanted(parameters, **options))
    assert not list(tmp_path.iterdir())


def test_all_wrong_parameters_are_told_at_once() -> None:
    parameters = {
        "trainin.x": {"choice": [1, 2]},
        "training.batch_size": {"choice": [0, 8]},
        "components.sampler.params.num_step": {"choice": [3]},
    }
    with pytest.raises(ConfigError) as caught:
        Space(base(), wanted(parameters)).check()
    assert len(str(caught.value).splitlines()) == 3


def test_validation_losses_need_a_validation_part() -> None:
    config = base()
    config.data.split = {"train": 0.9, "val": 0.0, "test": 0.1}  # type: ignore[assignment]
    with pytest.raises(ConfigError, match=r"set data\.split\.val"):
        Space(config, wanted()).check()
    Space(config, wanted(metric="std")).check()


def test_a_loss_of_another_scale_is_pointed_out() -> None:
    parameters = {"components.objective.params.loss_weight": {"choice": ["uniform", "snr"]}}
    (note,) = Space(base(), wanted(parameters)).check()
    assert "val_loss has another scale" in note
    assert Space(base(), wanted(parameters, metric="wasserstein")).check() == []


def test_a_pruner_without_losses_to_look_at_is_pointed_out() -> None:
    (note,) = Space(base(validate_every=5), wanted(pruner="median")).check()
    assert "ends no trial early: a training has 10 steps and a validation loss every 5" in note
    assert Space(base(validate_every=4), wanted(pruner="median")).check() == []


# -- going on --------------------------------------------------------------------------------------


class _Died(BaseException):
    """As if the process had been killed: nothing catches it."""


def die_in(monkeypatch: pytest.MonkeyPatch, trial: str, after: int) -> None:
    """The process dies after so many validation losses of a trial."""
    from undula.experiments.search import trial as module

    seen = {"count": 0}
    log = module._Reporter.log

    def dying(self: Any, step: int, values: dict[str, float]) -> None:
        log(self, step, values)
        if self.folder.path.name == trial and "val_loss" in values:
            seen["count"] += 1
            if seen["count"] == after:
                raise _Died

    monkeypatch.setattr(module._Reporter, "log", dying)


@pytest.mark.parametrize(
    "options", [{}, {"sampler": "grid", "parameters": {DIM: {"choice": [8, 16]}, RATE: {"choice": [1e-2, 1e-3]}}}]
)  # fmt: skip
def test_a_search_whose_process_died_goes_on_where_it_was(tmp_path: Path, options: dict[str, Any]) -> None:
    """Finished trials are not run again, the dead one keeps its parameters, the rest is what it would be."""
    search = wanted(**{"trials": 3, **options})
    config = base(checkpoint_every=1e-9)
    whole = run(tmp_path / "whole", search, config)
    with pytest.MonkeyPatch.context() as patch:
        die_in(patch, "0001", 2)
        begun = Search.create(config, search, tmp_path / "broken", quiet=True)
        with pytest.raises(_Died):
            begun.run()
    first = begun.folder / "trials" / "0000" / "results.json"
    written = first.stat().st_mtime_ns
    result = Search.open(begun.folder, quiet=True).run()
    assert tried(result) == tried(whole)
    assert first.stat().st_mtime_ns == written
    curve = [json.loads(line) for line in (begun.folder / "trials/0001/metrics.jsonl").open()]
    steps = [line["step"] for line in curve if "val_loss" in line]
    assert steps == sorted(set(steps)) and steps[-1] == 10
    assert Search.open(begun.folder, quiet=True).run().trials == result.trials


def test_a_trial_that_was_done_is_only_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Death between the end of a run and the study's note of it."""
    from undula.experiments.search.study import Study

    begun = Search.create(base(), wanted(trials=2), tmp_path, quiet=True)
    with monkeypatch.context() as patch:
        patch.setattr(Study, "tell", lambda *_: (_ for _ in ()).throw(_Died()))
        with pytest.raises(_Died):
            begun.run()
    written = (begun.folder / "trials/0000/metrics.jsonl").stat().st_mtime_ns
    result = Search.open(begun.folder, quiet=True).run()
    assert [r.state for r in result.trials] == ["finished", "finished"]
    assert (begun.folder / "trials/0000/metrics.jsonl").stat().st_mtime_ns == written


def test_half_a_line_in_the_journal_is_cut_off(tmp_path: Path) -> None:
    result = run(tmp_path, wanted(trials=1))
    with (result.folder / "study.journal").open("ab") as file:
        file.write(b'{"op_code": 4, "wor')
    again = Search.open(result.folder, quiet=True).run(trials=2)
    assert [r.state for r in again.trials] == ["finished", "finished"]
    assert again.trials[0] == result.trials[0]


def test_more_trials_can_be_asked_for(tmp_path: Path) -> None:
    result = run(tmp_path, wanted(trials=1))
    more = Search.open(result.folder, quiet=True).run(trials=2)
    assert len(more.trials) == 2 and more.trials[0] == result.trials[0]
    assert parse_yaml((result.folder / "search.yaml").read_text(), "x")["trials"] == 2


def test_one_process_at_a_time(found: SearchResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("undula.experiments.search.search._SECONDS_FOR_OLD_WORKERS", 0.0)
    with FileLock(found.folder / ".lock"), pytest.raises(RunError, match="in use by another process"):
        Search.open(found.folder, quiet=True).run()


def test_an_interrupt_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from undula.core.errors import Interrupted

    begun = Search.create(base(), wanted(trials=2), tmp_path, quiet=True)
    with monkeypatch.context() as patch:
        patch.setattr(ExperimentRunner, "run", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt()))
        with pytest.raises(
            Interrupted, match=f"0 of 2 trials done; go on with: undula search --resume {begun.folder}"
        ):
            begun.run()
    assert len(Search.open(begun.folder, quiet=True).run().trials) == 2
