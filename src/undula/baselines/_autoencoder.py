"""What the baselines that are autoencoders share: windows, training, decoded draws of the prior."""

from __future__ import annotations

__all__ = ["AutoencoderBaseline"]

from abc import abstractmethod
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ..core.baseline import BaseBaseline
from ..core.errors import DataError
from ..core.randomness import Draws
from ..latent.training import VAETraining, train_vae
from ..latent.vae import VAE
from ..training.stage import Stage

Array = NDArray[np.floating[Any]]

_MOST_WINDOWS, _BATCH = 20_000, 1024


class AutoencoderBaseline(BaseBaseline):
    """A VAE whose prior is decoded.

    A subclass stores `training`, `seed` and `decoder_noise`, and makes the autoencoder.
    """

    decoder_noise: bool
    seed: int

    @property
    @abstractmethod
    def training(self) -> VAETraining:
        """Objective and optimiser."""

    @abstractmethod
    def make(self, channels: int, length: int) -> VAE:
        """The autoencoder of windows (B, C, L) with latents (B, D, T)."""

    def fit(self, series: list[Array], length: int) -> AutoencoderBaseline:
        """Train on all windows of the stretches; see `BaseBaseline.fit`.

        Raises:
            DataError: if no stretch has as many rows as a window.
        """
        long = [s for s in series if len(s) >= length]
        views = [sliding_window_view(s, length, axis=0) for s in long]
        step = max(1, sum(len(v) for v in views) // _MOST_WINDOWS)
        windows = np.concatenate([v[::step] for v in views]) if views else np.empty((0, 1, length))
        x = torch.from_numpy(windows[~np.isnan(windows).any((1, 2))]).double()
        if not len(x):
            raise DataError(
                f"no training stretch has {length} rows without missing values, the length of a window"
            )
        self._location = x.mean((0, 2))[:, None]
        scale = x.std((0, 2), correction=0)[:, None]
        self._scale = torch.where(scale > 0, scale, 1.0)
        scaled = ((x - self._location) / self._scale).float()
        channels = x.shape[1]
        self._vae = train_vae(
            lambda: self.make(channels, length), scaled, None, self.training, Stage(seed=self.seed)
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
