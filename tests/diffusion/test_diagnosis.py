"""What is found by noise level against closed forms, for a denoiser that is wrong by a known factor."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from undula import BaseArchitecture, GaussianDenoiser, GaussianPath, NetDenoiser, Parametrization
from undula.core.condition import Condition, Layout
from undula.core.registry import Registry
from undula.core.sde import NoiseLevel
from undula.diffusion.diagnosis import (
    Call,
    RecordingDenoiser,
    by_noise_level,
    gaussian_reference,
    spread_along,
)
from undula.diffusion.sampler import SampleNoise

VARIANCE = 2.25
S = VARIANCE**0.5


class Nothing(BaseArchitecture):
    """F = 0: the denoiser is its base."""

    condition_dropout = 0.0

    def build(self, layout: Layout) -> None:
        """Nothing to make."""

    def forward(self, x: Tensor, tau: Tensor, condition: Condition | None = None) -> Tensor:
        return torch.zeros_like(x)


def path() -> GaussianPath:
    return GaussianPath(sde=Registry.get("sde", "vpsde"), noise=Registry.get("noise", "standard"))


def denoiser(factor: float) -> NetDenoiser:
    """The exact denoiser of white series whose variance it takes to be `factor` times the true one."""
    covariance = factor * VARIANCE * torch.eye(6, dtype=torch.float64)
    base = GaussianDenoiser(path(), torch.zeros(2, 3, dtype=torch.float64), covariance)
    return NetDenoiser(Nothing(), path(), Parametrization(prediction="x0", s=S), base)


def series(n: int) -> Tensor:
    return S * torch.randn(n, 2, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_rows_have_their_closed_forms(factor: float) -> None:
    n = 20_000
    found = by_noise_level(denoiser(factor), Registry.get("objective", "denoising"), series(n),
                           gaussian=denoiser(1.0).base, num_levels=7)  # fmt: skip
    assert [row.log_snr for row in found] == sorted(row.log_snr for row in found)
    for row in found:
        level = path().level(row.t)
        a, v = float(level.alpha), float(level.alpha) ** 2 * VARIANCE + float(level.sigma) ** 2
        assert row.log_snr == pytest.approx(2 * math.log(a / float(level.sigma)), rel=1e-9)
        gain = a * VARIANCE / v
        own = a * factor * VARIANCE / (a**2 * factor * VARIANCE + float(level.sigma) ** 2)
        least = VARIANCE * float(level.sigma) ** 2 / v
        excess = (own - gain) ** 2 * v / least
        assert row.gaussian_slope == pytest.approx(own / gain, rel=1e-5)
        assert row.calibration == pytest.approx(
            gain / own, rel=0.02, abs=0.02 * math.sqrt(1 / max(gain * a, 1e-4))
        )
        assert row.gaussian_excess == pytest.approx(excess, rel=0.05, abs=1e-9)
        assert row.gaussian_error == pytest.approx(least / VARIANCE, rel=0.03)
        assert row.error == pytest.approx(least / VARIANCE * (1 + excess), rel=0.03)


def test_loss_is_the_objectives() -> None:
    """On F itself for `uniform`: with F = 0 the error over c_out²."""
    objective, network, z = Registry.get("objective", "denoising"), denoiser(2.0), series(500)
    for row in by_noise_level(network, objective, z, num_levels=4):
        c_out = network.base.residual_variance(path().level(row.t))
        assert row.loss == pytest.approx(row.error * VARIANCE / c_out, rel=1e-6)


def test_missing_values_count_for_nothing() -> None:
    z, valid = series(200), torch.ones(200, 2, 3, dtype=torch.bool)
    valid[:, :, 2] = False
    spoilt = torch.where(valid, z, 1e3)
    objective = Registry.get("objective", "denoising")
    first, second = (
        by_noise_level(denoiser(1.0), objective, x, Condition(valid=valid), num_levels=3) for x in (z, spoilt)
    )
    assert first == second


def test_the_reference_is_fitted_or_says_why_not() -> None:
    reference = gaussian_reference(denoiser(1.0), series(5000))
    assert isinstance(reference, GaussianDenoiser)
    assert torch.allclose(reference.covariance, VARIANCE * torch.eye(6, dtype=torch.float64), atol=0.2)
    assert "4,000 numbers" in str(gaussian_reference(denoiser(1.0), torch.zeros(5, 2, 2000)))
    assert "fewer than two" in str(gaussian_reference(denoiser(1.0), series(1)))


def test_a_recorder_changes_nothing_and_keeps_every_call() -> None:
    sampler = Registry.get("sampler", "heun", num_steps=5)
    noise = SampleNoise(0, torch.arange(4), 2, 3, torch.float64)
    recorder = RecordingDenoiser(denoiser(1.0), most=2)
    assert torch.equal(sampler.sample(recorder, noise), sampler.sample(denoiser(1.0), noise))
    assert len(recorder.calls) == sampler.calls == 9
    assert recorder.calls[0].x_t.shape == (2, 2, 3)
    for call in recorder.calls:
        assert torch.equal(call.d, denoiser(1.0)(call.x_t, call.level))


def test_spread_is_one_on_the_exact_path() -> None:
    """Draws of the marginals have the expected spread, and the distance is measured from the last D."""
    calls = []
    for k, (alpha, sigma) in enumerate(((0.0, 1.0), (0.6, 0.8), (1.0, 0.01))):
        x_t = alpha * series(20_000) + sigma * torch.randn(20_000, 2, 3, dtype=torch.float64)
        calls.append(Call(NoiseLevel(t=0.5, alpha=alpha, sigma=sigma), x_t, torch.full_like(x_t, 3.0 * k)))
    rows = spread_along(calls, S)
    assert rows[0][0] == -math.inf and rows[1][0] == pytest.approx(2 * math.log(0.75))
    assert [row[1] for row in rows] == pytest.approx([1.0, 1.0, 1.0], rel=0.01)
    assert [row[2] for row in rows] == pytest.approx([6.0 / S, 3.0 / S, 0.0])
