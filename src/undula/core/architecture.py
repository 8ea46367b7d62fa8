"""A network (x, τ, condition) → F that knows nothing of diffusion.

The constructor stores hyperparameters; `build` makes the layers once the data's layout is known.
"""

from __future__ import annotations

__all__ = ["BaseArchitecture"]

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .component import Component
from .condition import Condition, Layout
from .errors import IncompatibleError
from .types import Series, Times


class BaseArchitecture(nn.Module, Component, ABC):
    """A network of diffusion models.

    A subclass stores its hyperparameters in `__init__` and makes its layers in `build`. The last
    layer starts at zero, so that an untrained model is its preconditioning alone.

    Attributes:
        condition_dropout: probability with which training replaces each condition part by its
            learned null.
    """

    kind: ClassVar[str] = "architecture"
    any_length: ClassVar[bool] = True
    """Whether one set of weights takes series of every length."""

    condition_dropout: float
    gradient_checkpointing: bool = False
    """Whether blocks are computed again in the backward pass instead of kept in memory."""

    @abstractmethod
    def build(self, layout: Layout) -> None:
        """Make the layers for data of this layout."""

    @abstractmethod
    def forward(self, x: Series, tau: Times, condition: Condition | None = None) -> Series:
        """F(x, τ, condition).

        Args:
            x: scaled noisy series, (B, C, L).
            tau: noise levels τ in [0, 1], (B,).
            condition: the parts named in the layout; None where it names none.

        Returns:
            Shape (B, C, L).
        """

    def run_block(self, block: Callable[..., Tensor], *arguments: Tensor | None) -> Tensor:
        """Call a block, keeping its inside for the backward pass or not."""
        if self.gradient_checkpointing and torch.is_grad_enabled():
            output: Tensor = checkpoint(block, *arguments, use_reentrant=False)
            return output
        return block(*arguments)

    def _require_length(self, layout: Layout) -> int:
        if layout.length is None:
            name = type(self).__name__
            raise IncompatibleError(
                f"{name} needs windows of one fixed length, and these data vary in length: "
                "use transformer or unet, or set data.predict_len"
            )
        return layout.length
