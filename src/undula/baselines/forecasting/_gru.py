"""The network of `deepar`, how it is trained, and how it draws; imported only where it is used."""

from __future__ import annotations

__all__ = ["DeepARNetwork", "paths_of", "train_deepar"]

import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ...core.baseline import OnProgress
from ...core.randomness import derive_seed, forked_generator

_LEAST_SCALE, _LEAST_FREEDOM, _CLIP, _REPORT = 1e-3, 2.1, 10.0, 20
_FIRST_SPREAD = -2.0
"""Before softplus: errors of a fresh network are an eighth of a unit, so that its paths stay near."""


class DeepARNetwork(nn.Module):
    """A GRU from values and features to the next values' location, scale and degrees of freedom.

    Args:
        channels: C.
        features: K.
        width: of the GRU.
        layers: of the GRU.
        student: whether the errors are Student-t; else Gaussian.
    """

    def __init__(self, channels: int, features: int, width: int, layers: int, student: bool) -> None:
        super().__init__()
        self.gru = nn.GRU(2 * channels + features, width, layers, batch_first=True)
        self.head = nn.Linear(width, 2 * channels)
        nn.init.constant_(self.head.bias[channels:], _FIRST_SPREAD)
        self.freedom = nn.Parameter(torch.full((channels,), 2.0)) if student else None

    def forward(
        self, values: Tensor, known: Tensor, log_scale: Tensor, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Location and scale of the values after each row, and the GRU's state.

        Args:
            values: scaled, (B, T, C).
            known: features of the rows after, (B, T, K).
            log_scale: of each series' unit, (B, C).
            state: before the first row.
        """
        unit = log_scale[:, None].expand(-1, values.shape[1], -1)
        hidden, state = self.gru(torch.cat((values, known, unit), dim=2), state)
        move, spread = self.head(hidden).chunk(2, dim=2)
        return values + move, nn.functional.softplus(spread) + _LEAST_SCALE, state

    def degrees(self) -> Tensor | None:
        """Degrees of freedom of each column, (C,); None: Gaussian."""
        return None if self.freedom is None else nn.functional.softplus(self.freedom) + _LEAST_FREEDOM

    def loss(self, values: Tensor, known: Tensor, log_scale: Tensor) -> Tensor:
        """Mean negative log-likelihood of each value of (B, T, C) but the first, given those before."""
        location, scale, _ = self(values[:, :-1], known[:, 1:], log_scale)
        freedom = self.degrees()
        z = (values[:, 1:] - location) / scale
        if freedom is None:
            return (z.square() / 2 + scale.log()).mean() + math.log(2 * math.pi) / 2
        half = (freedom + 1) / 2
        constant = torch.lgamma(freedom / 2) - torch.lgamma(half) + (freedom * math.pi).log() / 2
        return (half * torch.log1p(z.square() / freedom) + constant + scale.log()).mean()


def train_deepar(
    make: Callable[[], DeepARNetwork],
    values: Tensor,
    known: Tensor,
    log_scale: Tensor,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    max_seconds: float | None,
    seed: int,
    tell: OnProgress | None,
) -> tuple[DeepARNetwork, int, float]:
    """Train with teacher forcing (Adam, a rate that falls like a cosine).

    Returns:
        The network in double precision, the steps it had, and the mean loss of the last of them.
    """
    with forked_generator(seed, "deepar"):
        network = make()
    optimiser = torch.optim.Adam(network.parameters(), lr=learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    generator = torch.Generator().manual_seed(derive_seed(seed, "deepar batches") >> 1)
    begun, losses = time.monotonic(), list[float]()
    for step in range(steps):
        chosen = torch.randint(0, len(values), (batch_size,), generator=generator)
        optimiser.zero_grad(set_to_none=True)
        loss = network.loss(values[chosen], known[chosen], log_scale[chosen])
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), _CLIP)
        optimiser.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if tell is not None and (step % _REPORT == 0 or step == steps - 1):
            tell((step + 1) / steps, f"step {step + 1} of {steps}, loss {losses[-1]:.3f}")
        if max_seconds is not None and time.monotonic() - begun > max_seconds:
            break
    recent = losses[-_REPORT:]
    return network.double().eval(), len(losses), sum(recent) / len(recent)


@torch.no_grad()
def paths_of(
    network: DeepARNetwork,
    history: Tensor,
    known: Tensor,
    log_scale: Tensor,
    errors: Callable[[Tensor | None], Tensor],
) -> Tensor:
    """Ancestral samples (N, n, L, C), scaled.

    Args:
        network: in double precision.
        history: scaled, (N, H, C).
        known: features, (N, H + L, K).
        log_scale: (N, C).
        errors: from degrees of freedom to standardised errors (N, n, L, C).
    """
    rows = history.shape[1]
    noise = errors(network.degrees())
    count, n, horizon, channels = noise.shape
    noise = noise.reshape(count * n, horizon, channels)
    location, scale, state = network(history, known[:, 1 : rows + 1], log_scale)
    location, scale = (x[:, -1].repeat_interleave(n, 0) for x in (location, scale))
    state, unit = state.repeat_interleave(n, 1), log_scale.repeat_interleave(n, 0)
    found = torch.empty_like(noise)
    for h in range(horizon):
        found[:, h] = location + scale * noise[:, h]
        if h + 1 < horizon:
            told = known[:, rows + h + 1].repeat_interleave(n, 0)[:, None]
            location, scale, state = network(found[:, h, None], told, unit, state)
            location, scale = location[:, 0], scale[:, 0]
    return found.reshape(count, n, horizon, channels)
