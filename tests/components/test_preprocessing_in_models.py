"""Models on every map: with and without a history and covariates, saved, loaded, sampled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from undula import DiffusionModel, ExperimentRunner
from undula.config.loading import load_config
from undula.core.errors import IncompatibleError
from undula.diffusion.loss import DiffusionLoss, TrainingBatch

SPECS: list[dict[str, Any]] = [
    {"type": "log_return"},
    {"type": "difference", "params": {"lag": 2}},
    {"type": "wavelet"},
    {"type": "fourier"},
    {"type": "multi_scale"},
    {"type": "decorrelate"},
    {"type": "gaussianise"},
]
every = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec["type"])


def walks(steps: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    prices = 100 * np.exp(0.01 * rng.normal(size=(steps, 2)).cumsum(0))
    frame = pd.DataFrame(prices, columns=["a", "b"])
    frame["known"] = np.sin(np.arange(steps) / 7)
    frame["date"] = pd.date_range("2020-01-01", periods=steps, freq="D").strftime("%Y-%m-%d")
    return frame


def model(spec: dict[str, Any], **data: Any) -> DiffusionModel:
    return DiffusionModel(
        preprocessing=spec,
        architecture={"type": "transformer", "params": {"model_dim": 8, "num_layers": 1, "num_heads": 2}},
        data={"predict_len": 21, **data},
        training={"max_steps": 2, "batch_size": 8},
    )


@every
def test_without_a_condition(spec: dict[str, Any], tmp_path: Path) -> None:
    fitted = model(spec).fit(walks()[["a", "b"]].to_numpy())
    samples = fitted.sample(3, seed=1, num_steps=3)
    fitted.save(tmp_path)
    assert np.array_equal(DiffusionModel.load(tmp_path).sample(3, seed=1, num_steps=3), samples)
    assert samples.shape == (3, 21, 2) and 20 < samples.mean() < 500


@every
def test_with_a_history_and_covariates(spec: dict[str, Any], tmp_path: Path) -> None:
    frame = walks()
    roles = {"target": ["a", "b"], "known_covariates": ["known"]}
    fitted = model(spec, history_len=8, roles=roles).fit(frame)
    told: dict[str, Any] = {"given": frame.iloc[:29], "num_steps": 3}
    samples = fitted.sample(3, seed=1, **told)
    fitted.save(tmp_path)
    assert np.array_equal(DiffusionModel.load(tmp_path).sample(3, seed=1, **told), samples)
    assert np.isfinite(fitted.sample(3, seed=1, unconditional=True, num_steps=3)).all()
    if spec["type"] == "log_return":
        last = frame[["a", "b"]].to_numpy()[7]
        assert np.abs(np.log(samples[:, 0] / last)).max() < 0.1


@every
def test_missing_values_and_other_lengths_are_refused(spec: dict[str, Any]) -> None:
    gaps = walks()[["a", "b"]]
    gaps.iloc[50:60, 0] = np.nan
    with pytest.raises(IncompatibleError, match="missing values"):
        model(spec, missing="mask").fit(gaps)
    series = [walks(n)[["a", "b"]].to_numpy() for n in range(30, 70)]
    with pytest.raises(IncompatibleError, match="windows of one length"):
        model(spec, predict_len=None).fit(series)


def test_a_networks_precision_is_not_the_datas(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = model({"type": "decorrelate"}).fit(walks()[["a", "b"]].to_numpy())
    parts, seen = fitted.parts_, []
    x = torch.from_numpy(walks(21)[["a", "b"]].to_numpy().T[None].copy()).float()
    loss = DiffusionLoss(fitted.denoiser_, parts.objective, parts.preprocessing, 0, 0.0)

    def spy(denoiser: Any, x_0: torch.Tensor, *rest: Any) -> torch.Tensor:
        seen.append(x_0)
        return x_0.mean((1, 2))

    monkeypatch.setattr(type(parts.objective), "losses", lambda self, *args: spy(*args))
    with torch.autocast("cpu", torch.bfloat16):
        loss(TrainingBatch(x, None), 0, torch.arange(1), 1)
    assert torch.equal(seen[0], parts.preprocessing.transform(x))


@pytest.mark.slow
@every
def test_a_run_from_a_config(spec: dict[str, Any], tmp_path: Path) -> None:
    walks(1500).drop(columns="known").to_csv(tmp_path / "walks.csv", index=False)
    config = tmp_path / "run.yaml"
    config.write_text(f"""
experiment: {{name: tiny}}
components: {{preprocessing: {spec}, architecture: {{type: mlp, params: {{model_dim: 16}}}}}}
data: {{path: {tmp_path}/walks.csv, history_len: 8, predict_len: 21}}
training: {{max_steps: 5}}
evaluation: {{num_samples: 100, bootstrap: 5}}
""")
    result = ExperimentRunner(load_config(str(config)), out=str(tmp_path / "out"), quiet=True).run()
    assert result is not None and result.results["status"] == "finished"
