"""TimeGAN: a generative adversarial network in the latent space of an autoencoder, one latent a time step.

An embedder h = e(x) and a recovery x̃ = r(h) are an autoencoder; a generator ê = g(z) makes latents of
uniform noise, a supervisor ĥ_t = s(h_{≤t−1}) knows how latents go on, and a discriminator tells real
latents from generated ones. Each is a recurrent network that reads a window from its beginning. Three
phases of `steps` each:

    1. embedder, recovery   10 √R,              R = mean ‖x − r(e(x))‖²
    2. supervisor           S                    S = mean ‖h_t − s(h)_{t−1}‖²
    3. together             generator, supervisor  U(s(ĝ)) + U(ĝ) + 100 √S + 100 V       (twice a step)
                            embedder, recovery     10 √R + 0.1 S                          (twice a step)
                            discriminator          D(h) + D̄(s(ĝ)) + D̄(ĝ), if above 0.15

U is the error of the discriminator that takes the generated for real, V the mean absolute difference of
the standard deviations and of the means of values in a batch. Losses, weights and schedule are the
published ones; gradients are clipped, which the published code does not do. Values are scaled to [0, 1] by
their training range, which generated values hence cannot leave.

References:
    Yoon, Jarrett, van der Schaar (2019). Time-series generative adversarial networks. NeurIPS
"""

from __future__ import annotations

__all__ = ["TimeGANBaseline"]

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ..core.baseline import BaseBaseline, OnProgress
from ..core.errors import DataError, Interrupted
from ..core.processes import Signals
from ..core.randomness import Stream, derive_seed, forked_generator
from ..core.registry import register
from ..core.types import Positive, PositiveInt
from ._series import flat_windows

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS, _AT_ONCE = 20_000, 256
_ENOUGH, _LARGEST_GRADIENT = 0.15, 1.0
_STEPS_BETWEEN_WORDS = 20
_SHARES = (0.1, 0.05, 0.85)
"""Of the time that the phases take."""


class _Recurrent(nn.Module):
    """GRU layers, then a linear map of each step."""

    def __init__(self, inputs: int, outputs: int, width: int, layers: int, squash: bool = True) -> None:
        super().__init__()
        self.cells = nn.GRU(inputs, width, layers, batch_first=True)
        self.out = nn.Linear(width, outputs)
        self.squash = squash

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, inputs) → (B, L, outputs), between 0 and 1 if squashed."""
        y: Tensor = self.out(self.cells(x)[0])
        return torch.sigmoid(y) if self.squash else y


class _Networks(nn.Module):
    """The five networks."""

    def __init__(self, channels: int, width: int, layers: int) -> None:
        super().__init__()
        self.embedder = _Recurrent(channels, width, width, layers)
        self.recovery = _Recurrent(width, channels, width, layers)
        self.generator = _Recurrent(channels, width, width, layers)
        self.supervisor = _Recurrent(width, width, width, max(layers - 1, 1))
        self.discriminator = _Recurrent(width, 1, width, layers, squash=False)

    def generate(self, z: Tensor) -> Tensor:
        """Noise (B, L, C) → windows (B, L, C), between 0 and 1."""
        found: Tensor = self.recovery(self.supervisor(self.generator(z)))
        return found


@register("baseline", "timegan")
class TimeGANBaseline(BaseBaseline):
    """TimeGAN of Yoon et al. (2019): an adversarial network in the latents of an autoencoder.

    Args:
        steps: of each of the three phases.
        width: of the recurrent layers and of the latents.
        layers: of each network.
        batch_size: windows a step.
        learning_rate: of Adam.
    """

    needs = "minutes to hours; windows of one length"
    slow = True

    def __init__(
        self,
        steps: PositiveInt = 1_000,
        width: PositiveInt = 24,
        layers: PositiveInt = 3,
        batch_size: PositiveInt = 128,
        learning_rate: Positive = 1e-3,
    ) -> None:
        self.steps, self.width, self.layers = steps, width, layers
        self.batch_size, self.learning_rate = batch_size, learning_rate

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> TimeGANBaseline:
        """Train the five networks; see `BaseBaseline.fit`.

        Raises:
            Interrupted: after SIGINT or SIGTERM; nothing is kept.
        """
        if length < 2:
            raise DataError("timegan needs windows of at least 2 rows: its supervisor learns how they go on")
        flat = flat_windows(series, length, _MOST_WINDOWS, "timegan")
        windows = flat.reshape(len(flat), length, -1)
        self._low, high = windows.min((0, 1)), windows.max((0, 1))
        self._range = np.where(high > self._low, high - self._low, 1.0)
        self._length = length
        scaled = torch.from_numpy((windows - self._low) / self._range).float()
        with forked_generator(seed, "timegan"), Signals() as signals:
            self._networks = _Networks(windows.shape[2], self.width, self.layers)
            training = _Training(self._networks, scaled, self.batch_size, self.learning_rate, seed)
            for done, share in enumerate(training.phases(self.steps), 1):
                if signals.received is not None:
                    raise Interrupted(f"interrupted after step {done:,} of {3 * self.steps:,} of timegan")
                if on_progress is not None and done % _STEPS_BETWEEN_WORDS == 0:
                    on_progress(share, training.words())
        self._final = training.words()
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Windows of the generator, (n, L, C)."""
        channels, stream = len(self._range), Stream(seed, "timegan")
        parts = []
        with torch.no_grad():
            for first in range(0, n, _AT_ONCE):  # always as many, so that rounding does not depend on n
                index = torch.arange(first, first + _AT_ONCE)
                z = stream.uniform(0, index, self._length * channels).float()
                parts.append(self._networks.generate(z.view(-1, self._length, channels)))
        drawn = torch.cat(parts)[:n].double().numpy()
        windows: Array = self._low + drawn * self._range
        return windows

    def notes(self) -> list[str]:
        """Where the losses ended."""
        count = sum(p.numel() for p in self._networks.parameters())
        return [f"{count:,} parameters, at the end {self._final}"]


class _Training:
    """The three phases.

    Args:
        networks: what is trained.
        windows: between 0 and 1, (N, L, C).
        batch_size: windows a step.
        learning_rate: of Adam.
        seed: of the order of the windows.
    """

    def __init__(
        self, networks: _Networks, windows: Tensor, batch_size: int, learning_rate: float, seed: int
    ) -> None:
        self.networks, self.windows, self.size = networks, windows, min(batch_size, len(windows))
        self.order = np.random.default_rng(derive_seed(seed, "timegan", "batches"))
        self.autoencoder = [networks.embedder, networks.recovery]
        self.making = [networks.generator, networks.supervisor]
        groups = (self.autoencoder, [networks.supervisor], self.making, [networks.discriminator])
        self.optimizers = [
            torch.optim.Adam([p for m in group for p in m.parameters()], lr=learning_rate) for group in groups
        ]
        self.losses: dict[str, float] = {}

    def phases(self, steps: int) -> Iterator[float]:
        """Train; after each step, gives the share of the time that is done."""
        before = 0.0
        for phase, share in zip((self._autoencode, self._supervise, self._together), _SHARES, strict=True):
            for step in range(steps):
                phase()
                yield before + share * (step + 1) / steps
            before += share

    def words(self) -> str:
        """The latest losses."""
        return "  ".join(f"{name} {value:.3g}" for name, value in self.losses.items())

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Windows and noise, each (B, L, C)."""
        chosen = self.order.choice(len(self.windows), self.size, replace=False)
        x = self.windows[torch.from_numpy(chosen)]
        return x, torch.rand_like(x)

    def _step(self, which: int, loss: Tensor) -> None:
        optimizer = self.optimizers[which]
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        nn.utils.clip_grad_norm_(parameters, _LARGEST_GRADIENT, error_if_nonfinite=True)
        optimizer.step()

    def _autoencode(self) -> None:
        x, _ = self._batch()
        error = reconstruction(x, self.networks.recovery(self.networks.embedder(x)))
        self._step(0, 10 * error.sqrt())
        self.losses = {"reconstruction": float(error.detach().sqrt())}

    def _supervise(self) -> None:
        x, _ = self._batch()
        with torch.no_grad():
            h = self.networks.embedder(x)
        error = supervision(h, self.networks.supervisor(h))
        self._step(1, error)
        self.losses["supervision"] = float(error.detach().sqrt())

    def _together(self) -> None:
        for _ in range(2):
            x, z = self._batch()
            self._step(2, self._making_loss(x, z))
            h = self.networks.embedder(x)
            error = reconstruction(x, self.networks.recovery(h))
            self._step(0, 10 * error.sqrt() + 0.1 * supervision(h, self.networks.supervisor(h)))
            self.losses["reconstruction"] = float(error.detach().sqrt())
        x, z = self._batch()
        loss = self._telling_loss(x, z)
        if float(loss.detach()) > _ENOUGH:
            self._step(3, loss)
        self.losses["discriminator"] = float(loss.detach())

    def _making_loss(self, x: Tensor, z: Tensor) -> Tensor:
        """Of generator and supervisor."""
        networks = self.networks
        with torch.no_grad():
            h = networks.embedder(x)
        made = networks.generator(z)
        supervised, next_h = networks.supervisor(torch.cat((made, h))).chunk(2)  # one pass for both
        error = supervision(h, next_h)
        of_supervised, of_made = networks.discriminator(torch.cat((supervised, made))).chunk(2)
        adversarial = taken_for(of_supervised, True) + taken_for(of_made, True)
        spread = moments(x, networks.recovery(supervised))
        self.losses |= {"generator": float(adversarial.detach()), "moments": float(spread.detach())}
        return adversarial + 100 * error.sqrt() + 100 * spread

    def _telling_loss(self, x: Tensor, z: Tensor) -> Tensor:
        """Of the discriminator."""
        networks = self.networks
        with torch.no_grad():
            h, made = networks.embedder(x), networks.generator(z)
            supervised = networks.supervisor(made)
        of_real, of_supervised, of_made = networks.discriminator(torch.cat((h, supervised, made))).chunk(3)
        return taken_for(of_real, True) + taken_for(of_supervised, False) + taken_for(of_made, False)


def reconstruction(x: Tensor, again: Tensor) -> Tensor:
    """R: the mean squared error of windows (B, L, C)."""
    return (x - again).square().mean()


def supervision(h: Tensor, next_h: Tensor) -> Tensor:
    """S: of latents (B, L, W), each but the first against what was said of it a step before."""
    return (h[:, 1:] - next_h[:, :-1]).square().mean()


def moments(x: Tensor, made: Tensor) -> Tensor:
    """V: standard deviations and means over a batch (B, L, C), for each step and column."""
    spread = (made.var(0, correction=0) + 1e-6).sqrt() - (x.var(0, correction=0) + 1e-6).sqrt()
    return spread.abs().mean() + (made.mean(0) - x.mean(0)).abs().mean()


def taken_for(logits: Tensor, real: bool) -> Tensor:
    """The cross-entropy of a discriminator's logits, if all were real or all generated."""
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))
