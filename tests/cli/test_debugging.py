"""Plots, --debug, validate and what is said of components, as a user sees them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from undula import ExperimentRunner

from .command import TINY, Call

ALL_FOR_TRAINING = "data.split={train: 1.0, val: 0.0, test: 0.0}"  # nothing to judge, no page
TOLD = TINY.replace("stride: 8", "stride: 8, history_len: 8")


@pytest.fixture
def call(call: Call, tmp_path: Path) -> Call:
    """`undula …` in a folder that holds tiny.yaml and told.yaml."""
    (tmp_path / "told.yaml").write_text(TOLD)
    return call


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    (folder / "told.yaml").write_text(TOLD)
    changes = ["training.max_steps=4", ALL_FOR_TRAINING]
    result = ExperimentRunner.from_config(
        folder / "told.yaml", changes, out=folder / "runs", quiet=True
    ).run()
    assert result is not None
    return result.folder


def is_a_picture(path: Path) -> bool:
    import matplotlib.image

    pixels = matplotlib.image.imread(path)
    return min(pixels.shape[:2]) > 200 and pixels[..., :3].std() > 0.02


# -- plot ------------------------------------------------------------------------------------------


def test_plot_draws_everything(call: Call, finished: Path, tmp_path: Path) -> None:
    result = call("plot", finished, "-o", tmp_path / "pictures")
    names = ["trajectories", "loss_by_noise", "calibration", "attention", "attention_to_history"]
    assert result.code == 0 and result.out.split() == [str(tmp_path / "pictures" / f"{n}.png") for n in names]
    assert all(is_a_picture(Path(line)) for line in result.out.split())
    (one,) = json.loads(call("plot", finished, "--what", "calibration", "--json").out)["files"]
    assert one == str(finished / "plots" / "calibration.png")


def test_plot_says_what_a_network_does_not_have(call: Call, tmp_path: Path) -> None:
    small = "{type: mlp, params: {model_dim: 16}}"
    changes = (
        "--set",
        f"components.architecture={small}",
        "--set",
        "training.max_steps=2",
        "--set",
        ALL_FOR_TRAINING,
    )
    folder = json.loads(call("run", "tiny.yaml", "--json", *changes).out)["folder"]
    result = call("plot", folder, "--what", "attention")
    assert result.code == 2 and "architecture 'mlp' has no attention to show" in result.err
    result = call("plot", folder)
    assert result.code == 0 and "no attention" in result.err
    assert [Path(line).stem for line in result.out.split()] == [
        "trajectories",
        "loss_by_noise",
        "calibration",
    ]


# -- run --debug -----------------------------------------------------------------------------------


def test_debug_tells_shapes_gradients_and_losses(call: Call) -> None:
    changes = (
        "--set",
        "training.max_steps=6",
        "--set",
        "training.sample_every=null",
        "--set",
        ALL_FOR_TRAINING,
    )
    result = call("run", "told.yaml", "--debug", "--out", "a", *changes)
    assert result.code == 0, result.err
    for part in ("debug: diffused: 256 × 1 × 16", "debug: condition history: 256 × 1 × 8", "blocks.0:",
                 "debug: step 3: largest gradients: ", "log SNR"):  # fmt: skip
        assert part in result.err, part
    (folder,) = Path("a/tiny").iterdir()
    table = json.loads((folder / "results.json").read_text())["debug"]["by_noise_level"]
    assert len(table) == 24 and table[0]["log_snr"] < -10 < 10 < table[-1]["log_snr"]
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    norms = [line for line in lines if "gradient_norm/blocks.0" in line]
    assert [line["step"] for line in norms] == [3, 6]
    whole = sum(v**2 for k, v in norms[0].items() if k.startswith("gradient_norm/")) ** 0.5
    assert 0 < whole < 1.001, "after clipping to 1"
    for name in ("trajectories", "loss_by_noise", "calibration", "attention", "attention_to_history"):
        assert is_a_picture(folder / "plots" / f"{name}.png")
    call("run", "told.yaml", "--out", "b", "--quiet", *changes)
    (plain,) = Path("b/tiny").iterdir()
    assert "debug" not in json.loads((plain / "results.json").read_text())
    pd.testing.assert_frame_equal(*(pd.read_parquet(f / "samples.parquet") for f in (folder, plain)))


# -- validate --------------------------------------------------------------------------------------


def test_validate_prints_costs_and_json(call: Call) -> None:
    result = call("validate", "tiny.yaml")
    assert result.code == 0 and result.out.splitlines()[0] == "tiny.yaml: valid"
    for part in ("shapes: series 256 × 1 × 16", "parameters: ", "memory: about", "time: about", "32 steps"):
        assert part in result.out, part
    assert "data: train: 1,999 windows" in result.err
    found = call("validate", "tiny.yaml", "--json", "--set", "training.foo=1", "--set", "data.columns=[valu]")
    report = json.loads(found.out)
    assert found.code == 2 and not found.err and not report["valid"] and len(report["problems"]) == 2


# -- messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--bogus"), "no such option: --bogus"),
        (("runn",), "no such command 'runn'"),
        (("sample",), "missing argument 'run': see `undula sample --help`"),
        (("sample", "x", "-n", "abc"), "invalid value for '-n' / '--num-samples': Input should be a valid integer: see"),
        (("run", "my.csv"), "my.csv is a data file, not a config: make a config for it with `undula init my.csv"),
        (("run", "tiny.yaml", "--set", "experiment.name=a/b"), "use letters, digits, _, . and -"),
        (("run", "tiny.yaml", "--set", "training.devices=zero"), "should be 'auto' or a valid integer"),
        (("run", "my.yaml", "--set", "data.columns=[temp,lod]"), "no column 'lod'; did you mean 'load'?"),
        (("run", "my.yaml", "--set", "data.columns=[temp]", "--set", "data.roles.target=[load]"),
         "data.columns = [temp] and data.roles.target = [load] name different columns"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_one_plain_line(call: Call, arguments: tuple[str, ...], message: str) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"temp": rng.normal(size=400), "load": rng.normal(size=400)})
    table.to_csv("my.csv", index=False)
    Path("my.yaml").write_text(call("init", "my.csv").out)
    result = call(*arguments)
    assert result.code == 2 and message in result.err, result.err
    assert len(result.err.splitlines()) == 1 and result.err.startswith("undula: ")
    assert "Gt(" not in result.err and "pattern" not in result.err and "Usage" not in result.err


def test_init_tells_which_columns_are_not_used(call: Call) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {"temp": rng.normal(size=400), "city": "Bern", "flat": 3.0, "kind": ["a", "b"] * 200}
    )
    table.to_csv("my.csv", index=False)
    made = call("init", "my.csv")
    for text in (made.out, made.err):
        assert "not used, text: city, kind" in text
        assert "not used, constant in the training part: flat" in text
    Path("my.yaml").write_text(made.out)
    assert call("run", "my.yaml", "--dry-run").code == 0


def test_help_shows_whole_summaries(call: Call) -> None:
    text = " ".join(call("--help").out.split())
    assert "…" not in text and "..." not in text.replace("[ARGS]...", "")
    assert "Train a model, draw samples, judge them against held-out data, write a page." in text


def test_components_read_well(call: Call) -> None:
    ddim = call("components", "sampler", "ddim").out
    for line in (
        "num_steps: int > 0, default 20",
        "grid: uniform or log_snr or karras, default uniform",
        "rho: float > 0 or null, default null",
        "eta: float in [0, 1], default 0.0",
    ):
        assert f"  {line}\n" in ddim, ddim
    unet = call("components", "architecture", "unet").out
    assert "channels: list of int > 0, default [64, 128, 256, 512]" in unet
    assert (
        "  dropout: float in [0, 1), default 0.0\n" in unet
        and "alpha_of_t: str, required" in call("components", "sde", "custom").out
    )
