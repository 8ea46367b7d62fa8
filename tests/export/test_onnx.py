"""Exported models agree with torch, whatever they are made of, and numpy alone generates from them."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from undula import BaseArchitecture, DiffusionModel
from undula.core.errors import ConfigError, IncompatibleError
from undula.core.registry import Registry
from undula.diffusion.sampler import SampleNoise
from undula.export import onnx as writing
from undula.export.check import disagreement, example_inputs, own_outputs
from undula.export.graph import DenoiserGraph

ROOT = Path(__file__).parents[2]
SAMPLER = runpy.run_path(str(ROOT / "examples" / "numpy_sampler.py"))
MLP = {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "embedding_dim": 8}}
CONDITIONAL = {
    "history_len": 10,
    "roles": {
        "known_covariates": ["known"],
        "past_covariates": ["past"],
        "static": ["kind"],
        "series": "kind",
    },
}

LEVELS = {"at_start_scale": "log", "roles": {"at_start": ["level"]}}


def table(missing: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    one = pd.DataFrame(rng.normal(size=(600, 4)), columns=["a", "b", "known", "past"])
    both = pd.concat([one.assign(kind=1.0), (50.0 + 3.0 * one).assign(kind=2.0)])
    both["a"] = np.exp(0.1 * both["a"])
    both["b"] = 1e4 * np.exp(0.1 * both["b"])
    if missing:
        both.iloc[::7, 0] = np.nan
    return both.reset_index(drop=True)


def made(missing: bool = False, data: dict[str, Any] | None = None, **parts: Any) -> DiffusionModel:
    """A model after one step, its weights moved far from their start."""
    settings = {
        "architecture": MLP,
        "sampler": {"type": "heun", "params": {"num_steps": 6}},
        "data": {
            "columns": ["a", "b"],
            "roles": {"series": "kind"},
            "predict_len": 16,
            "split": {"train": 0.9, "val": 0.0, "test": 0.1},
            "missing": "mask" if missing else "error",
            **(data or {}),
        },
        "training": {"max_steps": 1, "batch_size": 16},
    }
    model = DiffusionModel(**{**settings, **parts}).fit(table(missing))
    with torch.no_grad():
        for parameter in model.parts_.architecture.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model


def cases(kind: str, quick: tuple[str, ...]) -> list[Any]:
    """Every registered component with the parameters of its laws; most are slow to trace."""
    known = runpy.run_path(str(ROOT / "tests" / "laws" / "params" / f"{kind}.py"))["PARAMS"]
    return [
        pytest.param(
            {"type": name, "params": params},
            id=f"{name}-{number}",
            marks=[] if name in quick and number == 0 else [pytest.mark.slow],
        )
        for name in Registry.list(kind)
        for number, params in enumerate(known.get(name, [{}]))
    ]


def exported(model: DiffusionModel, path: Path) -> writing.Exported | None:
    """What was written; None where it is refused with a reason."""
    try:
        found = model.export_model(path)
    except IncompatibleError as error:
        assert "is not exported: " in str(error) and not path.exists()
        print(error)
        return None
    assert found.error <= 1e-4 and len(set(found.shapes)) == 4
    return found


@pytest.mark.parametrize("architecture", cases("architecture", ("mlp",)))
def test_every_architecture_agrees_with_torch(architecture: dict[str, Any], tmp_path: Path) -> None:
    """Told a history, covariates and a vector, with gaps in what it is told."""
    model = made(missing=True, data=CONDITIONAL, architecture=architecture)
    found = exported(model, tmp_path / "m.onnx")
    own = ("mlp", "transformer", "unet")
    if architecture["type"] in own:
        assert found is not None
        assert found.any_length == model.parts_.architecture.any_length, found.reason


@pytest.mark.parametrize("preprocessing", cases("preprocessing", ()))
def test_every_preprocessing_agrees_with_torch(preprocessing: dict[str, Any], tmp_path: Path) -> None:
    found = exported(made(preprocessing=preprocessing), tmp_path / "m.onnx")
    if preprocessing["type"] == "raw":
        assert found is not None


@pytest.mark.slow
def test_real_steps_agree_with_torch(tmp_path: Path) -> None:
    """°F in °C, rounded: what the graph returns in the data's units are values of that sensor."""
    rows = np.cumsum(np.random.default_rng(0).normal(size=(600, 2)), axis=0).round()
    celsius = pd.DataFrame(((rows + 59 - 32) / 1.8).round(1), columns=["a", "b"])
    model = DiffusionModel(
        architecture=MLP,
        preprocessing="raw",
        sampler={"type": "heun", "params": {"num_steps": 6}},
        data={"columns": ["a", "b"], "predict_len": 16, "split": {"train": 0.9, "val": 0.0, "test": 0.1}},
        training={"max_steps": 1, "batch_size": 16},
    ).fit(celsius)
    assert exported(model, tmp_path / "m.onnx") is not None
    session, about = SAMPLER["load"](tmp_path / "m.onnx")
    found = SAMPLER["generate"](session, about, SampleNoise(5, torch.arange(3), 2, 16)(0).numpy())
    possible = ((np.arange(-500, 500) - 32) / 1.8).round(1)
    assert np.abs(found[..., None] - possible).min(-1).max() < 1e-5
    assert np.isclose(found, model.sample(3, seed=5), atol=1e-5).mean() > 0.9


@pytest.mark.parametrize("noise", cases("noise", ()))
def test_every_noise_agrees_with_torch(noise: dict[str, Any], tmp_path: Path) -> None:
    """Where the noise is coloured, Σ^½ is an output, and numpy starts from it as the model does."""
    try:
        model = made(noise=noise)
    except IncompatibleError as error:
        pytest.skip(f"these data are not for it: {error}")
    if exported(model, tmp_path / "m.onnx") is None:
        return
    session, about = SAMPLER["load"](tmp_path / "m.onnx")
    assert ("noise" in about["outputs"]) == (noise["type"] != "standard")
    white = SampleNoise(5, torch.arange(3), 2, 16)(0).numpy()
    found = SAMPLER["generate"](session, about, white)
    off = (found - model.sample(3, seed=5)) / np.array(model.collator_.scale[:2])
    assert np.abs(off).max() < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("objective", Registry.list("objective"))
def test_every_prediction_agrees_with_torch(objective: str, tmp_path: Path) -> None:
    assert exported(made(objective=objective), tmp_path / "m.onnx") is not None


def with_levels() -> DiffusionModel:
    rows = table()[["a", "b"]][:600].assign(level=np.exp(np.sin(np.arange(600.0))))
    data = {"columns": ["a", "b"], "predict_len": 16, **LEVELS}
    return DiffusionModel(architecture=MLP, data=data, sampler="ddim", training={"max_steps": 20}).fit(rows)


def test_values_at_the_start_enter_the_graph_in_units() -> None:
    """Their logarithm and scale are inside; the model's own way goes through its collator."""
    model = with_levels()
    graph = DenoiserGraph(model.denoiser_, model.parts_.preprocessing, model.collator_, 16)
    item = next(i for i in graph.inputs if i.name == "at_start")
    assert item.columns == ("level",)
    inputs = example_inputs(graph, [model.denoiser_.path.level(t) for t in (0.2, 0.7)], 5, 16)
    assert disagreement(graph, inputs, [x.detach().numpy() for x in graph(*inputs)]) < 1e-6
    place = [i.name for i in graph.inputs].index("at_start")
    other = [2 * x if k == place else x for k, x in enumerate(inputs)]
    assert disagreement(graph, inputs, [x.detach().numpy() for x in graph(*other)]) > 1e-6


@pytest.mark.slow
def test_values_at_the_start_are_told_to_exported_models(tmp_path: Path) -> None:
    model = with_levels()
    model.export_model(tmp_path / "m.onnx", num_steps=5)
    session, about = SAMPLER["load"](tmp_path / "m.onnx")
    assert "at_start" in about["inputs"]
    white = SampleNoise(5, torch.arange(3), 2, 16)(0).numpy()
    levels = np.array([[0.5], [1.0], [2.5]])
    found = SAMPLER["generate"](session, about, white, {"at_start": levels})
    expected = model.sample(3, seed=5, given={"level": levels[:, 0]}, num_steps=5)
    spread = np.array(model.collator_.scale[:2])
    assert np.abs((found - expected) / spread).max() < 1e-4
    other = SAMPLER["generate"](session, about, white, {"at_start": levels[::-1].copy()})
    assert np.abs((found - other) / spread).max() > 1e-4


@pytest.mark.parametrize("data", [{}, pytest.param(CONDITIONAL, marks=pytest.mark.slow)])
def test_numpy_alone_samples_as_the_model_does(data: dict[str, Any], tmp_path: Path) -> None:
    model = made(data=data)
    model.export_model(tmp_path / "m.onnx")
    session, about = SAMPLER["load"](tmp_path / "m.onnx")
    white = SampleNoise(5, torch.arange(3), 2, 16)(0).numpy()
    told = table()[7:33] if data else None
    given = {}
    if told is not None:
        given = {
            "history": told[["a", "b", "known", "past"]][:10],
            "covariates": told[["known"]][10:],
            "static": told["kind"][:1],
        }
        given = {name: np.repeat(value.to_numpy()[None], 3, axis=0) for name, value in given.items()}
    found = SAMPLER["generate"](session, about, white, given)
    expected = model.sample(3, seed=5, given=told)
    spread = np.array(model.collator_.scale[:2])
    assert np.abs((found - expected) / spread).max() < 1e-4
    if data:
        free = SAMPLER["generate"](session, about, white, unconditional=True)
        nulls = np.asarray(model.sample(3, seed=5, unconditional=True))
        assert np.abs((free - nulls) / spread).max() < 1e-4
        assert np.abs((free - found) / spread).max() > 1e-2


def test_the_example_needs_neither_torch_nor_undula(tmp_path: Path) -> None:
    """In a process where importing them is an error; the file needs nothing beside it."""
    model = made()
    written = model.export_model(tmp_path / "m.onnx", num_steps=4)
    assert [p.name for p in tmp_path.iterdir()] == ["m.onnx"], "one file, no external data"
    assert written.size == (tmp_path / "m.onnx").stat().st_size
    weights = 4 * model.num_parameters_
    assert weights < written.size < weights + 100_000
    code = (
        "import sys, runpy\nsys.modules.update(torch=None, undula=None)\n"
        "sys.argv = ['x', 'm.onnx', '-n', '7', '-o', 'x.npy']\n"
        f"runpy.run_path({str(ROOT / 'examples' / 'numpy_sampler.py')!r}, run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "x.npy: (7, 16, 2), columns ['a', 'b']" in done.stdout and not done.stderr
    assert np.isfinite(np.load(tmp_path / "x.npy")).all()
    _, about = SAMPLER["load"](tmp_path / "m.onnx")
    levels = model.parts_.sampler_for(None, 4).levels(model.parts_.path)
    assert about["levels"] == [list(level) for level in levels[:-1]]
    assert about["checked"]["error"] == written.error <= 1e-4


def test_the_check_notices_a_wrong_output() -> None:
    """Each output, off by more than the tolerance in one place; and a wrong scale of the history."""
    model = made(data=CONDITIONAL)
    parts = model.parts_
    graph = DenoiserGraph(model.denoiser_, parts.preprocessing, model.collator_, 16)
    levels = parts.sampler.levels(parts.path)[:-1]
    with torch.no_grad():
        inputs = example_inputs(graph, levels, 5, 16)
        right = [x.numpy() for x in own_outputs(graph, inputs)]
        assert disagreement(graph, inputs, right) < 1e-12
        assert disagreement(graph, inputs, [x.numpy() for x in graph(*inputs)]) < 1e-6
        for number, size in ((0, 1.0), (1, graph.scale[0])):
            wrong = [x.copy() for x in right]
            wrong[number][2, 0, 0] += 3e-4 * size * max(1.0, np.abs(right[0][2]).max())
            assert disagreement(graph, inputs, wrong) > 1e-4
        for name in ("location", "scale"):
            before = getattr(graph, name).clone()
            getattr(graph, name)[0] *= 1.01
            assert disagreement(graph, inputs, [x.numpy() for x in graph(*inputs)]) > 1e-4
            getattr(graph, name)[:] = before


def test_what_does_not_agree_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "disagreement", lambda *_: 2e-4)
    with pytest.raises(
        IncompatibleError, match=r"architecture 'mlp'.* onnxruntime and torch differ by 2\.0e-04"
    ):
        made().export_model(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


class Choosy(BaseArchitecture):
    """A network that looks at its numbers."""

    any_length = False
    condition_dropout = 0.0

    def build(self, layout: Any) -> None:
        self.gain = torch.nn.Parameter(torch.zeros(()))

    def forward(self, x: Any, tau: Any, condition: Any = None) -> Any:
        return x * self.gain if float(x.detach().mean()) > 0 else -x * self.gain


def test_a_network_that_cannot_be_traced_is_refused_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Registry._names, Choosy, "choosy")
    with pytest.raises(IncompatibleError, match=r"architecture 'choosy'.*cannot be written as ONNX \(.+\)"):
        made(architecture=Choosy()).export_model(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_other_formats_and_missing_libraries_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = made()
    with pytest.raises(ConfigError, match=r"does not end in \.onnx"):
        model.export_model(tmp_path / "m.pt")
    monkeypatch.setattr(writing.importlib.util, "find_spec", lambda name: None if name == "onnxscript" else 1)
    with pytest.raises(ConfigError, match=r"needs onnxscript, .* pip install 'undula\[export\]'"):
        model.export_model(tmp_path / "m.onnx")


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from ..cli.command import undula

    made().save(tmp_path / "model")
    result = undula(capsys, monkeypatch, "export", tmp_path / "model", "--json", "--steps", 3)
    assert result.code == 0 and not result.err
    found = json.loads(result.out)
    assert found["path"] == str(tmp_path / "model" / "model.onnx") and not found["any_length"]
    assert "architecture 'mlp' makes windows of one length" in found["reason"]
    assert undula(capsys, monkeypatch, "export", tmp_path / "model", "--format", "pt").code == 2
