"""The history that a trend is told."""

from __future__ import annotations

__all__ = ["last_value", "past_of"]

import torch
from torch import Tensor

from ...core.condition import Condition
from ...core.errors import DataError


def past_of(condition: Condition, rows: int, what: str) -> Tensor:
    """The history (B, C, H), H ≥ rows.

    Raises:
        DataError: if it is shorter.
    """
    past = condition.past
    assert past is not None
    if past.shape[-1] < rows:
        raise DataError(
            f"trend {what} needs a history of {rows} rows, this has {past.shape[-1]}: set data.history_len: "
            f"{rows} or more"
        )
    return past


def last_value(past: Tensor) -> Tensor:
    """The last value that there is of each channel, (B, C, 1); 0 where there is none."""
    there = ~torch.isnan(past)
    number = torch.arange(1, past.shape[-1] + 1, device=past.device)
    last = past.gather(-1, (there * number).argmax(-1, keepdim=True))
    return torch.nan_to_num(last)
