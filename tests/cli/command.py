"""Calling the command line inside the test's process, and as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from undula.cli import main

TINY = """
experiment: {name: tiny, description: "A test", seed: 3}
components:
  architecture: {type: transformer, params: {model_dim: 16, num_heads: 2, num_layers: 1, patch_size: 4}}
  sde: rectified
  objective: flow_matching
  sampler: {type: ddim, params: {num_steps: 4}}
data: {dataset: ar1, predict_len: 16, stride: 8}
training: {batch_size: 256, num_epochs: 4, log_every: 3, validate_every: 5, sample_every: 2, threads: 1}
evaluation:
  num_samples: 120
  bootstrap: 20
  metrics: [wasserstein, ks, std, kurtosis, "quantile_1%", acf, acf_abs, copying]
  baselines: [gaussian, iid_bootstrap, block_bootstrap]
"""


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


Call = Callable[..., Result]
"""`undula ARGUMENTS` in the folder of the fixture `call`."""


def undula(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object) -> Result:
    """`undula ARGUMENTS` in this process."""
    monkeypatch.setattr(sys, "argv", ["undula", *map(str, arguments)])
    capsys.readouterr()
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    captured = capsys.readouterr()
    return Result(code, captured.out, captured.err)


def process(folder: Path, *arguments: object, timeout: float = 120) -> Result:
    """`undula ARGUMENTS` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "undula", *map(str, arguments)],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Result(done.returncode, done.stdout, done.stderr)
