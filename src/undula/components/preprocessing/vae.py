r"""Latents of a variational autoencoder, trained before what is diffused in them.

    z = (q − m)/s,   q ~ q(· | x) = N(mean(x), sd(x)²),   x ~ p(· | s z + m)

m and s are the moments of the posterior's draws over the training windows, unit by unit: E[mean] and
√(Var[mean] + E[sd²]), measured, for a β-VAE's draws are not standard normal. Training draws q afresh in every
step (`draw`), so that what is diffused is the aggregate posterior and not a finite set of points;
`transform` is the posterior's mean, a function of the series alone. `inverse_transform` is the decoder's
location; samples get the decoder's noise too (`draw_inverse`), without which they are too smooth.

A vector latent has shape (latent_dim, 1): its units are channels of one step, which every network mixes in
full. Aligned condition parts are folded: what belongs to a stretch of steps becomes channels of its latent.

References:
    Rombach et al. (2022). High-resolution image synthesis with latent diffusion models. arXiv:2112.10752
    Vahdat, Kreis, Kautz (2021). Score-based generative modeling in latent space. arXiv:2106.05931
"""

from __future__ import annotations

__all__ = ["VAEPreprocessor"]

import copy
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from ...core.condition import Condition, Layout
from ...core.errors import ConfigError, RunError
from ...core.preprocessing import BasePreprocessor
from ...core.randomness import Draws
from ...core.registry import register
from ...core.types import Fraction, Mask, NonNegative, NonNegativeInt, Positive, PositiveInt, Series
from ...latent.likelihoods import LikelihoodName
from ...latent.networks import EncoderName, WindowDecoder, WindowEncoder
from ...latent.training import VAETraining, train_vae
from ...latent.vae import VAE, Posterior, active_units
from ...training.stage import Stage

_BATCH = 1024


@register("preprocessing", "vae")
class VAEPreprocessor(BasePreprocessor):
    """Latents of a variational autoencoder with a training stage of its own.

    Args:
        latent_dim: units of a latent.
        latent_length: steps of a latent sequence; null: one vector a window.
        hidden_dim: width of encoder and decoder.
        encoder: mlp (on the flattened window) or conv (residual convolutions); the decoder likewise.
        likelihood: of an element around the decoder's location: gaussian, or student_t with learned
            degrees of freedom, whose scales are not widened by rare shocks.
        beta: weight of the KL divergence; below 1 latents say more and look less like the prior, which is
            what diffusion in them is for.
        kl_warmup: steps over which beta rises from 0.
        free_bits: nats a unit that cost nothing.
        decoder_noise: whether samples get the decoder's noise; false: its location alone, too smooth.
        min_scale: floor of the decoder's scale, in standard deviations of the feature.
        steps: of its training.
        batch_size: windows a step.
        learning_rate: highest rate of AdamW.
        ema_decay: averaging of the weights that are kept.
    """

    needs = "windows of one length without missing values; no likelihoods, for it does not invert exactly"
    pointwise = False
    any_length = False
    exact = False
    random = True
    stage_name = "vae"

    def __init__(
        self,
        latent_dim: PositiveInt = 8,
        latent_length: PositiveInt | None = None,
        hidden_dim: PositiveInt = 128,
        encoder: EncoderName = "mlp",
        likelihood: LikelihoodName = "student_t",
        beta: NonNegative = 1.0,
        kl_warmup: NonNegativeInt = 500,
        free_bits: NonNegative = 0.0,
        decoder_noise: bool = True,
        min_scale: Positive = 0.01,
        steps: PositiveInt = 3000,
        batch_size: PositiveInt = 128,
        learning_rate: Positive = 1e-3,
        ema_decay: Fraction = 0.99,
    ) -> None:
        self.latent_dim, self.latent_length, self.hidden_dim = latent_dim, latent_length, hidden_dim
        self.encoder, self.likelihood, self.decoder_noise = encoder, likelihood, decoder_noise
        self.beta, self.kl_warmup, self.free_bits = beta, kl_warmup, free_bits
        self.min_scale, self.steps, self.batch_size = min_scale, steps, batch_size
        self.learning_rate, self.ema_decay = learning_rate, ema_decay
        self._copies: dict[tuple[torch.dtype, torch.device], VAE] = {}

    # -- learning ------------------------------------------------------------------------------

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> VAEPreprocessor:
        """Train the autoencoder, then measure the moments of the posterior; see `BasePreprocessor.fit`.

        Raises:
            ConfigError: if a latent sequence would be longer than the window.
            TrainingError: if the loss is not finite.
        """
        if self.latent_length is not None and self.latent_length > x.shape[-1]:
            raise ConfigError(
                f"vae: latent_length = {self.latent_length}, and windows have {x.shape[-1]} steps: give at "
                "most as many, or null for a vector"
            )
        x = x.double()
        self.shape_ = torch.tensor(x.shape[1:])
        self.input_location_ = x.mean((0, 2))[:, None]
        scale = x.std((0, 2), correction=0)[:, None]
        self.input_scale_ = torch.where(scale > 0, scale, 1.0)
        held_out = None if self.held_out is None else self._standardised(self.held_out.x).float()
        training = VAETraining(
            beta=self.beta,
            kl_warmup=self.kl_warmup,
            free_bits=self.free_bits,
            steps=self.steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            ema_decay=self.ema_decay,
        )
        vae = train_vae(self._made, self._standardised(x).float(), held_out, training, self.stage or Stage())
        self.stage = self.held_out = None
        self._keep(vae)
        self._measure(x)
        return self

    def _measure(self, x: Series) -> None:
        """The moments of draws from the posterior, and what each unit says."""
        posterior = self.posterior(x)
        self.location_ = posterior.mean.mean(0)
        variance = posterior.mean.var(0, correction=0) + posterior.sd.square().mean(0)
        self.scale_ = variance.sqrt()
        self.kl_ = posterior.kl().mean(0)
        self.active_ = active_units(posterior.mean)

    def notes(self) -> list[str]:
        """What the latents say."""
        active, units = int(self.active_.sum()), self.active_.numel()
        text = f"vae: {active} of {units} latent units are active, {float(self.kl_.sum()):.3g} nats a window"
        freedom = getattr(self._vae_for(self.location_).likelihood, "freedom", None)
        if freedom is not None:
            numbers = ", ".join(f"{value:.3g}" for value in freedom.flatten().tolist())
            text += f"; the decoder's noise has {numbers} degrees of freedom"
        return [text]

    # -- the map -------------------------------------------------------------------------------

    def transform(self, x: Series, condition: Condition | None = None) -> Tensor:
        """The posterior's mean, standardised, (B, D, T)."""
        return self._scaled(self.posterior(x).mean)

    def draw(self, x: Series, condition: Condition | None, draws: Draws) -> Tensor:
        """A draw from the posterior, standardised, (B, D, T)."""
        posterior = self.posterior(x)
        noise = draws.normal(*posterior.mean.shape[1:])
        return self._scaled(posterior.sample(noise.to(posterior.mean)))

    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Tensor:
        """The decoder's location, in the user's units."""
        vae = self._vae_for(z)
        location, _ = vae.decode(self._unscaled(z))
        return self._in_units(location)

    def draw_inverse(self, z: Series, condition: Condition | None, draws: Draws) -> Tensor:
        """A draw from the decoder, in the user's units; its location where `decoder_noise` is false."""
        if not self.decoder_noise:
            return self.inverse_transform(z, condition)
        vae = self._vae_for(z)
        emission = vae.decode(self._unscaled(z))
        channels, length = emission.location.shape[1:]
        return self._in_units(vae.likelihood.draw(emission, draws.uniform(channels, length)))

    def prior(self, draws: Draws) -> Series:
        """Standard normal latents, scaled as images are, (B, D, T)."""
        return self._scaled(draws.normal(*self.shape(*self.shape_.tolist()), torch.float64))

    def posterior(self, x: Series) -> Posterior:
        """q(z | x) before it is scaled, each (B, D, T)."""
        vae, x = self._vae_for(x), self._standardised(x)
        parts = [vae.encode(part) for part in x.split(_BATCH)]
        return Posterior(torch.cat([p.mean for p in parts]), torch.cat([p.log_sd for p in parts]))

    def units(self, x: Series) -> dict[str, Any]:
        """What the units say of series: `active`, `total`, `kl` (largest first), `latent_sd`."""
        posterior = self.posterior(x)
        spread = (posterior.mean.var(0, correction=0) + posterior.sd.square().mean(0)).sqrt().flatten()
        kl = posterior.kl().mean(0).flatten().sort(descending=True).values
        active = active_units(posterior.mean)
        return {
            "active": int(active.sum()),
            "total": active.numel(),
            "kl": kl.tolist(),
            "latent_sd": spread.tolist(),
        }

    # -- shapes and what is told ---------------------------------------------------------------

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """D and T, whatever the window."""
        return self.latent_dim, self.latent_length or 1

    def layout(self, layout: Layout) -> Layout:
        """The latents' layout, with aligned parts folded."""
        layout_, steps = super().layout(layout), self._fold(layout.length or 1)
        return replace(layout_, aligned={name: c * steps for name, c in layout.aligned.items()})

    def condition(self, condition: Condition | None, like: Series) -> Condition | None:
        """Aligned parts (B, A, L) as (B, A ⌈L/T⌉, T), the last step repeated where L/T is no integer."""
        if condition is None or not condition.aligned:
            return condition
        return replace(condition, aligned={name: self._folded(p) for name, p in condition.aligned.items()})

    def _fold(self, length: int) -> int:
        return -(-length // (self.latent_length or 1))

    def _folded(self, part: Tensor) -> Tensor:
        steps, latents = self._fold(part.shape[-1]), self.latent_length or 1
        padded = F.pad(part, (0, steps * latents - part.shape[-1]), mode="replicate")
        return padded.unflatten(-1, (latents, steps)).transpose(2, 3).flatten(1, 2)

    # -- state ---------------------------------------------------------------------------------

    @property
    def state(self) -> dict[str, Tensor]:
        """Scales, moments and the autoencoder's weights."""
        found = super().state
        for vae in list(self._copies.values())[:1]:
            found |= {f"network.{name}": value for name, value in vae.state_dict().items()}
        return found

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Take over what `state` gave.

        Raises:
            RunError: if the weights do not fit.
        """
        super().load_state({name: value for name, value in state.items() if "." not in name})
        prefix = "network."
        weights = {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
        if not weights:
            return
        vae = self._made()
        try:
            vae.load_state_dict(weights)
        except RuntimeError as error:
            raise RunError(f"vae: the stored weights do not fit its parameters: {error}") from error
        self._keep(vae.eval().requires_grad_(False))

    def _made(self) -> VAE:
        channels, length = self.shape_.tolist()
        latent = self.shape(channels, length)
        encoder = WindowEncoder(self.encoder, (channels, length), latent, self.hidden_dim)
        decoder = WindowDecoder(self.encoder, (channels, length), latent, self.hidden_dim, outputs=2)
        return VAE(encoder, decoder, self.likelihood, channels, self.min_scale)

    def _keep(self, vae: VAE) -> None:
        self._copies = {(torch.float32, torch.device("cpu")): vae}

    def _vae_for(self, like: Tensor) -> VAE:
        """The autoencoder in the precision and on the device of a tensor."""
        if not self._copies:
            raise ConfigError("vae: it is not fitted: call fit on training series first")
        key = (like.dtype, like.device)
        if key not in self._copies:
            self._copies[key] = copy.deepcopy(next(iter(self._copies.values()))).to(like)
        return self._copies[key]

    def _standardised(self, x: Series) -> Series:
        return (x - self.input_location_.to(x)) / self.input_scale_.to(x)

    def _in_units(self, x: Series) -> Series:
        return x * self.input_scale_.to(x) + self.input_location_.to(x)

    def _scaled(self, z: Series) -> Series:
        return (z - self.location_.to(z)) / self.scale_.to(z)

    def _unscaled(self, z: Series) -> Series:
        return z * self.scale_.to(z) + self.location_.to(z)

    def __deepcopy__(self, memo: dict[int, Any]) -> VAEPreprocessor:
        """A copy without the loggers that it was told of."""
        fresh = type(self)(**self.params)
        fresh.load_state({name: value.clone() for name, value in self.state.items()})
        fresh.columns = self.columns
        return fresh
