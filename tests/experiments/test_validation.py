"""Every problem at once; what a run will cost, without leaving anything behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import undula
from undula import DiffusionModel, ExperimentRunner
from undula.config.yaml12 import parse_yaml
from undula.core.errors import IncompatibleError
from undula.experiments import costs as costs_module
from undula.experiments.validation import validate_config

from ..cli.command import TINY


def tiny(**changes: Any) -> dict[str, Any]:
    return {**parse_yaml(TINY, "tiny"), **changes}


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """Keys, plugins, components of several kinds and data, each with its remedy; from one call."""
    (tmp_path / "broken.py").write_text("1/0")
    report = validate_config(
        tiny(
            experiment={"name": "a/b", "seed": -1},
            plugins=[str(tmp_path / "broken.py"), "no.py"],
            components={
                "architecture": {"type": "mlp", "params": {"model_dims": 3, "num_layers": -2}},
                "sde": "vpsd",
                "sampler": {"type": "heun", "params": {"num_steps": 0}},
                "noise": {"params": {}},
            },
            training={"foo": 1, "batch_size": 0},
            data={"dataset": "ar1", "columns": ["valu"], "predict_len": 16},
        )
    )
    assert not report.ok and report.costs is None
    told = "\n".join(report.problems)
    for part in (
        "experiment.name = 'a/b': it names a folder",
        "experiment.seed = -1",
        "components.noise.type: is missing",
        "unknown key 'training.foo'",
        "training.batch_size = 0: input should be greater than 0",
        "broken.py",
        "division by zero",
        "no.py does not exist",
        "no parameter 'model_dims'; did you mean 'model_dim'?",
        "num_layers = -2",
        "unknown sde 'vpsd'; did you mean 'vpsde'?",
        "num_steps = 0: input should be greater than 0",
        "no column 'valu'; did you mean 'value'?",
    ):
        assert part in told, part
    assert len(set(report.problems)) == len(report.problems)
    assert list(tmp_path.iterdir()) == [tmp_path / "broken.py"]


def test_bits_without_a_log_determinant_are_refused_before_training(tmp_path: Path) -> None:
    changes = [
        "data={dataset: jump_diffusion, predict_len: 48, transform: none, columns: [price]}",
        "components.preprocessing={type: technical, params: {mode: channels}}",
        "evaluation.bits_per_dim=true",
    ]
    report = validate_config("sp500", changes, measured=False)
    assert any("need a log-determinant" in problem for problem in report.problems), report.problems
    with pytest.raises(IncompatibleError, match="log-determinant"):
        ExperimentRunner.from_config("sp500", changes, out=tmp_path, quiet=True).run()
    assert not list(tmp_path.iterdir())


def test_every_pair_is_checked() -> None:
    """ε-prediction and Euler's noise both need α > 0, and a warp of time needs a grid in time."""
    components = {
        "sde": "rectified",
        "objective": {"type": "score_matching", "params": {"density": "log_snr"}},
        "sampler": {"type": "euler", "params": {"eta": 1.0, "grid": "karras"}},
        "noise": {"type": "standard", "params": {"schedule": "cosine"}},
    }
    problems = validate_config(tiny(components=components)).problems
    assert len(problems) == 2 and "eps-prediction" in problems[0] and "warps time" in problems[1]
    components["sampler"]["params"]["grid"] = "uniform"  # type: ignore[index]
    problems = validate_config(tiny(components=components)).problems
    assert len(problems) == 2 and "eps-prediction" in problems[0] and "euler with eta = 1" in problems[1]


def test_a_spoilt_block_hides_no_other_and_invents_nothing() -> None:
    report = validate_config(tiny(data=[], components={"sampler": 3, "sde": "vpsd"}))
    assert len(report.problems) == 3, report.problems
    assert [p.partition(" ")[0] for p in report.problems] == ["components.sampler", "data", "unknown"]


def test_what_only_the_data_show_is_found(tmp_path: Path) -> None:
    """Series of different lengths do not fit a network of one length."""
    lines = [f"s{k:02},{t},{(7 * k + t * t) % 11}" for k in range(30) for t in range(8 + k % 3)]
    (tmp_path / "d.csv").write_text("\n".join(["name,step,x", *lines]))
    config = tiny(data={"path": str(tmp_path / "d.csv"), "predict_len": None, "roles": {"series": "name"}})
    config["components"]["architecture"] = "mlp"
    (problem,) = validate_config(config).problems
    assert "needs windows of one fixed length" in problem


def test_costs_are_those_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = validate_config(tiny())
    assert report.ok and report.costs is not None and not list(tmp_path.iterdir())
    assert any("windows" in note for note in report.notes)
    found = report.costs
    trained = DiffusionModel.from_config(tiny()).fit()
    assert trained.outcome_ is not None
    assert (found.steps, found.parameters) == (trained.outcome_.steps, trained.num_parameters_)
    assert sum(found.modules.values()) == found.parameters
    assert found.memory["training"] == 20 * found.parameters and found.memory["data"] == 20_000 * 8
    assert found.shapes["diffused"] == (256, 1, 16)
    assert report.as_json()["costs"]["parameters"] == found.parameters


def test_estimates_scale_with_what_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time is steps × the measured step, cut by max_time; samples × calls; memory grows with the batch."""
    monkeypatch.setattr(costs_module.time, "perf_counter", iter(range(10**6)).__next__)  # a second a look
    config = tiny()

    def found(**training: Any) -> Any:
        return validate_config({**config, "training": {**config["training"], **training}}).costs

    first, short = found(), found(max_time=7)
    assert first.step_seconds == 1.0 and first.train_seconds == 32.0 and short.train_seconds == 7.0
    assert first.sample_seconds == pytest.approx(4 / 3)  # 4 calls, 3 timed, all 120 samples in one batch
    assert found(batch_size=64).steps == 4 * 32
    assert found(batch_size=64).memory["activations"] < 0.4 * first.memory["activations"]
    assert validate_config(config, measured=False).costs.step_seconds is None  # type: ignore[union-attr]


def test_it_is_in_the_package_and_takes_a_file(tmp_path: Path) -> None:
    assert undula.validate_config is validate_config
    (tmp_path / "t.yaml").write_text(TINY)
    report = undula.validate_config(tmp_path / "t.yaml", ["training.batch_size=0"])
    assert report.problems == ["training.batch_size = 0: input should be greater than 0"]
    assert "does not exist" in validate_config(tmp_path / "no.yaml").problems[0]


def test_an_assembled_model_is_untrained_and_samples() -> None:
    model = DiffusionModel.from_config(tiny())
    loss = model.assemble(ExperimentRunner.from_config(tiny()).prepare()[1])
    assert loss.network is model.parts_.architecture
    assert model.sample(2).shape == (2, 16, 1)
