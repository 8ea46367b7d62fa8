"""The façade: fit, sample, save, load, with every kind of data."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from undula import DataOptions, DiffusionModel
from undula.core.errors import ConfigError, DataError, IncompatibleError, RunError, UnknownNameError
from undula.core.files import read_tensors, write_tensors
from undula.data.options import Roles
from undula.training.engine import Engine

SMALL = {"type": "transformer", "params": {"model_dim": 16, "num_heads": 2, "num_layers": 1, "patch_size": 2}}
QUICK = {"batch_size": 32, "max_steps": 12, "log_every": 5, "validate_every": 6}


def frame(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    wave = np.sin(np.arange(rows) / 5)
    return pd.DataFrame(
        {
            "date": pd.date_range("2020-01-01", periods=rows),
            "price": 250.0 + 10 * wave + rng.normal(size=rows),
            "volume": 1e6 * (2 + wave + 0.1 * rng.normal(size=rows)),
        }
    )


def model(**changes: Any) -> DiffusionModel:
    settings: dict[str, Any] = {
        "architecture": SMALL,
        "objective": "flow_matching",
        "sampler": {"type": "ddim", "params": {"num_steps": 4}},
        "data": DataOptions(predict_len=8),
        "training": QUICK,
    }
    return DiffusionModel(**{**settings, **changes})


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


CONDITIONAL = DataOptions(
    history_len=6,
    predict_len=8,
    roles=Roles(target=["price"], known_covariates=["volume"], calendar=["day_of_week"]),
)


@pytest.fixture(scope="module")
def conditional() -> DiffusionModel:
    return model(data=CONDITIONAL, training={**QUICK, "max_steps": 40}).fit(frame())


def test_a_conditional_model_needs_to_be_told(conditional: DiffusionModel) -> None:
    with pytest.raises(
        DataError, match=r"conditioned on history, covariates: pass `given`.*unconditional=True"
    ):
        conditional.sample(3)
    assert conditional.sample(3, unconditional=True).shape == (3, 8, 1)


def test_a_conditional_model_uses_what_it_is_told(conditional: DiffusionModel) -> None:
    table = frame(60)
    table.loc[52:, "price"] = np.nan  # the future: its covariate is known, its target is not
    samples = conditional.sample(4, seed=1, given=table)
    assert samples.shape == (4, 8, 1)
    higher = table.assign(price=table["price"] + 40)
    assert not np.allclose(conditional.sample(4, seed=1, given=higher), samples)
    busier = table.assign(volume=table["volume"] * 2)
    assert not np.allclose(conditional.sample(4, seed=1, given=busier), samples)
    assert not np.allclose(conditional.sample(4, seed=1, unconditional=True), samples)


def test_what_is_told_is_checked(conditional: DiffusionModel, tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"10 rows after cleaning, the model needs 14: 6 of history and 8 of known"
    ):
        conditional.sample(1, given=frame(10))
    with pytest.raises(DataError, match="no column 'volume'"):
        conditional.sample(1, given=frame(30).drop(columns="volume"))
    holes = frame(30)
    holes.loc[18, "price"] = np.nan
    with pytest.raises(DataError, match="missing values in its history"):
        conditional.sample(1, given=holes)
    with pytest.raises(DataError, match="needs covariates: pass `given` as a table"):
        conditional.sample(1, given=np.zeros((1, 6, 1)))
    frame(30).to_csv(tmp_path / "given.csv", index=False)
    assert conditional.sample(1, given=tmp_path / "given.csv").shape == (1, 8, 1)


def test_histories_as_an_array() -> None:
    trained = model(data=DataOptions(history_len=6, predict_len=8)).fit(frame())
    histories = frame()[["price", "volume"]].to_numpy()[:24].reshape(4, 6, 2)
    samples = trained.sample(8, given=histories)
    assert samples.shape == (8, 8, 2)
    one = trained.sample(5, given=histories[:1])
    assert np.allclose(samples[[0, 4]], one[[0, 4]], rtol=1e-5), (
        "sample i is told window i modulo their number"
    )
    with pytest.raises(DataError, match=r"expected \(N, 6, 2\)"):
        trained.sample(1, given=np.zeros((1, 4, 2)))


def test_a_panel_with_static_columns() -> None:
    table = pd.concat([frame(400, seed=k).assign(id=f"s{k}", size=float(k)) for k in range(3)])
    options = DataOptions(
        history_len=4,
        predict_len=8,
        roles=Roles(series="id", target=["price"], static=["size"], past_covariates=["volume"]),
    )
    trained = model(data=options).fit(table)
    assert trained.collator_.layout.static == {"static": 1}
    assert trained.collator_.layout.sequence == {"history": (2, 4)}
    samples = trained.sample(6, given=table)
    assert samples.shape == (6, 8, 1)
    assert not np.allclose(samples, trained.sample(6, given=table.assign(size=5.0)))


def test_conditions_are_learned() -> None:
    """A covariate that decides the level is followed; its null gives both levels."""
    rng = np.random.default_rng(0)
    switch = np.repeat(rng.integers(0, 2, 150), 8).astype(float)
    table = pd.DataFrame({"v": 10 * switch + 0.3 * rng.normal(size=1200), "k": switch})
    options = DataOptions(predict_len=8, stride=8, roles=Roles(target=["v"], known_covariates=["k"]))
    training = {"batch_size": 64, "max_steps": 400, "learning_rate": 3e-3, "sample_every": None}
    spec = {"type": "mlp", "params": {"model_dim": 64, "num_layers": 2, "condition_dropout": 0.2}}
    trained = model(
        architecture=spec,
        data=options,
        training=training,
        sampler={"type": "dpm", "params": {"num_steps": 12}},
    )
    trained.fit(table)
    low, high = (
        trained.sample(50, given=pd.DataFrame({"v": np.zeros(8), "k": np.full(8, k)})) for k in (0.0, 1.0)
    )
    assert abs(float(np.mean(low))) < 1.5
    assert abs(float(np.mean(high)) - 10) < 1.5
    both = np.asarray(trained.sample(300, unconditional=True)).mean((1, 2))
    assert (both < 3).mean() > 0.2 and (both > 7).mean() > 0.2


# -- training options ------------------------------------------------------------------------------


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


def test_exact_data_are_scored_in_bits() -> None:
    """The bound of a trained model on AR(1) is near the exact entropy; more steps bring it nearer."""
    options = DataOptions(dataset="ar1", predict_len=16)
    bits = []
    for steps in (5, 500):
        trained = model(
            architecture={"type": "mlp", "params": {"model_dim": 64, "num_layers": 2}},
            objective="variational_bound",
            sde="vpsde",
            data=options,
            training={
                "batch_size": 256,
                "max_steps": steps,
                "learning_rate": 3e-3,
                "warmup_steps": 20,
                "sample_every": None,
            },
        ).fit()
        bits.append(trained.bits_per_dim(num_times=8))
    covariance = 0.9 ** np.abs(np.subtract.outer(np.arange(16), np.arange(16)))
    entropy = 0.5 * (np.log(2 * np.pi * np.e) + np.linalg.slogdet(covariance)[1] / 16) / np.log(2)
    assert bits[1] < bits[0] - 0.3
    assert entropy - 0.1 < bits[1] < entropy + 0.35


def test_units_change_the_bound_by_their_logarithm() -> None:
    """Bits per number in units a factor larger are log₂ of that factor more."""
    table = frame()[["price"]]
    plain = model(objective="variational_bound", sde="vpsde").fit(table)
    scaled = model(objective="variational_bound", sde="vpsde").fit(table * 8)
    assert scaled.bits_per_dim(table * 8) == pytest.approx(plain.bits_per_dim(table) + 3, abs=1e-3)


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


def test_all_the_windows_that_are_given_count_in_the_bound() -> None:
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}},
        objective="variational_bound",
        data={"dataset": "ar1", "predict_len": 8, "stride": 8},
        training={"max_steps": 2, "sample_every": None},
    ).fit()
    windows = np.random.default_rng(0).normal(size=(40, 8, 1))
    wild = windows.copy()
    wild[:4] *= 50
    assert model.bits_per_dim(wild) > model.bits_per_dim(windows) + 1


def test_samples_of_different_lengths_have_those_of_what_is_given() -> None:
    """Sample i is as long as the window whose covariates it was given, whatever the batch size."""
    rng = np.random.default_rng(0)
    rows = []
    for name, length in enumerate(rng.integers(6, 20, 60)):
        rows += [(name, t, rng.normal(), np.sin(t)) for t in range(length)]
    table = pd.DataFrame(rows, columns=["id", "t", "v", "known"])
    model = DiffusionModel(
        architecture={"type": "transformer", "params": {"model_dim": 16, "num_heads": 2, "num_layers": 1}},
        objective="flow_matching",
        sampler={"type": "ddim", "params": {"num_steps": 3}},
        data={
            "predict_len": None,
            "roles": {"series": "id", "time": "t", "target": ["v"], "known_covariates": ["known"]},
        },
        training={"max_steps": 2, "sample_every": None},
    ).fit(table)
    given = table[table["id"].isin([3, 4, 5])]
    lengths = given.groupby("id").size().to_list()
    samples = model.sample(6, seed=1, given=given)
    assert [len(s) for s in samples] == lengths * 2
    alone = model.sample(6, seed=1, given=given, batch_size=1)
    assert max(np.abs(a - b).max() for a, b in zip(samples, alone, strict=True)) < 1e-5


@pytest.mark.parametrize(
    ("block", "values"), [("training", {"learning_rte": 1}), ("data", {"predict_len": 0})]
)
def test_a_wrong_option_is_one_message(block: str, values: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"{block}: .*{next(iter(values))}"):
        DiffusionModel(**{block: values}).fit(np.zeros((100, 1)))
