"""AR(1) windows, whose exact denoiser is known with and without a history, and a network's loss beside it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from undula.core.condition import Condition, Layout
from undula.core.randomness import Stream, forked_generator
from undula.core.registry import Registry
from undula.diffusion.analytic import GaussianDenoiser
from undula.diffusion.denoiser import NetDenoiser
from undula.diffusion.parametrization import Parametrization
from undula.diffusion.path import GaussianPath

PHI, LENGTH, HISTORY = 0.9, 16, 8
_STEPS = torch.arange(HISTORY + LENGTH, dtype=torch.float64)
COVARIANCE = PHI ** (_STEPS[:, None] - _STEPS).abs()
_FACTOR = torch.linalg.cholesky(COVARIANCE)


def draws(stream: str, step: int, count: int) -> tuple[Tensor, Tensor]:
    """Histories (B, 1, H) and what follows them (B, 1, L)."""
    white = Stream(0, stream).normal(step, torch.arange(count), 1, HISTORY + LENGTH, torch.float64)
    return (white @ _FACTOR.mT).split((HISTORY, LENGTH), dim=-1)


def causal_gain(covariance: Tensor, alpha: float, sigma: float) -> Tensor:
    """The matrix of the exact filter: row l estimates x_0 at step l from x_t up to step l alone."""
    gain = torch.zeros_like(covariance)
    for step in range(len(covariance)):
        known = slice(step + 1)
        noisy = alpha**2 * covariance[known, known] + sigma**2 * torch.eye(step + 1)
        gain[step, known] = torch.linalg.solve(noisy, alpha * covariance[known, step])
    return gain


def loss_beside_the_exact(
    name: str, params: dict[str, Any], steps: int, told: bool = False, seed: int = 0, rate: float = 3e-3
) -> float:
    """The weighted error of a network after a short training over that of the exact denoiser.

    A causal network stands beside the exact filter, which knows no later steps either.

    Args:
        name: of the architecture.
        params: of the architecture.
        steps: of training, with 128 windows each.
        told: whether the network gets the history, and the exact denoiser too.
        seed: of weights and draws.
        rate: highest learning rate.
    """
    path = GaussianPath(sde=Registry.get("sde", "rectified"), noise=Registry.get("noise", "standard"))
    network = Registry.get("architecture", name, **params)
    sequence = {"history": (1, HISTORY)} if told else {}
    with forked_generator(seed, "initialisation"):
        network.build(Layout(channels=1, length=LENGTH, sequence=sequence))
    denoiser = NetDenoiser(network, path, Parametrization(prediction="velocity", s=1.0))
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, betas=(0.9, 0.99), fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps)
    for step in range(steps):
        history, x_0 = (part.float() for part in draws(f"train {seed}", step, 128))
        eps = Stream(seed, "noise").normal(step, torch.arange(128), 1, LENGTH)
        t = Stream(seed, "time").uniform(step, torch.arange(128))[:, 0].float().clamp(0.001, 0.999)
        condition = Condition(sequence={"history": history}) if told else None
        loss = denoiser.residual(x_0, eps, path.level(t), condition).value.square().mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    network.eval()
    history, x_0 = draws("test", 0, 1000)
    inner = COVARIANCE[HISTORY:, HISTORY:]
    gain = COVARIANCE[HISTORY:, :HISTORY] @ torch.linalg.inv(COVARIANCE[:HISTORY, :HISTORY])
    left = inner - gain @ COVARIANCE[:HISTORY, HISTORY:] if told else inner
    mean = history @ gain.mT if told else torch.zeros_like(x_0)
    exact = GaussianDenoiser(path, torch.zeros(1, LENGTH).double(), left)
    found = torch.zeros(2, dtype=torch.float64)
    for number, t in enumerate(torch.linspace(0.05, 0.95, 10).tolist()):
        level = path.level(t)
        eps = Stream(1, "noise").normal(number, torch.arange(len(x_0)), 1, LENGTH, torch.float64)
        x_t = path.perturb(x_0, eps, level)
        condition = Condition(sequence={"history": history.float()}) if told else None
        with torch.no_grad():
            d = denoiser(x_t.float(), level, condition)
        around = x_t - level.alpha * mean
        if network.causal:
            truth = mean + around @ causal_gain(left, level.alpha, level.sigma).mT
        else:
            truth = mean + exact(around, level)
        errors = [(d - x_0).square().mean(), (truth - x_0).square().mean()]
        found += torch.stack(errors) / level.sigma**2
    return float(found[0] / found[1])
