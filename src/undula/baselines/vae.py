r"""A variational autoencoder alone: decoded draws of its prior, with the decoder's noise.

It is what latent diffusion adds to: the same networks, likelihoods and training as the preprocessing `vae`,
with latents z ~ N(0, 1) instead of generated ones.

References:
    Kingma, Welling (2014). Auto-encoding variational Bayes. arXiv:1312.6114
"""

from __future__ import annotations

__all__ = ["VAEBaseline"]

from ..core.registry import register
from ..core.types import NonNegative, NonNegativeInt, Positive, PositiveInt
from ..latent.likelihoods import LikelihoodName
from ..latent.networks import EncoderName, WindowDecoder, WindowEncoder
from ..latent.training import VAETraining
from ..latent.vae import VAE
from ._autoencoder import AutoencoderBaseline


@register("baseline", "vae")
class VAEBaseline(AutoencoderBaseline):
    """A variational autoencoder whose prior is decoded.

    Args:
        latent_dim: units of the latent.
        hidden_dim: width of encoder and decoder.
        encoder: mlp or conv.
        likelihood: gaussian or student_t.
        beta: weight of the KL divergence.
        kl_warmup: steps over which beta rises from 0.
        free_bits: nats a unit that cost nothing.
        decoder_noise: whether samples get the decoder's noise.
        min_scale: floor of the decoder's scale, in standard deviations of the feature.
        steps: of its training.
        batch_size: windows a step.
        learning_rate: highest rate of AdamW.
    """

    def __init__(
        self,
        latent_dim: PositiveInt = 16,
        hidden_dim: PositiveInt = 128,
        encoder: EncoderName = "mlp",
        likelihood: LikelihoodName = "student_t",
        beta: NonNegative = 1.0,
        kl_warmup: NonNegativeInt = 500,
        free_bits: NonNegative = 0.0,
        decoder_noise: bool = True,
        min_scale: Positive = 0.1,
        steps: PositiveInt = 2500,
        batch_size: PositiveInt = 128,
        learning_rate: Positive = 1e-3,
    ) -> None:
        self.latent_dim, self.hidden_dim, self.encoder, self.likelihood = (
            latent_dim,
            hidden_dim,
            encoder,
            likelihood,
        )
        self.beta, self.kl_warmup, self.free_bits = beta, kl_warmup, free_bits
        self.decoder_noise, self.min_scale = decoder_noise, min_scale
        self.steps, self.batch_size, self.learning_rate = steps, batch_size, learning_rate

    @property
    def training(self) -> VAETraining:
        """Objective and optimiser."""
        return VAETraining(
            beta=self.beta,
            kl_warmup=self.kl_warmup,
            free_bits=self.free_bits,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
        )

    def make(self, channels: int, length: int) -> VAE:
        """The autoencoder; see `AutoencoderBaseline.make`."""
        shape, latent = (channels, length), (self.latent_dim, 1)
        encoder = WindowEncoder(self.encoder, shape, latent, self.hidden_dim)
        decoder = WindowDecoder(self.encoder, shape, latent, self.hidden_dim, outputs=2)
        return VAE(encoder, decoder, self.likelihood, channels, self.min_scale)
