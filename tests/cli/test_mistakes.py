"""Wrong input: one line that says what to do, exit code 2, and nothing left behind."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .command import Call

MISTAKES: dict[str, tuple[tuple[object, ...], str]] = {
    "no config": (("run",), "give a config file or a preset's name"),
    "missing config": (("run", "absent.yaml"), r"config file 'absent\.yaml' does not exist"),
    "unknown preset": (("run", "sp50"), r"did you mean 'sp500'\?"),
    "missing file": (
        ("run", "tiny.yaml", "--set", "data.dataset=null", "--set", "data.path=no.csv"),
        "'no.csv' does not exist",
    ),
    "unknown key": (
        ("run", "tiny.yaml", "--set", "traning.batch_size=3"),
        r"unknown key 'traning'; did you mean 'training'\?",
    ),
    "not a number": (
        ("run", "tiny.yaml", "--set", "training.learning_rate=fast"),
        "learning_rate = 'fast': input should be a valid number",
    ),
    "short series": (("run", "tiny.yaml", "--set", "data.predict_len=50000"), "a window needs 50,000"),
    "unknown component": (
        ("run", "tiny.yaml", "--set", "components.sampler=hein"),
        r"unknown sampler 'hein'; did you mean 'heun'\?",
    ),
    "unknown parameter": (
        ("run", "tiny.yaml", "--set", "components.sampler.params.num_step=3"),
        r"no parameter 'num_step'; did you mean",
    ),
    "eps on rectified": (
        ("run", "tiny.yaml", "--set", "components.objective=score_matching"),
        "use v, x0, velocity or edm",
    ),
    "custom sde": (
        (
            "run",
            "tiny.yaml",
            "--set",
            "components.sde={type: custom, params: {alpha_of_t: '1-t+0.3*sin(9*t)**2', sigma_of_t: t}}",
        ),
        "falls strictly",
    ),
    "unknown dataset": (
        ("run", "tiny.yaml", "--set", "data.dataset=ar2"),
        r"unknown dataset 'ar2'; did you mean 'ar1'\?",
    ),
    "not a run": (("sample", "."), "is not a run folder"),
    "no run": (("sample", "nothing"), "neither a run folder nor the name of an experiment"),
    "resume nothing": (("run", "--resume", "nothing"), "nor the name of an experiment with runs"),
    "resume and more": (("run", "tiny.yaml", "--resume", "x"), "give no config"),
    "unknown kind": (("components", "sdes"), r"did you mean 'sde'\?"),
    "missing csv": (("init", "no.csv"), "does not exist"),
    "plugin": (("run", "tiny.yaml", "--plugin", "no.py"), "plugin file .*no.py does not exist"),
    "device": (("run", "tiny.yaml", "--device", "tpu"), "training.device = 'tpu'"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(call: Call, tmp_path: Path, name: str) -> None:
    arguments, message = MISTAKES[name]
    result = call(*arguments)
    assert result.code == 2, result.err
    assert re.search(message, result.err), result.err
    assert len(result.err.splitlines()) == 1, result.err
    assert "Traceback" not in result.err and result.out == ""
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.yaml"], "something was left behind"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.assign(v=7.0), r"column 'v' is constant in the training part \(7\)"),
        (
            lambda t: t.assign(v=t["v"].where(t.index != 30)),
            r"1 missing value, the first in column 'v', row 31.*interpolate",
        ),
        (
            lambda t: t.astype({"v": object}).assign(v=lambda u: u["v"].where(u.index != 30, "abc")),
            r"column 'v', row 31: 'abc' is not a number",
        ),
        (lambda t: t.head(9), "a window needs 16"),
    ],
)
def test_wrong_data_are_one_line(
    call: Call, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    table = pd.DataFrame(
        {"date": pd.date_range("2020-01-01", periods=600), "v": np.random.default_rng(0).normal(size=600)}
    )
    change(table).to_csv("d.csv", index=False)
    result = call(
        "run", "tiny.yaml", "--set", "data={path: d.csv, predict_len: 16}", "--set", "data.dataset=null"
    )
    assert result.code == 2
    assert re.search(message, result.err), result.err
    assert len(result.err.splitlines()) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["d.csv", "tiny.yaml"]


def test_a_damaged_model_is_one_line(call: Call, finished: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(finished, tmp_path / "copy")
    (tmp_path / "copy" / "model" / "model.safetensors").write_bytes(b"nonsense")
    result = call("sample", "copy", "-n", 1)
    assert result.code == 2
    assert "is damaged" in result.err and len(result.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "x.xlsx"), r"use one of \.csv, \.parquet, \.npz, \.npy"),
        (("-n", "0"), "give a positive number"),
        (("--given", "x.csv"), "unconditional|does not exist"),
        (("-o", "no/such/dir/../../x.csv", "--sampler", "nope"), "unknown sampler"),
    ],
)
def test_wrong_sampling_is_one_line(
    call: Call, finished: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    result = call("sample", finished, *options)
    assert result.code == 2
    assert re.search(message, result.err), result.err
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.yaml"]


def test_a_file_in_the_way_of_the_run_folder(call: Call, tmp_path: Path) -> None:
    (tmp_path / "blocked").write_text("x")
    result = call("run", "tiny.yaml", "--out", "blocked")
    assert result.code == 2
    assert "cannot make a run folder" in result.err


def test_debug_shows_the_traceback(call: Call) -> None:
    with pytest.raises(Exception, match="does not exist"):
        call("run", "absent.yaml", "--debug")


def test_a_run_that_fails_at_once_leaves_no_folder(call: Call, tmp_path: Path) -> None:
    """What only training can find out: the weights to start from are another network's."""
    call("run", "tiny.yaml", "--quiet", "--out", "a", "--set", "training.max_steps=2")
    (other,) = (tmp_path / "a" / "tiny").iterdir()
    result = call(
        "run", "tiny.yaml", "--quiet", "--out", "b",
        "--set", f"training.init_from={other}", "--set", "components.architecture.params.model_dim=32",
    )  # fmt: skip
    assert result.code == 2
    assert "do not fit this network" in result.err
    assert not list((tmp_path / "b" / "tiny").iterdir())
