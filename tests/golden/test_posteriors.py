"""Linear-Gaussian posteriors: guidance of the exact denoiser reaches the closed form, or says by how much not.

A deterministic sampler with a guided denoiser that is affine maps the start affinely, so that mean and
covariance of its samples are read off without a draw.
"""

from __future__ import annotations

import pytest

from undula.core.registry import Registry

from .posteriors import PROBLEMS, D, Problem

POSTERIOR = {"type": "posterior", "params": {"iterations": D}}


def errors(problem: Problem, guidance: object, steps: int, sampler: str = "heun") -> tuple[float, float]:
    """Of the mean in posterior standard deviations, and of the trace of the covariance; 200 steps: σ → 0."""
    chosen = Registry.get("sampler", sampler, num_steps=steps, grid="log_snr")
    mean, cov = problem.posterior()
    found_mean, found_cov = problem.carried(guidance, chosen, chosen.levels(problem.path))
    error = (found_mean - mean).square().sum() / cov.trace()
    return float(error), float(found_cov.trace() / cov.trace())


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_closed_form_is_reached(problem: str) -> None:
    """200 steps: mean squared error of a sample's mean at most 1.05 times, spread within 5 %."""
    error, variance = errors(PROBLEMS[problem], POSTERIOR, 200)
    assert error < 0.05 and variance**0.5 == pytest.approx(1.0, abs=0.05)
