"""The façade: fit, sample, save, load, with every kind of data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from undula import DataOptions, DiffusionModel
from undula.core.errors import ConfigError, IncompatibleError, RunError, UnknownNameError
from undula.core.files import read_tensors, write_tensors
from undula.training.engine import Engine

from .small import QUICK, SMALL, frame, model


@pytest.fixture(scope="module")
def fitted() -> DiffusionModel:
    return model().fit(frame())


def test_one_line_works_in_the_datas_units(fitted: DiffusionModel) -> None:
    samples = fitted.sample(30, seed=1)
    assert samples.shape == (30, 8, 2)
    assert fitted.columns_ == ["price", "volume"]
    assert 200 < samples[..., 0].mean() < 300
    assert 5e5 < samples[..., 1].mean() < 4e6


def test_a_frame_names_what_it_holds(fitted: DiffusionModel) -> None:
    table = fitted.sample_frame(3, seed=1)
    assert list(table.columns) == ["sample", "step", "price", "volume"]
    assert table["sample"].tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert table["step"].tolist() == list(range(8)) * 3
    assert np.array_equal(table[["price", "volume"]].to_numpy().reshape(3, 8, 2), fitted.sample(3, seed=1))


def test_sample_i_depends_on_the_seed_and_i_alone(fitted: DiffusionModel) -> None:
    whole = fitted.sample(40, seed=7, batch_size=40)
    for n, size in ((40, 7), (15, 256), (15, 1)):
        part = fitted.sample(n, seed=7, batch_size=size)
        assert np.allclose(part, whole[:n], rtol=1e-5)
    assert np.array_equal(fitted.sample(5, seed=7), fitted.sample(5, seed=7))
    assert not np.allclose(fitted.sample(5, seed=8), whole[:5])


def test_fitting_is_deterministic_and_depends_on_the_seed() -> None:
    first, again, other = (model(seed=s).fit(frame()).sample(4) for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_a_saved_model_samples_the_same_elsewhere(fitted: DiffusionModel, tmp_path: Path) -> None:
    """In a new process, without the training data."""
    fitted.save(tmp_path / "m")
    assert sorted(p.name for p in (tmp_path / "m").iterdir()) == ["model.json", "model.safetensors"]
    code = (
        "import sys, numpy as np, undula\n"
        f"m = undula.DiffusionModel.load({str(tmp_path / 'm')!r})\n"
        f"np.save({str(tmp_path / 'x.npy')!r}, m.sample(6, seed=3))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert np.allclose(np.load(tmp_path / "x.npy"), fitted.sample(6, seed=3), rtol=1e-6)
    assert DiffusionModel.load(tmp_path / "m").outcome_ is None


def test_damaged_and_foreign_models_are_refused(fitted: DiffusionModel, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    fitted.save(folder)
    description = json.loads((folder / "model.json").read_text())
    tensors, header = read_tensors(folder / "model.safetensors")

    def broken(change: Any, match: str, error: type[Exception] = RunError) -> None:
        shutil.rmtree(folder)
        fitted.save(folder)
        change()
        with pytest.raises(error, match=match):
            DiffusionModel.load(folder)

    def write(**changes: Any) -> None:
        (folder / "model.json").write_text(json.dumps({**description, **changes}))

    broken(
        lambda: write(format_version=7),
        "format_version 7, this undula reads 2: install the undula that wrote it",
    )
    broken(lambda: (folder / "model.json").write_text("{"), "damaged")
    broken(lambda: (folder / "model.safetensors").write_bytes(b"x"), "damaged")
    broken((folder / "model.safetensors").unlink, "does not exist")
    broken(lambda: write(s=None, collator={}), "damaged")
    fewer = {k: v for k, v in tensors.items() if "project_out" not in k}
    broken(lambda: write_tensors(folder / "model.safetensors", fewer, header), "damaged")
    parts = {**description["components"], "sde": {"type": "bespoke", "params": {}}}
    broken(lambda: write(components=parts), r"unknown sde 'bespoke'.*plugins", UnknownNameError)
    with pytest.raises(RunError, match="is not a folder: give the folder that `undula run` printed"):
        DiffusionModel.load(tmp_path / "nowhere")
    with pytest.raises(RunError, match="neither a run folder nor a model's folder"):
        DiffusionModel.load(tmp_path)


def test_an_unfitted_model_says_so() -> None:
    for use in (lambda m: m.sample(1), lambda m: m.save("x"), lambda m: m.columns_):
        with pytest.raises(ConfigError, match=r"not fitted: call fit\(data\)"):
            use(model())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": 0}, "give a positive number"),
        ({"n": 1, "given": np.zeros((1, 3, 2))}, "the model is unconditional"),
        ({"n": 1, "sampler": "dim"}, r"unknown sampler 'dim'; did you mean 'ddim'\?"),
        ({"n": 1, "num_steps": 0}, "num_steps = 0"),
        ({"n": 1, "sampler": {"type": "euler", "params": {"eta": 1.0}}}, "needs alpha > 0"),
    ],
)
def test_wrong_arguments(fitted: DiffusionModel, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        fitted.sample(**arguments)


def test_sampler_and_steps_can_be_changed(fitted: DiffusionModel) -> None:
    plain = fitted.sample(3)
    assert not np.allclose(fitted.sample(3, num_steps=9), plain)
    assert not np.allclose(fitted.sample(3, sampler="heun"), plain)
    shares: list[float] = []
    fitted.sample(10, batch_size=4, on_progress=shares.append)
    assert shares[-1] == pytest.approx(1.0)
    assert shares == sorted(shares)


def test_components_that_do_not_go_together_are_refused_before_training() -> None:
    with pytest.raises(IncompatibleError, match="use v, x0, velocity or edm"):
        model(objective="score_matching", sde="rectified").fit(frame())
    with pytest.raises(IncompatibleError, match="needs windows of one fixed length"):
        model(architecture="mlp", data=DataOptions(predict_len=None)).fit(
            [np.random.randn(n, 1) for n in range(9, 40)]
        )


@pytest.mark.parametrize("architecture", ["mlp", "unet", "transformer"])
def test_every_architecture_fits_and_samples(architecture: str) -> None:
    params = {
        "mlp": {"model_dim": 16, "num_layers": 1},
        "unet": {"channels": [8, 16], "blocks": 1},
        "transformer": SMALL["params"],
    }
    spec = {"type": architecture, "params": params[architecture]}
    assert model(architecture=spec).fit(frame()).sample(2).shape == (2, 8, 2)


@pytest.mark.parametrize("method", ["standardise", "minmax", "robust", "quantile"])
def test_every_scaling_comes_back_in_units(method: str) -> None:
    samples = model(preprocessing={"type": "raw", "params": {"method": method}}).fit(frame()).sample(20)
    assert 150 < samples[..., 0].mean() < 350


# -- other data ------------------------------------------------------------------------------------


def test_arrays_of_windows_and_of_one_series() -> None:
    rng = np.random.default_rng(0)
    assert model().fit(rng.normal(size=(60, 8, 3))).sample(2).shape == (2, 8, 3)
    assert model().fit(rng.normal(size=(400, 3))).sample(2).shape == (2, 8, 3)
    assert model().fit(rng.normal(size=400)).sample(2).shape == (2, 8, 1)


def test_series_of_different_lengths() -> None:
    """Lengths of samples follow the training series'; one and the same whatever the batch."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(n, 2)).cumsum(0) for n in rng.integers(6, 30, 60)]
    trained = model(data=DataOptions(predict_len=None)).fit(arrays)
    samples = trained.sample(30, seed=2)
    lengths = [len(s) for s in samples]
    assert min(lengths) >= 6 and max(lengths) < 30 and len(set(lengths)) > 8
    for a, b in zip(samples, trained.sample(30, seed=2, batch_size=4), strict=True):
        assert np.allclose(a, b, atol=1e-6)
    assert np.asarray(trained.sample(3, length=11)).shape == (3, 11, 2)
    assert sorted(trained.sample_frame(4)["sample"].unique()) == [0, 1, 2, 3]


def test_any_length_where_the_network_takes_it(fitted: DiffusionModel) -> None:
    assert fitted.sample(2, length=13).shape == (2, 13, 2)
    fixed = model(architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}}).fit(frame())
    with pytest.raises(ConfigError, match="makes windows of 8 steps only"):
        fixed.sample(2, length=13)


def test_missing_values_with_a_masked_loss() -> None:
    table = frame()
    table.loc[table.index % 7 == 3, "price"] = np.nan
    trained = model(data=DataOptions(predict_len=8, missing="mask")).fit(table)
    assert trained.collator_.layout.aligned == {"observed": 2}
    samples = trained.sample(10)
    assert np.isfinite(samples).all()
    assert 150 < samples[..., 0].mean() < 350


def test_init_from_starts_where_another_ended(fitted: DiffusionModel, tmp_path: Path) -> None:
    fitted.save(tmp_path / "m")
    again = model(
        training={**QUICK, "max_steps": 1, "learning_rate": 1e-12, "init_from": str(tmp_path / "m")}
    )
    assert np.allclose(again.fit(frame()).sample(3), fitted.sample(3), rtol=1e-4)
    wider = model(
        architecture={"type": "transformer", "params": {**SMALL["params"], "model_dim": 32}},
        training={**QUICK, "init_from": str(tmp_path / "m")},
    )
    with pytest.raises(RunError, match="do not fit this network"):
        wider.fit(frame())


def test_training_options_reach_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    original = Engine.run

    def spy(self: Engine, resume: bool = False) -> Any:
        seen.update(networks=self.task.networks, options=self.options)
        return original(self, resume)

    monkeypatch.setattr(Engine, "run", spy)
    model(
        training={
            **QUICK,
            "gradient_checkpointing": True,
            "ema_decay": 0.0,
            "clip_norm": None,
            "precision": "bf16",
        }
    ).fit(frame())
    assert seen["networks"][0].gradient_checkpointing is True


def test_learnability_on_ar1() -> None:
    """A small network comes within 15 % of the exact denoiser's loss on AR(1)."""
    from undula import GaussianDenoiser
    from undula.core.randomness import Stream

    options = DataOptions(dataset="ar1", predict_len=16)
    trained = model(
        architecture={"type": "mlp", "params": {"model_dim": 128, "num_layers": 2}},
        data=options,
        training={"batch_size": 256, "max_steps": 600, "learning_rate": 3e-3, "sample_every": None},
    ).fit()
    path = trained.denoiser_.path
    steps = torch.arange(16, dtype=torch.float64)
    exact = GaussianDenoiser(path, torch.zeros(1, 16).double(), 0.9 ** (steps[:, None] - steps).abs())
    x_0 = torch.linalg.cholesky(exact.covariance) @ torch.randn(16, 2000, dtype=torch.float64)
    x_0 = x_0.mT[:, None]
    losses = []
    for denoiser in (trained.denoiser_, exact):
        total = 0.0
        for t in torch.linspace(0.05, 0.95, 10).tolist():
            level = path.level(t)
            eps = Stream(0, "law").normal(0, torch.arange(2000), 1, 16, torch.float64)
            x_t = path.perturb(x_0, eps, level)
            kind = torch.float32 if denoiser is trained.denoiser_ else torch.float64
            with torch.no_grad():
                total += float((denoiser(x_t.to(kind), level) - x_0).square().mean()) / level.sigma**2
        losses.append(total)
    assert losses[0] < 1.15 * losses[1]


def test_scikit_learn_manners() -> None:
    model = DiffusionModel(architecture="mlp", seed=3)
    assert repr(model) == "DiffusionModel(architecture='mlp', seed=3)"
    params = model.get_params()
    assert params["architecture"] == "mlp"
    assert DiffusionModel(**params).get_params() == params
    assert model.set_params(seed=4) is model
    assert model.seed == 4
    with pytest.raises(ConfigError, match="no parameter 'architecure'; did you mean 'architecture'"):
        model.set_params(architecure="unet")
    sklearn = pytest.importorskip("sklearn.base")
    assert sklearn.clone(model).get_params() == model.get_params()


@pytest.mark.parametrize("wrong", [{"batch_size": 0}, {"length": 0}])
def test_sizes_are_positive(wrong: dict[str, int]) -> None:
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}},
        objective="flow_matching",
        data={"dataset": "ar1", "predict_len": 8, "stride": 50},
        training={"max_steps": 1, "sample_every": None},
    ).fit()
    with pytest.raises(ConfigError, match="give a positive number"):
        model.sample(2, **wrong)


@pytest.mark.parametrize(
    ("block", "values"), [("training", {"learning_rte": 1}), ("data", {"predict_len": 0})]
)
def test_a_wrong_option_is_one_message(block: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{block}: .*{next(iter(values))}"):
        DiffusionModel(**{block: values}).fit(np.zeros((100, 1)))


def test_a_calibrated_model_has_the_moments_of_its_training_windows(tmp_path: Path) -> None:
    """Even of a network that has learned next to nothing; and a saved one stays calibrated."""
    calibrated = {"type": "decorrelate", "params": {"over": "window", "calibrate": True}}
    fitted = model(preprocessing=calibrated).fit(frame())
    windows = np.lib.stride_tricks.sliding_window_view(frame()[["price", "volume"]][:280], 8, axis=0)
    samples = np.asarray(fitted.sample(4000, seed=3))
    spread = windows.std(0).T
    assert np.allclose(samples.mean(0), windows.mean(0).T, atol=0.2 * spread.min(0))
    assert np.allclose(samples.std(0), spread, rtol=0.15)
    assert any("calibrated" in note for note in fitted.notes())
    fitted.save(tmp_path / "model")
    assert np.allclose(DiffusionModel.load(tmp_path / "model").sample(4, seed=3), samples[:4], rtol=1e-4)


def test_calibration_is_for_unconditional_models() -> None:
    calibrated = {"type": "decorrelate", "params": {"calibrate": True}}
    with pytest.raises(IncompatibleError, match=r"calibrate: true is for unconditional.*history"):
        model(preprocessing=calibrated, data=DataOptions(predict_len=8, history_len=4)).fit(frame())


def test_calibration_comes_last() -> None:
    calibrated = {"type": "decorrelate", "params": {"calibrate": True}}
    with pytest.raises(ConfigError, match="only its last step can calibrate"):
        model(preprocessing=[calibrated, "raw"]).compose()
