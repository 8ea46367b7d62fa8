"""Classifier-free guidance: its formula, where it acts, what it costs, and whom it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from undula import DiffusionModel
from undula.config.loading import validated
from undula.core.condition import Condition
from undula.core.errors import ConfigError, IncompatibleError
from undula.core.registry import Registry, register
from undula.diffusion.analytic import GaussianDenoiser, GaussianMixtureDenoiser
from undula.diffusion.denoiser import BaseDenoiser
from undula.diffusion.guidance import BaseGuidance, CountedDenoiser, GuidanceLayer, check_order, guided
from undula.diffusion.sampler import SampleNoise

from ..cli.command import undula
from ..golden.problems import path_of


class Classes(BaseDenoiser):
    """A mixture of two Gaussians; the condition says which one, its null says nothing."""

    def __init__(self) -> None:
        self.path = path_of("rectified")
        means = torch.tensor([[[-2.0, -1.0, 0.0]], [[1.0, 2.0, 0.5]]], dtype=torch.float64)
        covariances = torch.stack((0.2 * torch.eye(3).double(), 0.1 * torch.eye(3).double() + 0.05))
        self.all = GaussianMixtureDenoiser(self.path, torch.tensor([0.3, 0.7]).double(), means, covariances)
        self.one = [GaussianDenoiser(self.path, *pair) for pair in zip(means, covariances, strict=True)]

    def __call__(self, x_t: Tensor, t: Any, condition: Condition | None = None) -> Tensor:
        assert condition is not None
        label = condition.static["class"][:, 0]
        null = condition.dropped.get("class", torch.zeros_like(label, dtype=torch.bool))[:, None, None]
        of_class = torch.where(label[:, None, None] > 0.5, self.one[1](x_t, t), self.one[0](x_t, t))
        return torch.where(null, self.all(x_t, t), of_class)


def told(n: int, label: float = 1.0) -> Condition:
    return Condition(static={"class": torch.full((n, 1), label, dtype=torch.float64)})


def steered(denoiser: BaseDenoiser, **params: Any) -> BaseDenoiser:
    return guided(denoiser, [Registry.get("guidance", "cfg", **params)])


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 3.0])
def test_the_formula(scale: float) -> None:
    inner, x = Classes(), torch.randn(5, 1, 3, dtype=torch.float64)
    cond, null = inner(x, 0.6, told(5)), inner(x, 0.6, told(5).unconditional())
    found = steered(inner, guidance_scale=scale)(x, 0.6, told(5))
    assert torch.allclose(found, null + scale * (cond - null), rtol=1e-12)


def test_scales_0_and_1_sample_the_mixture_and_the_class() -> None:
    """And a larger one moves further away from the other class."""
    inner, noise = Classes(), SampleNoise(0, torch.arange(600), 1, 3, torch.float64)
    sampler = Registry.get("sampler", "heun", num_steps=15)
    means = []
    for scale in (0.0, 1.0, 3.0):
        x = sampler.sample(steered(inner, guidance_scale=scale), noise, told(600))[:, 0]
        means.append(x.mean(0))
    assert means[0].tolist() == pytest.approx([0.1, 1.1, 0.35], abs=0.2)
    assert means[1].tolist() == pytest.approx([1.0, 2.0, 0.5], abs=0.06)
    assert means[2][0] > means[1][0] + 0.01


@pytest.mark.parametrize("scale", [0.0, 1.0, 4.0])
def test_both_estimates_are_made_in_one_call(scale: float) -> None:
    counted = CountedDenoiser(Classes())
    x = torch.randn(5, 1, 3, dtype=torch.float64)
    steered(counted, guidance_scale=scale)(x, 0.6, told(5))
    assert counted.members == (10 if scale == 4.0 else 5)


def test_an_interval_is_where_it_acts() -> None:
    """Inside as without an interval, outside the conditional estimate at its price."""
    inner, x = Classes(), torch.randn(4, 1, 3, dtype=torch.float64)
    t = torch.tensor([0.1, 0.3, 0.5, 0.9], dtype=torch.float64)  # τ = t on this path
    limited = steered(inner, guidance_scale=3.0, interval=(0.25, 0.6))
    whole, cond = steered(inner, guidance_scale=3.0)(x, t, told(4)), inner(x, t, told(4))
    inside = torch.tensor([False, True, True, False])[:, None, None]
    assert torch.allclose(limited(x, t, told(4)), torch.where(inside, whole, cond))
    for k, time in enumerate(t.tolist()):
        counted = CountedDenoiser(inner)
        found = steered(counted, guidance_scale=3.0, interval=(0.25, 0.6))(x[k : k + 1], time, told(1))
        assert torch.allclose(found, torch.where(inside, whole, cond)[k : k + 1])
        assert counted.members == (2 if bool(inside[k]) else 1)


def test_rescale_gives_back_the_spread_and_keeps_the_level() -> None:
    inner, x = Classes(), torch.randn(5, 1, 3, dtype=torch.float64)
    cond = inner(x, 0.4, told(5))
    plain = steered(inner, guidance_scale=6.0)(x, 0.4, told(5))
    full = steered(inner, guidance_scale=6.0, rescale=1.0)(x, 0.4, told(5))
    half = steered(inner, guidance_scale=6.0, rescale=0.5)(x, 0.4, told(5))
    assert torch.allclose(full.std(-1), cond.std(-1))
    assert torch.allclose(full.mean(-1), plain.mean(-1))
    assert not torch.allclose(plain.std(-1), cond.std(-1), rtol=0.05)
    assert torch.allclose(half, 0.5 * (plain + full))


def test_rescale_does_not_see_padding() -> None:
    inner, x = Classes(), torch.randn(5, 1, 3, dtype=torch.float64)
    exists = torch.tensor([True, True, False]).expand(5, 1, 3)
    condition = Condition(static=told(5).static, exists=exists)
    found = steered(inner, guidance_scale=6.0, rescale=1.0)(x, 0.4, condition)[..., :2]
    cond = inner(x, 0.4, told(5))[..., :2]
    assert torch.allclose(found.std(-1), cond.std(-1))


# -- stacks ----------------------------------------------------------------------------------------


@pytest.fixture
def outer() -> Iterator[str]:
    """A constraint of a third party: D with its mean over time taken away."""

    @register("guidance", "test_centred")
    @dataclass(frozen=True, kw_only=True)
    class Centred(BaseGuidance):
        """No mean over time.

        Args:
            strength: how much of it is taken away.
        """

        layer: ClassVar[GuidanceLayer] = "constraint"
        strength: float = 1.0

        def neutral(self) -> Centred:
            return Centred(strength=0.0)

        def apply(self, denoiser: BaseDenoiser) -> BaseDenoiser:
            strength = self.strength

            class Applied(BaseDenoiser):
                path = denoiser.path

                def __call__(self, x_t: Tensor, t: Any, condition: Condition | None = None) -> Tensor:
                    d = denoiser(x_t, t, condition)
                    return d - strength * d.mean(-1, keepdim=True)

            return Applied()

    yield "test_centred"
    Registry._classes.pop(("guidance", "test_centred"))


def test_guidances_stack_from_the_inside_out(outer: str) -> None:
    cfg, constraint = Registry.get("guidance", "cfg", guidance_scale=3.0), Registry.get("guidance", outer)
    x = torch.randn(5, 1, 3, dtype=torch.float64)
    check_order([cfg, constraint])
    found = guided(Classes(), [cfg, constraint])(x, 0.5, told(5))
    free = guided(Classes(), [cfg])(x, 0.5, told(5))
    assert torch.allclose(found, free - free.mean(-1, keepdim=True))
    with pytest.raises(IncompatibleError, match="put cfg before test_centred"):
        check_order([constraint, cfg])
    with pytest.raises(IncompatibleError, match="two classifier-free"):
        check_order([cfg, cfg])


# -- in a model ------------------------------------------------------------------------------------


def table(n: int = 400) -> pd.DataFrame:
    wave = np.sin(np.arange(n) / 5.0) + 0.1 * np.random.default_rng(0).normal(size=n)
    return pd.DataFrame({"time": pd.date_range("2024-01-01", periods=n, freq="D"), "signal": wave})


def model(dropout: float = 0.3, history: int = 6, **params: Any) -> DiffusionModel:
    architecture = {"type": "mlp", "params": {"model_dim": 16, "num_layers": 1, "condition_dropout": dropout}}
    data = {"history_len": history, "predict_len": 8}
    return DiffusionModel(architecture=architecture, data=data, training={"max_steps": 60}, **params)


@pytest.fixture(scope="module")
def trained() -> DiffusionModel:
    return model(sampler={"type": "ddim", "params": {"num_steps": 6}}).fit(table())


def test_the_model_is_guided(trained: DiffusionModel, tmp_path: Path) -> None:
    """0 is unconditional, 1 is unguided; others differ, cost twice, and do not depend on the batch."""
    given = table()[100:140]
    plain = trained.sample(6, given=given)
    assert trained.calls_ == 6
    assert np.allclose(trained.sample(6, given=given, guidance_scale=1.0), plain)
    null = trained.sample(6, unconditional=True)
    assert np.allclose(trained.sample(6, given=given, guidance_scale=0.0), null, atol=1e-5)
    assert trained.calls_ == 6
    strong = trained.sample(6, given=given, guidance_scale=4.0)
    assert trained.calls_ == 12
    assert not np.allclose(strong, plain, atol=1e-3)
    assert np.allclose(trained.sample(6, given=given, guidance_scale=4.0, batch_size=4), strong, atol=1e-5)
    by_name = trained.sample(6, given=given, guidance={"type": "cfg", "params": {"guidance_scale": 4.0}})
    assert np.array_equal(by_name, strong)


def test_its_own_guidance_is_saved_and_can_be_left_out(tmp_path: Path) -> None:
    spec = {"type": "cfg", "params": {"guidance_scale": 3.0, "interval": [0.1, 0.9]}}
    guided_model = model(guidance=[spec], sampler={"type": "ddim", "params": {"num_steps": 8}}).fit(table())
    given = table()[100:140]
    samples = guided_model.sample(4, given=given)
    assert 8 < guided_model.calls_ < 16
    guided_model.save(tmp_path)
    loaded = DiffusionModel.load(tmp_path)
    assert np.allclose(loaded.sample(4, given=given), samples, atol=1e-6)
    assert json.loads((tmp_path / "model.json").read_text())["components"]["guidance"][0]["type"] == "cfg"
    unguided = loaded.sample(4, given=given, guidance=[])
    assert loaded.calls_ == 8
    assert not np.allclose(unguided, samples, atol=1e-4)
    loaded.sample(4, given=given, guidance_scale=5.0)  # its interval stays
    assert 8 < loaded.calls_ < 16
    assert np.allclose(loaded.sample(4, given=given, guidance_scale=1.0), unguided)
    assert len(loaded.sample(4, unconditional=True)) == 4  # nothing to compare with: no guidance
    assert loaded.calls_ == 8


def test_who_is_refused(trained: DiffusionModel) -> None:
    with pytest.raises(IncompatibleError, match="needs a conditional model"):
        model(history=0, guidance="cfg").fit(table())
    with pytest.raises(IncompatibleError, match="condition_dropout: 0"):
        model(dropout=0.0, guidance=["cfg"]).fit(table())
    with pytest.raises(ConfigError, match="unconditional leaves it out"):
        trained.sample(2, unconditional=True, guidance_scale=2.0)
    with pytest.raises(ConfigError, match="unconditional leaves it out"):
        trained.sample(2, unconditional=True, guidance=["cfg"])
    with pytest.raises(ConfigError, match="guidance_scale"):
        trained.sample(2, given=table()[:40], guidance_scale=-1.0)
    for params, message in (
        ({"interval": [0.5, 0.5]}, "is empty"),
        ({"guidance_scale": 1.0, "rescale": 0.5}, "rescale has no effect with guidance_scale 1"),
        ({"guidance_scale": 1.0, "interval": [0.1, 0.5]}, "interval has no effect with guidance_scale 1"),
        ({"rescale": 1.5}, "rescale"),
    ):
        with pytest.raises(ConfigError, match=message):
            Registry.get("guidance", "cfg", **params)


def test_config_and_command(
    trained: DiffusionModel,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = validated({"components": {"guidance": ["cfg"]}, "data": {"dataset": "ar1"}}, "test")
    assert config.component_specs()["guidance"] == [{"type": "cfg", "params": {}}]
    trained.save(tmp_path / "model")
    table()[100:140].to_csv(tmp_path / "given.csv", index=False)
    monkeypatch.chdir(tmp_path)
    common = ("sample", "model", "-n", 3, "--given", "given.csv", "--quiet")
    result = undula(capsys, monkeypatch, *common, "--guidance-scale", 3, "--json")
    assert result.code == 0, result.err
    found = json.loads(result.out)
    assert found["calls_per_sample"] == 12
    assert "scale-3" in found["file"]
    expected = trained.sample(3, given=table()[100:140], guidance_scale=3.0)
    assert np.allclose(pd.read_parquet(found["file"])["signal"], expected.flatten(), atol=1e-5)
    refused = undula(capsys, monkeypatch, "sample", "model", "--unconditional", "--guidance-scale", 3)
    assert refused.code == 2
    assert "leave one of the two out" in refused.err
