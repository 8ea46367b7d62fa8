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
from .errors import ConfigError, IncompatibleError, did_you_mean
from .types import Series, Times


class BaseArchitecture(nn.Module, Component, ABC):
    """A network of diffusion models.

    A subclass stores its hyperparameters in `__init__` and makes its layers in `build`. The last
    layer starts at zero, so that an untrained model is its preconditioning alone.

    Attributes:
        any_length: whether one set of weights takes series of every length.
        vectorises: whether `torch.vmap` can run networks of equal shapes as one batch.
        causal: whether F at a step depends on the series at that step and before alone.
        condition_dropout: probability with which training replaces each condition part by its
            learned null; or one a part, by its name.
    """

    kind: ClassVar[str] = "architecture"
    any_length: bool = True
    vectorises: bool = True
    causal: bool = False
    condition_dropout: float | dict[str, float]
    gradient_checkpointing: bool = False
    """Whether blocks are computed again in the backward pass instead of kept in memory."""

    @abstractmethod
    def build(self, layout: Layout) -> None:
        """Make the layers for data of this layout; a subclass calls this first.

        Raises:
            ConfigError: if condition_dropout names a part that these data do not have.
        """
        self.dropout_of_parts(layout)

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

    def dropout_of_parts(self, layout: Layout) -> dict[str, float]:
        """The probability of dropping each part that may be dropped, by name.

        Raises:
            ConfigError: if condition_dropout names another.
        """
        given, known = self.condition_dropout, layout.droppable
        if not isinstance(given, dict):
            return dict.fromkeys(known, given)
        for name in given:
            if name not in known:
                raise ConfigError(
                    f"condition_dropout names {name!r}{did_you_mean(name, known)}: the parts that may be "
                    f"dropped are {', '.join(map(repr, known)) or 'none in these data'}"
                )
        return {name: given.get(name, 0.0) for name in known}

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
