"""A latent model from the command line: stage by stage, its probe, reconstructions, statistics of samples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .command import Call

LATENT = """
experiment: {name: latent, seed: 3}
components:
  preprocessing: [raw, {type: vae, params: {latent_dim: 3, hidden_dim: 16, steps: 12, kl_warmup: 3}}]
  architecture: {type: mlp, params: {model_dim: 16, num_layers: 1}}
  sampler: {type: ddim, params: {num_steps: 4}}
data: {dataset: ar1, predict_len: 16, stride: 8}
training: {batch_size: 256, num_epochs: 2, log_every: 3, validate_every: 5, sample_every: 2, threads: 1}
evaluation: {num_samples: 120, bootstrap: 20, metrics: [std, acf, energy_distance], baselines: [gaussian]}
"""


@pytest.fixture
def latent(call: Call, tmp_path: Path) -> Call:
    (tmp_path / "latent.yaml").write_text(LATENT)
    return call


def only_run(folder: Path) -> Path:
    (run,) = (folder / "experiments" / "runs" / "latent").iterdir()
    return run


@pytest.mark.slow
def test_stage_by_stage(latent: Call, tmp_path: Path) -> None:
    early = latent("run", "latent.yaml", "--stage", "diffusion")
    assert early.code == 2 and "no run of 'latent' waits for its diffusion stage" in early.err

    first = latent("run", "latent.yaml", "--stage", "vae")
    assert first.code == 0, first.err
    run = only_run(tmp_path)
    assert first.out.startswith("bottleneck probe: ") and "decode(prior)" in first.out
    assert (
        f"go on with: undula run --resume experiments/runs/latent/{run.name} --stage diffusion" in first.out
    )
    assert json.loads((run / "results.json").read_text())["status"] == "vae_trained"
    assert (run / "checkpoints" / "vae" / "last.safetensors").is_file()
    assert (run / "checkpoints" / "vae" / "best.safetensors").is_file()
    assert (run / "plots" / "bottleneck.png").is_file() and not (run / "model").exists()
    assert list((run / "vae").glob("*tfevents*"))

    shown = latent("plot", "latent", "--what", "reconstructions")
    assert shown.code == 0, shown.err
    names = [Path(line).name for line in shown.out.splitlines()]
    assert names[0] == "vae_recon_idx_000.png" and len(names) == 6
    assert all(Path(line).is_file() for line in shown.out.splitlines())

    kept = latent("run", "latent.yaml", "--stage", "diffusion", "--set", "training.num_epochs=3")
    assert kept.code == 2 and "goes on with a run's own config" in kept.err
    second = latent("run", "latent.yaml", "--stage", "diffusion")
    assert second.code == 0, second.err
    assert f"going on with experiments/runs/latent/{run.name}" in second.err
    results = json.loads((run / "results.json").read_text())
    assert results["status"] == "finished"
    assert results["stages"]["vae"]["steps"] == 12
    assert results["bottleneck"]["units"]["total"] == 3
    assert "vae_only" in results["metrics"]["std"]["baselines"]
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert {line.get("stage") for line in lines} == {"vae", None}
    assert any("vae/active_units" in line for line in lines)
    page = (run / "report.html").read_text()
    assert "What the latent space lets through" in page and "decode(posterior)" in page
    done = latent("run", "--resume", str(run), "--stage", "vae")
    assert done.code == 2 and "is finished, its autoencoder too" in done.err
    again = latent("run", "latent.yaml", "--stage", "diffusion")
    assert again.code == 2 and "waits for its diffusion stage" in again.err

    drawn = latent("sample", "latent", "-n", "20")
    assert drawn.code == 0, drawn.err
    assert [Path(line).name for line in drawn.out.splitlines()][1] == "real_vs_gen_000.png"
    assert all(Path(line).is_file() for line in drawn.out.splitlines())
    assert "from the posterior's draws to the prior: Wasserstein" in drawn.err
    assert "decoded prior, value: std" in drawn.err
    told = json.loads(latent("sample", "latent", "-n", "20", "--pictures", "0", "--json").out)
    assert told["pictures"] == [] and len(told["latents"]["sd"]) == 3
    assert set(told["mismatch"]) == {"prior", "generated", "floor"}
    everything = latent("plot", "latent")
    assert everything.code == 0 and "vae_recon_idx_000.png" in everything.out


def test_without_its_data_a_latent_model_is_still_sampled(latent: Call, tmp_path: Path) -> None:
    np.savetxt(tmp_path / "v.csv", np.random.default_rng(0).normal(size=1200), header="v", comments="")
    changes = ("--set", "data={path: v.csv, predict_len: 16}", "--set", "data.dataset=null")
    assert latent("run", "latent.yaml", *changes, "--quiet").code == 0
    (tmp_path / "v.csv").unlink()
    drawn = latent("sample", "latent", "-n", "5")
    assert drawn.code == 0 and len(drawn.out.splitlines()) == 1
    assert "no figures beside the run's data, which cannot be read" in drawn.err
    refused = latent("sample", "latent", "-n", "5", "--pictures", "2")
    assert refused.code == 2 and "v.csv" in refused.err


def test_models_of_one_stage_say_so(latent: Call, finished: Path) -> None:
    for stage in ("vae", "diffusion"):
        arguments = ("run", "--resume", str(finished), "--stage", stage)
        refused = latent(*arguments)
        assert refused.code == 2 and f"stage {stage}: this model has one stage only" in refused.err
    shown = latent("plot", str(finished), "--what", "reconstructions")
    assert shown.code == 2 and "has no autoencoder to reconstruct windows" in shown.err
    drawn = latent("sample", str(finished), "-n", "7", "--pictures", "3", "-o", "s.csv")
    assert drawn.code == 0
    assert [Path(p).name for p in drawn.out.splitlines()] == [
        "s.csv",
        "real_vs_gen_000.png",
        "real_vs_gen_001.png",
    ]
    pictureless = latent("sample", str(finished / "model"), "-n", "2", "--pictures", "1", "-o", "t.csv")
    assert pictureless.code == 2 and "--pictures needs a run folder" in pictureless.err


def test_validate_tells_costs_without_training_the_autoencoder(latent: Call, tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text(LATENT.replace("steps: 12", "steps: 1000000000"))
    checked = latent("validate", "long.yaml")
    assert checked.code == 0, checked.err
    assert " h of its autoencoder" in checked.out
