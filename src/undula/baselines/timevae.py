r"""TimeVAE: a variational autoencoder whose decoder adds a trend, seasons and a remainder.

As published, samples are the decoder's locations, without noise: smooth where the data are not. The weight
of the squared error is learned, as one scale a channel, instead of chosen.

References:
    Desai, Freeman, Wang, Beaver (2021). TimeVAE: a variational auto-encoder for multivariate time series
        generation. arXiv:2111.08095
"""

from __future__ import annotations

__all__ = ["TimeVAEBaseline"]

from ..core.registry import register
from ..core.types import NonNegativeInt, Positive, PositiveInt
from ..latent.networks import EncoderName, WindowEncoder
from ..latent.timevae import TimeVAEDecoder
from ..latent.training import VAETraining
from ..latent.vae import VAE
from ._autoencoder import AutoencoderBaseline

_MIN_SCALE = 0.01


@register("baseline", "timevae")
class TimeVAEBaseline(AutoencoderBaseline):
    """A TimeVAE: trend, seasons and a remainder, each a function of the latent.

    Args:
        latent_dim: units of the latent.
        hidden_dim: width of the encoder and of the remainder's network.
        encoder: conv or mlp; the remainder's network likewise.
        trend_degree: highest power of time in the trend; 0: no trend.
        seasons: lengths of seasons in steps, such as [24, 168] of hourly data; empty: none.
        decoder_noise: whether samples get noise of the learned scale; false: as published.
        steps: of its training.
        batch_size: windows a step.
        learning_rate: highest rate of AdamW.
    """

    def __init__(
        self,
        latent_dim: PositiveInt = 8,
        hidden_dim: PositiveInt = 32,
        encoder: EncoderName = "conv",
        trend_degree: NonNegativeInt = 2,
        seasons: list[PositiveInt] | None = None,
        decoder_noise: bool = False,
        steps: PositiveInt = 1500,
        batch_size: PositiveInt = 64,
        learning_rate: Positive = 1e-3,
    ) -> None:
        self.latent_dim, self.hidden_dim, self.encoder = latent_dim, hidden_dim, encoder
        self.trend_degree, self.seasons, self.decoder_noise = trend_degree, seasons, decoder_noise
        self.steps, self.batch_size, self.learning_rate = steps, batch_size, learning_rate

    @property
    def training(self) -> VAETraining:
        """The negative evidence lower bound, as published."""
        return VAETraining(
            beta=1.0,
            kl_warmup=0,
            free_bits=0.0,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
        )

    def make(self, channels: int, length: int) -> VAE:
        """The autoencoder; see `AutoencoderBaseline.make`."""
        shape = (channels, length)
        encoder = WindowEncoder(self.encoder, shape, (self.latent_dim, 1), self.hidden_dim)
        decoder = TimeVAEDecoder(
            self.encoder, shape, self.latent_dim, self.hidden_dim, self.trend_degree, self.seasons or []
        )
        return VAE(encoder, decoder, "gaussian", channels, _MIN_SCALE)
