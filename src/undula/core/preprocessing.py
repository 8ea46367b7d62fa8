"""The map between the user's space and the space that is diffused.

It acts on series (B, C, L), so that the same object serves training, sampling and guidance, on any
device, and gradients pass through it.
"""

from __future__ import annotations

__all__ = ["BasePreprocessor", "HeldOut"]

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from torch import Tensor

from .component import Component
from .condition import Condition, Layout
from .randomness import Draws
from .types import Mask, Series

if TYPE_CHECKING:
    from ..training.stage import Stage


class HeldOut(NamedTuple):
    """Series that were not trained on, and what is told of them."""

    x: Series
    condition: Condition | None


class BasePreprocessor(Component, ABC):
    """An invertible map of series, from (B, C, L) to (B, C', L').

    `fit` sees the training part alone. `transform` then `inverse_transform` returns the input to
    rounding; `fit` is optional for a map that learns nothing.

    Attributes:
        pointwise: whether an element's image depends on that element alone; a map for which it does
            not can take neither missing values nor series of different lengths, which is refused
            before training.
        any_length: whether what it learned from windows of one length serves others too.
        snaps: whether `inverse_transform` rounds to the values that the data can take; then
            `transform` of it returns z to that rounding only.
        exact: whether `inverse_transform` of `transform` is the series again, to rounding.
        random: whether `draw` or `draw_inverse` draws random numbers.
        stage_name: what the training that `fit` is, is called; empty: `fit` trains nothing.
        calibrates: whether `learn_from_samples` is to be called after the training.
        columns: names of the series' channels, told before `fit`; empty if they have none.
        stage: how to train, told before `fit` to a map that trains; None: with its own defaults.
        held_out: validation series, told before `fit` to a map that trains; None: there are none.
    """

    kind: ClassVar[str] = "preprocessing"

    pointwise: bool = True
    any_length: bool = True
    snaps: bool = False
    exact: bool = True
    random: bool = False
    stage_name: str = ""
    calibrates: bool = False
    columns: Sequence[str] = ()
    stage: Stage | None = None
    held_out: HeldOut | None = None

    def fit(
        self, x: Series, valid: Mask | None = None, condition: Condition | None = None
    ) -> BasePreprocessor:
        """Learn from training series; return self.

        Args:
            x: training series in the user's units.
            valid: True where x has a value; None: everywhere.
            condition: what is told of these series.
        """
        return self

    @abstractmethod
    def transform(self, x: Series, condition: Condition | None = None) -> Series:
        """From the user's units to the space that is diffused."""

    @abstractmethod
    def inverse_transform(self, z: Series, condition: Condition | None = None) -> Series:
        """From the space that is diffused to the user's units."""

    def draw(self, x: Series, condition: Condition | None, draws: Draws) -> Tensor:
        """A random image of each member, for a map that has several; else its image.

        Args:
            x: series in the user's units.
            condition: what is told of them.
            draws: the random numbers to use; the result is a function of them.
        """
        return self.transform(x, condition)

    def draw_inverse(self, z: Series, condition: Condition | None, draws: Draws) -> Tensor:
        """A random series of those that z stands for; see `draw`."""
        return self.inverse_transform(z, condition)

    def prior(self, draws: Draws) -> Series:
        """Images of what the map itself takes for the distribution of its images, (B, C', L').

        Only for a map that learned one (`stage_name` is not empty).
        """
        raise NotImplementedError(f"{type(self).__name__} has no prior")

    def trained(
        self, x: Series, condition: Condition | None = None
    ) -> tuple[BasePreprocessor, Series] | None:
        """The part whose `fit` is a training, and what reaches it of series x; None: there is none."""
        return (self, x) if self.stage_name else None

    def learn_from_samples(self, z: Series) -> None:
        """Change the map so that samples of the trained model come out as the data are.

        Only for a map that says so (`calibrates`).

        Args:
            z: samples of the trained model in the space that is diffused.
        """
        raise NotImplementedError(f"{type(self).__name__} learns nothing from samples")

    @property
    def has_log_det(self) -> bool:
        """Whether `log_det` is there; not for a map to more numbers than the series has."""
        return type(self).log_det is not BasePreprocessor.log_det

    def log_det(self, x: Series, condition: Condition | None = None) -> Tensor:
        """Log |det ∂transform/∂x| of each member, (B,); for likelihoods in the user's units."""
        raise NotImplementedError(f"{type(self).__name__} has no log-determinant")

    def notes(self) -> list[str]:
        """What `fit` found out about the data, a sentence each; for reports."""
        return []

    def shape(self, channels: int, length: int) -> tuple[int, int]:
        """C' and L' of the images of series (B, C, L)."""
        return channels, length

    def layout(self, layout: Layout) -> Layout:
        """What a network is built for, when the user's series have this layout.

        A map that adds condition parts (`condition`) names them here.
        """
        channels, length = self.shape(layout.channels, layout.length or 1)
        return replace(layout, channels=channels, length=layout.length and length)

    def condition(self, condition: Condition | None, like: Series) -> Condition | None:
        """What the network is told beside the images of series.

        A map that moves time steps moves the aligned parts with them, and says which position is
        what by an aligned part of its own.

        Args:
            condition: what is told of the series in the user's space.
            like: series (B, C, L) of the user's space, for batch size, length and device; its
                values are not read.
        """
        return condition
