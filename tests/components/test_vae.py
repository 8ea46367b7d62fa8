"""The preprocessing `vae`: measured moments, draws, tails that live, folded parts, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from undula.components.preprocessing.vae import VAEPreprocessor
from undula.core.condition import Condition, Layout
from undula.core.errors import ConfigError, IncompatibleError, RunError
from undula.core.preprocessing import HeldOut
from undula.core.randomness import Draws
from undula.core.registry import Registry
from undula.training.options import TrainingOptions
from undula.training.stage import Stage

QUICK: dict[str, Any] = {
    "latent_dim": 3,
    "hidden_dim": 32,
    "steps": 150,
    "kl_warmup": 30,
    "beta": 0.3,
    "learning_rate": 5e-3,
}


def windows(n: int = 400, seed: int = 0) -> torch.Tensor:
    """Windows whose scale differs from one to the next, in units that are no standard deviations."""
    generator = torch.Generator().manual_seed(seed)
    scale = torch.exp(0.7 * torch.randn(n, 2, 1, generator=generator, dtype=torch.float64))
    noise = torch.randn(n, 2, 10, generator=generator, dtype=torch.float64)
    return 300.0 + 40.0 * scale * noise * torch.tensor([[1.0], [20.0]], dtype=torch.float64)


def draws(n: int, step: int = 0) -> Draws:
    return Draws(0, "test", step, torch.arange(n))


@pytest.fixture(scope="module")
def fitted() -> VAEPreprocessor:
    return Registry.get("preprocessing", "vae", **QUICK).fit(windows())  # type: ignore[return-value]


def test_draws_of_the_posterior_have_mean_zero_and_variance_one(fitted: VAEPreprocessor) -> None:
    many = torch.cat([fitted.draw(windows(), None, draws(400, k)) for k in range(60)])
    assert many.mean(0).abs().max() < 0.02
    assert many.std(0).numpy() == pytest.approx(1.0, abs=0.02)
    assert fitted.transform(windows()).std(0).max() < 1.0  # the means alone vary less


def test_a_draw_scatters_about_the_mean_as_the_posterior_says(fitted: VAEPreprocessor) -> None:
    x = windows()[:1].expand(20_000, -1, -1)
    z = fitted.draw(x, None, draws(20_000))
    posterior = fitted.posterior(x[:1])
    assert z.mean(0).numpy() == pytest.approx(fitted.transform(x[:1])[0].numpy(), abs=0.03)
    assert z.std(0).numpy() == pytest.approx((posterior.sd[0] / fitted.scale_).numpy(), rel=0.03)


def test_the_prior_is_standard_normal_in_the_autoencoders_own_units(fitted: VAEPreprocessor) -> None:
    z = fitted.prior(draws(20_000)) * fitted.scale_ + fitted.location_
    assert z.mean(0).numpy() == pytest.approx(0.0, abs=0.03)
    assert z.std(0).numpy() == pytest.approx(1.0, abs=0.02)


def test_it_learns_and_decodes_in_the_datas_units(fitted: VAEPreprocessor) -> None:
    x = windows(seed=1)
    z = fitted.draw(x, None, draws(400))
    again = fitted.draw_inverse(z, None, draws(400))
    assert again.mean((0, 2)).numpy() == pytest.approx(x.mean((0, 2)).numpy(), abs=60.0)
    per_window = [torch.log(w.std(-1)) for w in (x, again)]
    correlation = np.corrcoef(per_window[0][:, 0], per_window[1][:, 0])[0, 1]
    assert correlation > 0.5  # calm windows stay calm


def test_without_the_decoders_noise_samples_are_its_location(fitted: VAEPreprocessor) -> None:
    quiet = Registry.get("preprocessing", "vae", **QUICK, decoder_noise=False)
    quiet.load_state(fitted.state)
    z = fitted.transform(windows()[:8])
    assert torch.equal(quiet.draw_inverse(z, None, draws(8)), fitted.inverse_transform(z))
    assert not torch.equal(fitted.draw_inverse(z, None, draws(8)), fitted.inverse_transform(z))


def test_student_t_learns_how_heavy_the_tails_are() -> None:
    rng = np.random.default_rng(0)
    heavy, light = rng.standard_t(3.5, size=(2000, 1, 8)), rng.normal(size=(2000, 1, 8))
    found = []
    for data in (heavy, light):
        options = {"latent_dim": 1, "hidden_dim": 8, "steps": 250, "learning_rate": 2e-2, "kl_warmup": 0}
        vae = Registry.get("preprocessing", "vae", likelihood="student_t", **options)
        vae.fit(torch.from_numpy(data))
        found.append(float(vae._vae_for(vae.location_).likelihood.freedom))
        assert f"{found[-1]:.3g} degrees of freedom" in vae.notes()[0]
    assert 2.5 < found[0] < 5.0
    assert found[1] > 10.0


def test_beta_makes_latents_say_less() -> None:
    said = []
    for beta in (0.05, 4.0):
        vae = Registry.get("preprocessing", "vae", **{**QUICK, "beta": beta}).fit(windows())
        said.append(float(vae.kl_.sum()))
    assert said[0] > 3 * said[1]


def test_the_state_is_all_and_copies_are_equal(fitted: VAEPreprocessor) -> None:
    fresh = Registry.get("preprocessing", "vae", **QUICK)
    fresh.load_state({name: value.clone() for name, value in fitted.state.items()})
    z = fitted.transform(windows())
    assert torch.equal(fresh.draw_inverse(z, None, draws(400)), fitted.draw_inverse(z, None, draws(400)))
    other = Registry.get("preprocessing", "vae", **{**QUICK, "hidden_dim": 16})
    with pytest.raises(RunError, match="stored weights do not fit"):
        other.load_state(fitted.state)


def test_parts_of_the_windows_steps_are_folded() -> None:
    for length, steps in ((1, 10), (4, 3), (5, 2)):
        vae = Registry.get(
            "preprocessing", "vae", latent_dim=2, latent_length=None if length == 1 else length
        )
        layout = vae.layout(Layout(channels=2, length=10, aligned={"covariates": 3}))
        assert (layout.channels, layout.length, layout.aligned["covariates"]) == (2, length, 3 * steps)
        part = torch.arange(30.0).reshape(1, 3, 10)
        told = vae.condition(Condition(aligned={"covariates": part}), windows(1))
        assert told is not None
        folded = told.aligned["covariates"]
        assert folded.shape == (1, 3 * steps, length)
        unfolded = folded.reshape(1, 3, steps, length).transpose(2, 3).flatten(2)
        assert torch.equal(unfolded[..., :10], part)


def test_in_a_pipeline_later_steps_see_draws_and_the_validation_part_goes_along() -> None:
    steps = [{"type": "raw", "params": {}}, {"type": "vae", "params": QUICK}, "quantile"]
    pipeline = Registry.resolve("preprocessing", steps)
    lines: list[dict[str, float]] = []

    class Memory:
        def of_stage(self, name: str) -> Memory:
            return self

        def start(self, step: int) -> None: ...
        def close(self) -> None: ...
        def log(self, step: int, values: dict[str, float]) -> None:
            lines.append(values)

    pipeline.held_out = HeldOut(windows(100, seed=2), None)
    pipeline.stage = Stage(main=TrainingOptions(validate_every=50, log_every=50), loggers=[Memory()])
    pipeline.fit(windows())
    told = [line for line in lines if "val_loss" in line]
    assert len(told) == 3
    assert told[-1].keys() == {"val_loss", "reconstruction", "kl", "active_units"}
    z = pipeline.draw(windows(), None, draws(400))
    assert z.std(0).numpy() == pytest.approx(1.0, abs=0.15)
    assert pipeline.prior(draws(400)).shape == z.shape
    assert pipeline.steps[1].stage is None and pipeline.steps[1].held_out is None
    part, given = pipeline.trained(windows())
    assert part is pipeline.steps[1]
    assert torch.allclose(given, pipeline.steps[0].transform(windows()))


def test_a_rehearsal_builds_and_trains_nothing() -> None:
    vae = Registry.get("preprocessing", "vae", **{**QUICK, "steps": 10**9})
    vae.stage = Stage(rehearsal=True)
    assert vae.fit(windows()).transform(windows()).shape == (400, 3, 1)


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ConfigError, match="latent_length = 11, and windows have 10 steps"):
        Registry.get("preprocessing", "vae", latent_length=11).fit(windows())
    with pytest.raises(ConfigError, match="2 steps are trained"):
        Registry.resolve("preprocessing", ["vae", "vae"])
    with pytest.raises(IncompatibleError, match="its price must invert"):
        Registry.get("preprocessing", "technical", price="vae")
    with pytest.raises(ConfigError, match="not fitted"):
        Registry.get("preprocessing", "vae").inverse_transform(torch.zeros(2, 8, 1))
