"""What a model is told besides the noisy series, and the layout that a network is built for.

A condition has named parts of three kinds: *sequence* (a history, of its own length), *aligned*
(channels of the series' own length: covariates, a mask, an envelope) and *static* (a vector).
Each part has a learned null in the network; which members of a batch use it is said explicitly by
`dropped`, in training and in sampling alike, never by zeros and never by a module's train mode.
"""

from __future__ import annotations

__all__ = ["ALWAYS_TOLD", "Condition", "Layout"]

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from .types import Mask

ALWAYS_TOLD = ("observed", "coordinates")
"""Parts that are never unknown: which elements are missing, and which position is what."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The shapes that a network is built for.

    Args:
        channels: C, channels of the series.
        length: L, or None where the length varies.
        sequence: channels and length of each sequence part, by name.
        aligned: channels of each aligned part, by name.
        static: numbers in each static part, by name.
    """

    channels: int
    length: int | None
    sequence: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    aligned: Mapping[str, int] = field(default_factory=dict)
    static: Mapping[str, int] = field(default_factory=dict)

    @property
    def parts(self) -> list[str]:
        """Names of all condition parts."""
        return [*self.sequence, *self.aligned, *self.static]

    @property
    def droppable(self) -> list[str]:
        """Names of the parts that may be unknown: what a conditional model is conditioned on."""
        return [name for name in self.parts if name not in ALWAYS_TOLD]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Named parts for a batch of B members, and which elements of the series exist.

    Args:
        sequence: tensors (B, C_h, L_h), by name.
        aligned: tensors (B, C_a, L), by name.
        static: tensors (B, S), by name.
        exists: False where the series is padding, (B, 1, L); None: nowhere. Networks leave it out.
        valid: False where an element counts for no loss (padding, missing), (B, 1, L) or (B, C, L);
            None: nowhere.
        dropped: for a part's name, True (B,) where the part's learned null is used instead.
        past: the series' own values before the window in the user's units, (B, C, H), NaN where
            missing; None: unknown. For preprocessing and noise; networks see the history as a part.
        known: the known covariates in the user's units, by column, (B, 1, L), NaN where missing.
            For noise; networks see them standardised, as the part "covariates".
    """

    sequence: Mapping[str, Tensor] = field(default_factory=dict)
    aligned: Mapping[str, Tensor] = field(default_factory=dict)
    static: Mapping[str, Tensor] = field(default_factory=dict)
    exists: Mask | None = None
    valid: Mask | None = None
    dropped: Mapping[str, Tensor] = field(default_factory=dict)
    past: Tensor | None = None
    known: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, Tensor]:
        """All parts by name."""
        return {**self.sequence, **self.aligned, **self.static}

    @property
    def droppable(self) -> list[str]:
        """Names of the parts that may be unknown."""
        return [name for name in self.parts if name not in ALWAYS_TOLD]

    def told(self, name: str) -> Tensor | None:
        """An aligned part or a known covariate, (B, C_a, L), NaN where it is dropped; None: no such part."""
        aligned = name in self.aligned
        values = self.aligned.get(name, self.known.get(name))
        where = self.dropped.get(name if aligned else "covariates")
        if values is None or where is None:
            return values
        return values.masked_fill(where[:, None, None], math.nan)

    def drop(self, name: str, where: Tensor) -> Condition:
        """Use the learned null of the part `name` where `where` (B,) is true."""
        return replace(self, dropped={**self.dropped, name: where})

    def unconditional(self, names: Iterable[str] | None = None) -> Condition:
        """Use the learned null of every droppable part (or of the named ones) for the whole batch."""
        parts = self.parts
        dropped = {
            name: torch.ones(len(parts[name]), dtype=torch.bool, device=parts[name].device)
            for name in (self.droppable if names is None else names)
        }
        return replace(self, dropped={**self.dropped, **dropped})

    def to(self, device: torch.device | str) -> Condition:
        """The same condition on another device."""
        return self._map(lambda x: x.to(device, non_blocking=True))

    def __getitem__(self, index: Tensor | slice) -> Condition:
        """The members `index` of the batch."""
        return self._map(lambda x: x[index])

    def _map(self, function) -> Condition:  # type: ignore[no-untyped-def]
        def over(parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
            return {name: function(part) for name, part in parts.items()}

        return Condition(
            sequence=over(self.sequence),
            aligned=over(self.aligned),
            static=over(self.static),
            exists=None if self.exists is None else function(self.exists),
            valid=None if self.valid is None else function(self.valid),
            dropped=over(self.dropped),
            past=None if self.past is None else function(self.past),
            known=over(self.known),
        )
