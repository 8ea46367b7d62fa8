"""Operations that torch's exporter does not know, in ONNX's words."""

from __future__ import annotations

__all__ = ["translations"]

from collections.abc import Callable
from typing import Any

import torch

_STEPS_WHERE_UNKNOWN = 24


def translations() -> dict[Any, Callable[..., Any]]:
    """Functions by the operation that they stand for; needs onnxscript."""
    return {torch.ops.aten.searchsorted.Tensor: _searchsorted}


def _searchsorted(
    sorted_sequence: Any,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: str | None = None,
    sorter: Any = None,
) -> Any:
    """How many of the sorted numbers lie before each value, by bisection from the highest bit.

    Memory stays that of the values, whatever the number of knots.
    """
    import onnxscript

    op: Any = onnxscript.opset20

    one_row = len(sorted_sequence.shape) == 1
    count = sorted_sequence.shape[-1]
    bits = count.bit_length() if isinstance(count, int) else _STEPS_WHERE_UNKNOWN
    last = op.Constant(value_int=int(count))
    found = op.CastLike(op.Mul(values, op.CastLike(0.0, values)), op.Constant(value_int=0))
    for bit in reversed(range(bits)):
        candidate = op.Add(found, op.Constant(value_int=2**bit))
        index = op.Sub(op.Min(candidate, last), op.Constant(value_int=1))
        knot = (
            op.Gather(sorted_sequence, index, axis=0)
            if one_row
            else op.GatherElements(sorted_sequence, index, axis=-1)
        )
        below = op.LessOrEqual(knot, values) if right or side == "right" else op.Less(knot, values)
        found = op.Where(op.And(below, op.LessOrEqual(candidate, last)), candidate, found)
    return op.Cast(found, to=6) if out_int32 else found
