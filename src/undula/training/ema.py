"""The exponential moving average of weights, with warm-up.

    w̄ ← w̄ + (1 − d_k)(w − w̄),   d_k = min(d, (1 + k)/(10 + k))

Without the warm-up the first weights, which are noise, would stay in the average for thousands of
steps.
"""

from __future__ import annotations

__all__ = ["EMA"]

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn


class EMA:
    """Averaged weights of a module.

    Args:
        module: whose parameters are averaged.
        decay: d; 0: no averaging.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self._parameters = dict(module.named_parameters())
        self.weights = {name: p.detach().clone() for name, p in self._parameters.items()}

    def update(self, step: int) -> None:
        """Average in the weights after step number `step`, counted from 0."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step)) if self.decay else 0.0
        with torch.no_grad():
            torch._foreach_lerp_(
                list(self.weights.values()),
                [p.detach() for p in self._parameters.values()],
                1.0 - decay,
            )

    def load(self, weights: dict[str, Tensor]) -> None:
        """Take over averaged weights."""
        for name, weight in self.weights.items():
            weight.copy_(weights[name])

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averaged weights into the module for the length of a block."""
        kept = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._put(self.weights)
        try:
            yield
        finally:
            self._put(kept)

    def _put(self, weights: dict[str, Tensor]) -> None:
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                parameter.copy_(weights[name])
