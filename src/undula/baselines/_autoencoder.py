"""What the baselines that are autoencoders share: windows, training, decoded draws of the prior."""

from __future__ import annotations

__all__ = ["AutoencoderBaseline"]

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline, OnProgress
from ..core.randomness import Draws
from ..core.registry import Registry
from ..latent.training import VAETraining, train_vae
from ..latent.vae import VAE
from ..training.progress import SilentProgress
from ..training.stage import Stage
from ._series import flat_windows

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS, _BATCH = 20_000, 1024


class AutoencoderBaseline(BaseBaseline):
    """A VAE whose prior is decoded.

    A subclass stores `training` and `decoder_noise`, and makes the autoencoder.
    """

    slow = True
    decoder_noise: bool

    @property
    @abstractmethod
    def training(self) -> VAETraining:
        """Objective and optimiser."""

    @abstractmethod
    def make(self, channels: int, length: int) -> VAE:
        """The autoencoder of windows (B, C, L) with latents (B, D, T)."""

    def fit(
        self, series: list[Array], length: int, seed: int = 0, on_progress: OnProgress | None = None
    ) -> AutoencoderBaseline:
        """Train on all windows of the stretches; see `BaseBaseline.fit`.

        Raises:
            DataError: if no stretch has as many rows as a window.
        """
        who, channels = Registry.name(self), np.asarray(series[0]).shape[-1] if series else 1
        flat = flat_windows(series, length, _MOST_WINDOWS, who)
        x = torch.from_numpy(flat.reshape(len(flat), length, channels)).transpose(1, 2).double()
        self._location = x.mean((0, 2))[:, None]
        scale = x.std((0, 2), correction=0)[:, None]
        self._scale = torch.where(scale > 0, scale, 1.0)
        scaled = ((x - self._location) / self._scale).float()
        self._vae = train_vae(
            lambda: self.make(channels, length),
            scaled,
            None,
            self.training,
            Stage(seed=seed, progress=SilentProgress() if on_progress is None else _Told(on_progress)),
        )
        with torch.no_grad():
            _, units, steps = self._vae.encode(scaled[:1]).mean.shape
        self._latent = (units, steps)
        return self

    def sample(self, n: int, seed: int = 0) -> Array:
        """Decoded draws of the prior, (n, L, C)."""
        found = []
        with torch.no_grad():
            for index in torch.arange(n).split(_BATCH):
                emission = self._vae.decode(Draws(seed, "prior", 0, index).normal(*self._latent))
                x = emission.location
                if self.decoder_noise:
                    share = Draws(seed, "decoder", 0, index).uniform(*x.shape[1:])
                    x = self._vae.likelihood.draw(emission, share)
                found.append(x.double() * self._scale + self._location)
        windows: Array = torch.cat(found).transpose(1, 2).numpy()
        return windows


class _Told(SilentProgress):
    """A progress that is told to a function."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress

    def update(self, share: float, text: str) -> None:
        """Tell the share and the latest numbers."""
        self._on_progress(share, text)
