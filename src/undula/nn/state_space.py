r"""A diagonal state space that reads a series in both directions.

    y_l = Σ_s k(l − s) u_s,    k(d) = Σ_n e^{−r_n |d|} (a_n cos ω_n d + b_n sin ω_n |d|)

is what a linear state space with the poles e^{−r_n ± iω_n} does to u: damped oscillations, each with
a memory of 1/r_n steps. (a, b) differ for the past (d ≥ 0) and the future (d < 0). The sum is
computed as one product with the matrix k(l − s) of each head, which costs what attention costs, and
needs neither a scan nor complex numbers; a step that does not exist is a zero in u and acts nowhere.

References:
    Gu, Gupta, Goel, Ré (2022). On the parameterization and initialization of diagonal state space
    models. arXiv:2206.11893
    Dao, Gu (2024). Transformers are SSMs. arXiv:2405.21060 (the matrix form)
"""

from __future__ import annotations

__all__ = ["StateSpace"]

import math

import torch
from torch import Tensor, nn

_LONGEST_MEMORY = 256.0


class StateSpace(nn.Module):
    """Mixing over time by damped oscillations.

    Args:
        dim: D, size of a step.
        num_heads: groups of features with a kernel each; divides D.
        num_states: damped oscillations a kernel.
    """

    def __init__(self, dim: int, num_heads: int, num_states: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.project_in = nn.Linear(dim, dim)
        self.project_out = nn.Linear(dim, dim)
        shape = (num_heads, num_states)
        rate = torch.exp(-math.log(_LONGEST_MEMORY) * torch.rand(shape))  # from a step to the longest
        self.log_rate = nn.Parameter(torch.log(rate))
        self.frequency = nn.Parameter(math.pi * torch.rand(shape) * rate)  # at most half a turn a memory
        self.weight = nn.Parameter(torch.randn(2, 2, *shape) * torch.sqrt(rate / num_states))

    def forward(self, x: Tensor, exists: Tensor | None = None) -> Tensor:
        """(B, L, D) → (B, L, D); `exists` (B, L, 1) is False where x is padding."""
        u = self.project_in(x)
        u = u if exists is None else u * exists
        u = u.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)  # (B, H, L, D/H)
        y = self.matrix(x.shape[1]).to(u.dtype) @ u
        output: Tensor = self.project_out(y.transpose(1, 2).flatten(-2))
        return output

    def matrix(self, length: int) -> Tensor:
        """k(l − s) of every head, (H, L, L)."""
        steps = torch.arange(length, device=self.log_rate.device)
        past, future = self._kernels(steps)
        both = torch.cat((future[:, 1:].flip(-1), past), dim=-1)  # d from −(L − 1) to L − 1
        return both[:, steps[:, None] - steps + length - 1]

    def _kernels(self, distance: Tensor) -> tuple[Tensor, Tensor]:
        """K at the distances into the past and into the future, (H, L) each."""
        decay = torch.exp(-torch.exp(self.log_rate)[..., None] * distance)
        phase = self.frequency[..., None] * distance
        waves = torch.stack((torch.cos(phase), torch.sin(phase))) * decay  # (2, H, N, L)
        past, future = torch.einsum("dphn,phnl->dhl", self.weight, waves)
        return past, future
