"""Every command as a user calls it: output, files, exit codes, messages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from undula import DiffusionModel
from undula.config.loading import load_config
from undula.config.yaml12 import parse_yaml
from undula.core.files import read_tensors
from undula.data.prepare import prepare

from .command import TINY, Call

# -- run -------------------------------------------------------------------------------------------


def test_run_prints_a_table_and_makes_a_folder(call: Call, tmp_path: Path) -> None:
    result = call("run", "tiny.yaml")
    assert result.code == 0, result.err
    assert "excess kurtosis" in result.out and "block bootstrap" in result.out
    (folder,) = (tmp_path / "experiments" / "runs" / "tiny").iterdir()
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", folder.name)
    assert f"run folder: experiments/runs/tiny/{folder.name}" in result.out
    assert "data: train: 1,999 windows" in result.err
    assert "epoch 2, step 16: wasserstein" in result.err


def test_the_run_folder_is_complete(finished: Path) -> None:
    names = {str(p.relative_to(finished)) for p in finished.rglob("*") if p.is_file()}
    expected = {
        "config.yaml",
        "environment.json",
        "metrics.jsonl",
        "checkpoints/last.safetensors",
        "checkpoints/best.safetensors",
        "model/model.json",
        "model/model.safetensors",
        "samples.parquet",
        "results.json",
        "report.html",
        "plots/windows.png",
        "plots/marginals.png",
        "plots/dynamics.png",
        "plots/epoch_00002.png",
        "plots/epoch_00004.png",
    }
    assert expected <= names
    assert any(name.startswith("events.out.tfevents.") for name in names)
    assert not [n for n in names if ".tmp" in n or n.endswith((".pkl", ".pt", ".bin"))]


def test_results_have_their_figures(finished: Path) -> None:
    results = json.loads((finished / "results.json").read_text())
    assert (results["name"], results["status"], results["seed"]) == ("tiny", "finished", 3)
    for entry in results["metrics"].values():
        assert {"value", "sd", "floor", "baselines", "protocol", "better"} <= set(entry)
        assert set(entry["baselines"]) == {"gaussian", "iid_bootstrap", "block_bootstrap"}
    assert results["metrics"]["copying"]["verdict"] in ("ok", "copies")
    assert set(results["timing"]) >= {"train_s", "sample_s_per_1000", "steps", "parameters"}
    assert results["timing"]["steps"] == 32
    assert results["data"]["columns"] == ["value"]
    samples = pd.read_parquet(finished / "samples.parquet")
    assert list(samples.columns) == ["sample", "step", "value"]
    assert len(samples) == 120 * 16


def test_the_saved_config_is_complete_and_runs_again(call: Call, finished: Path) -> None:
    text = (finished / "config.yaml").read_text()
    config = parse_yaml(text, "x")
    assert config["training"]["ema_decay"] == 0.999
    assert yaml.safe_load(text)["components"]["sampler"]["params"] == {"num_steps": 4}
    assert call("run", finished / "config.yaml", "--dry-run").code == 0


def test_the_report_asks_for_nothing(finished: Path) -> None:
    html = (finished / "report.html").read_text()
    own = re.sub(r"<script>.*?</script>", "", html, count=1, flags=re.DOTALL)
    assert not re.search(r"""(src|href)=["'](?!data:)""", own)
    assert not re.search(r"https?://", re.sub(r"<script.*?</script>", "", own, flags=re.DOTALL))
    for heading in ("Real and generated windows", "Distribution", "Dynamics", "Training", "Figures"):
        assert heading in own
    assert own.count("<tr>") >= 13


def test_json_is_one_object_and_nothing_else(call: Call) -> None:
    result = call("run", "--config", "tiny.yaml", "--json", "--out", "elsewhere")
    assert result.code == 0
    found = json.loads(result.out)
    assert found["status"] == "finished"
    assert Path(found["folder"]).is_dir() and found["folder"].startswith("elsewhere/tiny/")
    assert result.err == ""


def test_a_dry_run_checks_and_leaves_nothing(call: Call, tmp_path: Path) -> None:
    result = call("run", "tiny.yaml", "--dry-run")
    assert result.code == 0
    assert "ready to run" in result.out
    assert [p.name for p in tmp_path.iterdir()] == ["tiny.yaml"]


def test_overrides_seed_and_out(call: Call) -> None:
    result = call(
        "run",
        "tiny.yaml",
        "--json",
        "--seed",
        9,
        "--out",
        "a",
        "--set",
        "training.max_steps=3",
        "--set",
        "experiment.name=b",
    )
    found = json.loads(result.out)
    assert (found["seed"], found["timing"]["steps"], found["name"]) == (9, 3, "b")


def test_options_may_be_written_with_underscores(call: Call) -> None:
    assert call("run", "tiny.yaml", "--dry_run").code == 0


def test_two_runs_have_two_folders(call: Call, tmp_path: Path) -> None:
    for _ in range(2):
        assert call("run", "tiny.yaml", "--quiet", "--out", "X", "--set", "training.max_steps=2").code == 0
    assert len(list((tmp_path / "X" / "tiny").iterdir())) == 2


def test_resuming_a_finished_run_repeats_its_evaluation(call: Call, finished: Path) -> None:
    before = json.loads((finished / "results.json").read_text())["metrics"]
    assert call("run", "--resume", finished, "--quiet").code == 0
    assert json.loads((finished / "results.json").read_text())["metrics"] == before


# -- sample ----------------------------------------------------------------------------------------


def test_sample_gives_the_same_file_twice(call: Call, finished: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert call("sample", finished, "-n", 100, "--seed", 7, "-o", f"{name}.parquet").code == 0
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    call("sample", finished, "-n", 10, "--seed", 7, "-o", "c.npy", "--batch-size", 3)
    whole = pd.read_parquet("a.parquet")["value"].to_numpy().reshape(100, 16, 1)
    assert np.allclose(np.load("c.npy"), whole[:10], atol=1e-5)


def test_sample_writes_beside_the_run_and_says_where(call: Call, finished: Path) -> None:
    result = call("sample", finished, "-n", 5, "--seed", 2, "--quiet")
    assert result.out.strip() == str(finished / "samples_n5_seed2.parquet")
    assert Path(result.out.strip()).is_file()


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".npy"])
def test_every_format_holds_the_same(call: Call, finished: Path, suffix: str) -> None:
    expected = np.asarray(DiffusionModel.load(finished).sample(4, seed=1))
    assert call("sample", finished, "-n", 4, "--seed", 1, "-o", f"x{suffix}").code == 0
    if suffix == ".npz":
        file = np.load("x.npz")
        found, columns = file["samples"], file["columns"].tolist()
        assert columns == ["value"]
    elif suffix == ".npy":
        found = np.load("x.npy")
    else:
        table = pd.read_csv("x.csv") if suffix == ".csv" else pd.read_parquet("x.parquet")
        found = table["value"].to_numpy().reshape(4, 16, 1)
    assert np.allclose(found, expected, rtol=1e-6)


def test_sample_to_stdout_and_as_json(call: Call, finished: Path) -> None:
    result = call("sample", finished, "-n", 2, "-o", "-")
    assert result.out.splitlines()[0] == "sample,step,value"
    assert len(result.out.splitlines()) == 33
    found = json.loads(call("sample", finished, "-n", 2, "-o", "x.csv", "--json").out)
    assert found == {
        "file": "x.csv",
        "n": 2,
        "seed": 0,
        "columns": ["value"],
        "lengths": [16],
        "calls_per_sample": 4,
    }


def test_sampler_steps_and_weights_can_be_chosen(call: Call, finished: Path) -> None:
    def values(*options: object) -> str:
        return call("sample", finished, "-n", 2, "-o", "-", *options).out

    plain = values()
    for options in (("--sampler", "heun"), ("--steps", "9")):
        assert values(*options) != plain
    best, _ = read_tensors(finished / "checkpoints" / "best.safetensors")
    model = DiffusionModel.load(finished, weights="best")
    name = "project_in.weight"
    assert np.array_equal(
        model.parts_.architecture.state_dict()[name].numpy(), best[f"ema.network.{name}"].numpy()
    )
    assert values("--weights", "best")


def test_a_name_means_its_newest_run(call: Call, tmp_path: Path) -> None:
    for _ in range(2):
        call("run", "tiny.yaml", "--quiet", "--set", "training.max_steps=2")
    newest = max((tmp_path / "experiments/runs/tiny").iterdir(), key=lambda p: p.name)
    assert newest.name in call("sample", "tiny", "-n", 1, "--quiet").out


# -- describing ------------------------------------------------------------------------------------


def test_components(call: Call) -> None:
    listed = call("components").out
    assert "sampler: how noise turns into data" in listed
    assert re.search(r"vpsde +Variance-preserving", listed)
    assert call("components", "sde").out.splitlines()[0].startswith("sde:")
    described = call("components", "sampler", "euler").out
    assert "Euler-Maruyama" in described and "Needs: eta > 0" in described and "eta: float" in described
    found = json.loads(call("components", "sde", "vpsde", "--json").out)
    assert found["parameters"]["properties"]["beta_max"]["default"] == 20.0
    assert "euler" in json.loads(call("components", "--json").out)["sampler"]


def test_presets(call: Call) -> None:
    assert "sp500 " in call("presets").out and "bitcoin " in call("presets").out
    assert parse_yaml(call("presets", "sp500").out, "x")["experiment"]["name"] == "sp500"
    assert call("presets", "sp50").code == 2


def test_schema_is_json(call: Call) -> None:
    assert json.loads(call("schema").out)["title"] == "Config"


def test_validate_tells_all_problems(call: Call) -> None:
    assert call("validate", "tiny.yaml").out.startswith("tiny.yaml: valid\n")
    result = call(
        "validate",
        "tiny.yaml",
        "--set",
        "components.objective=score_matching",
        "--set",
        "data.predict_len=90000",
    )
    assert result.code == 2
    assert "use v, x0, velocity or edm" in result.err and "has no window" in result.err
    assert len(result.err.splitlines()) == 2


def test_init_makes_a_config_that_runs(call: Call, tmp_path: Path) -> None:
    """A file with a date column newest first, two numeric columns and a few gaps."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "day": pd.date_range("2019-01-01", periods=900).astype(str),
            "price": 50 + rng.normal(size=900).cumsum() * 0.1,
            "load": 2000 + 100 * rng.normal(size=900),
        }
    )
    table = table.drop(index=[300, 301, 612])[::-1]
    table.iloc[[40, 500], 1] = np.nan
    table.to_csv("my.csv", index=False)
    made = call("init", "my.csv")
    assert made.code == 0
    (tmp_path / "my.yaml").write_text(made.out)
    result = call(
        "run", "my.yaml", "--json", "--set", "training.max_steps=20", "--set", "evaluation.num_samples=100"
    )
    assert result.code == 0, result.err
    found = json.loads(result.out)
    notes = " ".join(found["data"]["notes"])
    assert "newest first, sorted by 'day'" in notes
    assert "2 gaps in time" in notes
    assert "2 missing values interpolated" in notes
    samples = pd.read_parquet(Path(found["folder"]) / "samples.parquet")
    assert list(samples.columns) == ["sample", "step", "price", "load"]
    assert samples["load"].mean() == pytest.approx(2000, abs=300)
    assert samples["price"].mean() == pytest.approx(50, abs=20)


def test_init_finds_the_series_of_a_panel_and_decimal_commas(call: Call, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = pd.date_range("2021-01-01", periods=300).strftime("%Y-%m-%d")
    prices = 1234 + rng.normal(size=(2, 300)).cumsum(1)
    table = pd.DataFrame(
        {
            "day": np.tile(days, 2),
            "shop": np.repeat(["north", "south"], 300),
            "price": [f"{v:,.2f}".translate(str.maketrans(",.", ".,")) for v in prices.ravel()],
        }
    )
    table.sample(frac=1, random_state=0).to_csv("shops.csv", sep=";", index=False)
    made = call("init", "shops.csv")
    assert made.code == 0, made.err
    assert "roles: {time: day, series: shop}" in made.out and "columns: [price]" in made.out
    assert "2 series by 'shop'" in made.err
    (tmp_path / "shops.yaml").write_text(made.out)
    assert call("validate", "shops.yaml").code == 0
    values = prepare(load_config("shops.yaml").data).panel.series[0].values
    assert np.allclose(values[:, 0], np.round(prices[0], 2))


def test_an_interrupted_run_is_found_by_its_name(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "experiments" / "runs" / "tiny" / "20260101T000000Z-abcd"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(TINY)
    assert f"finish it with `undula run --resume {folder.relative_to(tmp_path)}" in call("sample", "tiny").err
    assert "did you mean 'tiny'?" in call("sample", "tinny").err


def test_help_names_every_command(call: Call) -> None:
    text = call("--help").out
    for command in ("run", "sample", "components", "presets", "validate", "schema", "init"):
        assert command in text
    assert call("--version").out.startswith("undula 0.")


def test_help_imports_no_torch() -> None:
    code = (
        "import sys, undula.cli\n"
        "heavy = {'torch', 'numpy', 'pandas', 'scipy', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "import undula\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
