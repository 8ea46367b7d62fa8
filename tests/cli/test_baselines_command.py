"""`undula baselines` and `undula compare --baselines` as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from .command import Call


def test_all_are_listed_with_what_they_copy_and_need(call: Call) -> None:
    lines = call("baselines").out.splitlines()
    names = [line.split()[0] for line in lines]
    assert {"gaussian", "gaussian_mixture", "block_bootstrap", "var", "arima", "garch", "timegan"} <= set(
        names
    )
    assert names == sorted(names)
    (block,) = [line for line in lines if line.startswith("block_bootstrap")]
    assert "(copies stretches of rows)" in block
    found = json.loads(call("baselines", "--json").out)
    assert found[names.index("garch")]["needs"] == "200 rows, best of returns"


def test_one_is_described_as_a_component(call: Call) -> None:
    assert call("baselines", "garch").out == call("components", "baseline", "garch").out
    assert "leverage: bool, default false" in call("baselines", "garch").out


def test_one_is_fitted_and_sampled(call: Call, tmp_path: Path) -> None:
    result = call("baselines", "var", "tiny.yaml", "-n", 12, "--seed", 5, "-o", "x.npy", "--param", "order=1")
    assert result.code == 0 and result.out.strip() == "x.npy", result.err
    assert "var: 1 lag, largest root 0.8" in result.err or "var: 1 lag, largest root 0.9" in result.err
    x = np.load(tmp_path / "x.npy")
    assert x.shape == (12, 16, 1)
    piped = call(
        "baselines", "var", "tiny.yaml", "-n", 3, "--seed", 5, "-o", "-", "--param", "order=1", "--quiet"
    )
    lines = [line.split(",") for line in piped.out.splitlines()]
    assert lines[0] == ["sample", "step", "value"] and len(lines) == 1 + 3 * 16
    assert float(lines[1][2]) == pytest.approx(x[0, 0, 0])
    default = call(
        "baselines", "iid_bootstrap", "tiny.yaml", "-n", 4, "--set", "data.predict_len=8", "--json"
    )
    found = json.loads(default.out)
    assert found["file"] == "iid_bootstrap_tiny_n4_seed0.parquet" and found["lengths"] == [8]
    assert len(pd.read_parquet(tmp_path / found["file"])) == 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("baselines", "gach"), "unknown baseline 'gach'; did you mean 'garch'?"),
        (("baselines", "garch", "-o", "x.csv"), "need a config or preset to fit on"),
        (
            ("baselines", "garch", "tiny.yaml", "--param", "leverage"),
            "--param 'leverage': expected KEY=VALUE",
        ),
        (
            ("baselines", "garch", "tiny.yaml", "--param", "p=2"),
            "has no parameter 'p' (it takes leverage, lags",
        ),
        (("baselines", "garch", "tiny.yaml", "-o", "x.xls"), "use one of .csv, .parquet, .npz, .npy"),
        (("baselines", "garch", "nothing.yaml"), "nothing.yaml"),
        (("compare", "tiny.yaml", "--baselines", "gach"), "unknown baseline 'gach'; did you mean 'garch'?"),
        (("compare", "tiny.yaml", "--baselines", "1"), "--baselines '1': expected names, such as garch,"),
        (("compare", "tiny.yaml", "tiny.yaml", "--baseline-seeds", "2"), "give these too"),
        (
            ("compare", "--resume", "x", "--baselines", "garch"),
            "--resume goes on with a comparison's own configs",
        ),
    ],
)
def test_mistakes_are_one_message(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = call(*arguments)
    assert result.code == 2 and message in result.err and "Traceback" not in result.err
    assert not list(tmp_path.glob("*.parquet")) and not (tmp_path / "experiments").exists()


@pytest.mark.slow
def test_a_comparison_with_baselines(call: Call) -> None:
    short = (
        "--set",
        "training={num_epochs: 1, sample_every: null}",
        "--set",
        "evaluation.metrics=[std, acf]",
    )
    beside = ("--set", "evaluation.baselines=[iid_bootstrap]", "--seeds", 1, "--workers", 2)
    result = call("compare", "tiny.yaml", "--baselines", "iid_bootstrap", *short, *beside)
    assert result.code == 0, result.err
    header = result.out.splitlines()[0].split()
    assert header == ["figure", "tiny", "iid_bootstrap", "floor", "winner"], "not twice"
    again = json.loads(call("compare", "--resume", "tiny", "--json").out)
    assert again["labels"] == ["tiny", "iid_bootstrap"]
    assert again["configs"]["iid_bootstrap"] == "baseline iid_bootstrap"
