"""Diffusion in latents through the façade: samples, files, resuming, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from undula import DataOptions, DiffusionModel
from undula.core.errors import IncompatibleError
from undula.core.files import read_tensors
from undula.model import FitHooks
from undula.training.loggers import JSONLinesLogger

from .small import QUICK, frame, model

VAE = {"type": "vae", "params": {"latent_dim": 3, "hidden_dim": 16, "steps": 20, "kl_warmup": 5}}


def latent(**changes: Any) -> DiffusionModel:
    mlp = {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}}
    return model(preprocessing=["raw", VAE], architecture=mlp, **changes)


@pytest.fixture(scope="module")
def fitted() -> DiffusionModel:
    return latent().fit(frame())


def test_samples_are_windows_in_units_whatever_the_batch(fitted: DiffusionModel) -> None:
    batches: list[np.ndarray] = []
    whole = np.asarray(fitted.sample(9, seed=4, on_diffused=batches.append))
    assert whole.shape == (9, 8, 2)
    assert [b.shape for b in batches] == [(9, 3, 1)]
    assert np.allclose(fitted.sample(9, seed=4, batch_size=2), whole, rtol=1e-6)
    assert np.allclose(fitted.sample(3, seed=4), whole[:3], rtol=1e-6)
    assert whole[..., 1].mean() == pytest.approx(2e6, rel=0.5)


def test_it_is_saved_with_its_autoencoder(fitted: DiffusionModel, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    again = DiffusionModel.load(tmp_path)
    assert np.array_equal(again.sample(5, seed=1), fitted.sample(5, seed=1))
    tensors, _ = read_tensors(tmp_path / "model.safetensors")
    assert any(name.startswith("preprocessing.steps:1.network.decoder.") for name in tensors)
    assert again.stage_outcome_ is None


def test_what_is_diffused_has_unit_variance(fitted: DiffusionModel) -> None:
    assert fitted.denoiser_.parametrization.s == pytest.approx(1.0, abs=0.05)


def test_training_draws_latents_afresh_in_every_step(fitted: DiffusionModel) -> None:
    from undula.data.prepare import prepare

    prepared = prepare(DataOptions(predict_len=8), frame())
    untrained = latent()
    loss = untrained.assemble(prepared)
    seen: list[torch.Tensor] = []
    loss.objective = _Recorder(seen)  # type: ignore[assignment]
    from undula.model.fitting import training_batch

    batch = training_batch(untrained.collator_, prepared.parts.train.batch(np.arange(4)))
    for step, position in ((0, 0), (1, 0), (0, 0), (0, 4)):
        loss.losses(batch, step, torch.arange(4) + position, 8)
    assert torch.equal(seen[0], seen[2])
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[0], seen[3])
    assert untrained.stage_outcome_ is None  # assembling is a rehearsal


class _Recorder:
    def __init__(self, seen: list[torch.Tensor]) -> None:
        self.seen = seen

    def times(self, path: Any, stream: Any, step: int, position: torch.Tensor, size: int) -> torch.Tensor:
        return torch.full((len(position),), 0.5)

    def losses(self, denoiser: Any, x_0: torch.Tensor, *rest: Any) -> torch.Tensor:
        self.seen.append(x_0)
        return x_0.flatten(1).mean(1)


def test_an_interrupted_autoencoder_goes_on_bit_for_bit(tmp_path: Path) -> None:
    """Stopped in the middle of its first stage, resumed, it ends as if it had not been."""
    stops = _Stop(tmp_path / "b.jsonl", at=10)
    options = {**QUICK, "checkpoint_every": 1e-6, "log_every": 5}
    whole = latent(training=options).fit(
        frame(), FitHooks(tmp_path / "w", loggers=[JSONLinesLogger(tmp_path / "w.jsonl")])
    )
    stopped = latent(training=options)
    with pytest.raises(KeyboardInterrupt):
        stopped.fit(frame(), FitHooks(tmp_path / "s", loggers=[stops]))
    assert not (tmp_path / "s" / "last.safetensors").exists()
    hooks = FitHooks(tmp_path / "s", resume=True, loggers=[JSONLinesLogger(tmp_path / "b.jsonl")])
    again = latent(training=options).fit(frame(), hooks)
    assert np.array_equal(again.sample(4), whole.sample(4))
    for name in ("vae/last", "vae/best", "last", "best"):
        one, two = (read_tensors(tmp_path / f / f"{name}.safetensors")[0] for f in ("w", "s"))
        assert all(torch.equal(one[key], two[key]) for key in one), name
    assert _log(tmp_path / "w.jsonl") == _log(tmp_path / "b.jsonl")


def _log(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [{k: v for k, v in line.items() if not k.endswith("seconds")} for line in lines]


class _Stop(JSONLinesLogger):
    """Stops the training of the autoencoder as a kill would, after a line of the log."""

    def __init__(self, path: Path, at: int, stage: str = "") -> None:
        super().__init__(path, stage)
        self.at = at

    def of_stage(self, name: str) -> _Stop:
        return _Stop(self.path, self.at, name)

    def log(self, step: int, values: dict[str, float]) -> None:
        super().log(step, values)
        if self.stage and step >= self.at:
            raise KeyboardInterrupt


def test_a_hook_may_end_it_after_the_autoencoder(tmp_path: Path) -> None:
    seen: list[DiffusionModel] = []
    stopped = latent().fit(frame(), FitHooks(tmp_path, on_stage=lambda m: seen.append(m) is not None))
    assert seen == [stopped]
    assert stopped.outcome_ is None
    assert stopped.stage_outcome_ is not None and stopped.stage_outcome_.steps == 20
    assert (tmp_path / "vae" / "last.safetensors").is_file() and not (tmp_path / "last.safetensors").exists()


def test_covariates_and_histories_reach_the_network_of_latents() -> None:
    data = DataOptions(
        predict_len=8, history_len=6, roles={"target": ["price"], "known_covariates": ["volume"]}
    )
    conditional = latent(data=data).fit(frame())
    history = frame(14)
    samples = np.asarray(conditional.sample(3, given=history))
    assert samples.shape == (3, 8, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"holes": True}, "needs whole windows"),
        ({"lengths": True}, "needs windows of one length"),
    ],
)
def test_what_latents_cannot_hold_is_refused(change: dict[str, bool], message: str) -> None:
    table = frame()
    data: Any = table
    options = DataOptions(predict_len=8, missing="mask") if "holes" in change else DataOptions()
    if "holes" in change:
        table.loc[50:52, "price"] = np.nan
    else:
        data = [table[["price"]].to_numpy()[:n] for n in (20, 30, 25, 40, 50, 22, 33, 44, 28, 36)] * 4
    with pytest.raises(IncompatibleError, match=message):
        latent(data=options).fit(data)


def test_likelihoods_and_export_are_refused_with_the_remedy(fitted: DiffusionModel, tmp_path: Path) -> None:
    with pytest.raises(IncompatibleError, match="bits per dimension need a log-determinant"):
        fitted.bits_per_dim(frame())
    with pytest.raises(IncompatibleError, match="draws its answers at random"):
        fitted.export_model(tmp_path / "latent.onnx")
