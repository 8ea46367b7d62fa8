r"""The objective of β-VAEs, per number of the window.

    loss = [ −log p(x | z) + β_k Σ_j max(λ, KL_j) ]/(C L),   z ~ q(z | x),   β_k = β min(1, (k + 1)/warm-up)

KL_j is the mean over the batch of unit j's: *free bits* λ (in nats a unit) take the pressure off a unit that
says less than that, so that it does not collapse. With β = 1 and λ = 0 the loss is the negative evidence
lower bound.

References:
    Higgins et al. (2017). β-VAE. ICLR, openreview:Sy2fzU9gl
    Kingma et al. (2016). Improved variational inference with inverse autoregressive flow.
        arXiv:1606.04934 (free bits)
    Sønderby et al. (2016). Ladder variational autoencoders. arXiv:1602.02282 (warm-up)
"""

from __future__ import annotations

__all__ = ["VAELoss"]

import torch
from torch import Tensor, nn

from ..core.randomness import Stream
from ..core.types import Losses, Series
from .vae import VAE, active_units


class VAELoss(nn.Module):
    """What a batch costs, as a function of (seed, step).

    Args:
        vae: the autoencoder.
        seed: of the draws from the posterior.
        beta: β.
        kl_warmup: steps over which β rises; 0: none.
        free_bits: λ.
    """

    def __init__(self, vae: VAE, seed: int, beta: float, kl_warmup: int, free_bits: float) -> None:
        super().__init__()
        self.vae = vae
        self.seed, self.beta, self.kl_warmup, self.free_bits = seed, beta, kl_warmup, free_bits

    def weight(self, step: int) -> float:
        """β_k."""
        return self.beta * min(1.0, (step + 1) / self.kl_warmup) if self.kl_warmup else self.beta

    def forward(self, x: Series, step: int, position: Tensor, size: int) -> Losses:
        """The loss of each member of a batch of standardised windows, (B,).

        Args:
            x: windows, (B, C, L).
            step: of the training.
            position: the members' places in the global batch, integers (B,).
            size: of the global batch.
        """
        reconstruction, kl = self.terms(x, "posterior", step, position)
        free = kl.mean(0) < self.free_bits
        kl = torch.where(free, torch.full_like(kl, self.free_bits), kl)
        return (reconstruction + self.weight(step) * kl.flatten(1).sum(1)) / x[0].numel()

    def terms(self, x: Series, name: str, step: int, index: Tensor) -> tuple[Losses, Tensor]:
        """−log p(x | z) at a draw of z, (B,), and each unit's KL, (B, D, T), in nats."""
        posterior = self.vae.encode(x)
        noise = Stream(self.seed, name).normal(step, index, *posterior.mean.shape[1:])
        emission = self.vae.decode(posterior.sample(noise.to(posterior.mean)))
        return -self.vae.likelihood.log_density(x, emission), posterior.kl()

    def figures(self, x: Series, draws: int = 2) -> dict[str, float]:
        """Loss with the final β, its parts in nats a number, and active units; noise is always the same."""
        index = torch.arange(len(x), device=x.device)
        found = [self.terms(x, "validation", k, index) for k in range(draws)]
        reconstruction = float(torch.stack([r for r, _ in found]).double().mean()) / x[0].numel()
        kl = found[0][1].double().mean(0)
        counted = float(kl.clamp(min=self.free_bits).sum()) / x[0].numel()
        return {
            "val_loss": reconstruction + self.beta * counted,
            "reconstruction": reconstruction,
            "kl": float(kl.sum()) / x[0].numel(),
            "active_units": float(active_units(self.vae.encode(x).mean).sum()),
        }
