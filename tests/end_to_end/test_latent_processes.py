"""A run in two stages: killed in either, resumed; on two devices."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
import torch

from undula.core.files import read_tensors

from ..cli.command import TINY, process
from .test_processes import LONGER, assert_same, only_run, start, trace, wait_for_steps

VAE = "{type: vae, params: {latent_dim: 3, hidden_dim: 16, steps: 300, kl_warmup: 50}}"
LATENT = (
    *LONGER,
    "--set",
    f"components.preprocessing=[raw, {VAE}]",
    "--set",
    "components.architecture={type: mlp, params: {model_dim: 16, num_layers: 1}}",
    "--quiet",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tiny.yaml").write_text(TINY)
    return tmp_path


def autoencoder(folder: Path, out: str) -> dict[str, torch.Tensor]:
    return read_tensors(only_run(folder, out) / "checkpoints" / "vae" / "last.safetensors")[0]


@pytest.mark.slow
def test_kill_and_resume_in_either_stage_is_bit_for_bit(folder: Path) -> None:
    assert process(folder, "run", "tiny.yaml", *LATENT, "--out", "whole").code == 0
    generator = random.Random(0)
    child = start(folder, "run", "tiny.yaml", *LATENT, "--out", "broken")
    wait_for_steps(folder, "broken", 30 + round(200 * generator.random()), child)
    child.kill()  # in the autoencoder's training
    child.communicate()
    assert not (only_run(folder, "broken") / "checkpoints" / "last.safetensors").exists()
    child = start(folder, "run", "--resume", only_run(folder, "broken"), "--quiet")
    last = only_run(folder, "broken") / "checkpoints" / "last.safetensors"
    while child.poll() is None and not last.exists():
        time.sleep(0.02)
    child.kill()  # in the diffusion's
    child.communicate()
    child = start(folder, "run", "--resume", only_run(folder, "broken"), "--quiet")
    _, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    first, second = autoencoder(folder, "whole"), autoencoder(folder, "broken")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert_same(only_run(folder, "whole"), only_run(folder, "broken"))


@pytest.mark.slow
def test_two_devices_train_the_same_autoencoder(folder: Path) -> None:
    short = (*LATENT, "--set", "training.num_epochs=3")
    assert process(folder, "run", "tiny.yaml", *short, "--out", "one").code == 0
    two = process(
        folder, "run", "tiny.yaml", *short, "--out", "two", "--set", "training.devices=2", timeout=240
    )
    assert two.code == 0, two.err
    first, second = autoencoder(folder, "one"), autoencoder(folder, "two")
    for name, tensor in first.items():
        if name.startswith(("weights.", "ema.")):
            assert torch.allclose(tensor, second[name], atol=1e-3), name
    lines = [trace(only_run(folder, out))[0] for out in ("one", "two")]
    for a, b in zip(*lines, strict=True):
        assert a.keys() == b.keys()
        if "vae/loss" in a:
            assert a["vae/loss"] == pytest.approx(b["vae/loss"], rel=1e-3)
