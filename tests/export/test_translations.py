"""Operations that torch's exporter lacks give what torch gives."""

from __future__ import annotations

import warnings

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from undula.export.translations import translations

COUNTS = (1, 2, 3, 7, 8, 9)


class Searches(nn.Module):
    """Knots of every count, a row a channel and one row for all, from the left and from the right."""

    def __init__(self) -> None:
        super().__init__()
        for count in COUNTS:
            knots = torch.linspace(-1.0, 1.0, count, dtype=torch.float64)
            self.register_buffer(f"knots_{count}", torch.stack((knots, 2.0 * knots)))

    def forward(self, values: Tensor) -> tuple[Tensor, ...]:
        found = []
        for count in COUNTS:
            knots: Tensor = getattr(self, f"knots_{count}")
            for right in (False, True):
                found.append(torch.searchsorted(knots, values, right=right))
                found.append(torch.searchsorted(knots[0], values, right=right, out_int32=True))
        return tuple(found)


def test_searchsorted() -> None:
    """On the knots, between and beyond them."""
    values = torch.tensor([[-9.0, -2.0, -1.0, -0.5, 0.0, 0.1, 1.0, 2.0, 9.0]] * 2, dtype=torch.float64)
    module = Searches().eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = torch.onnx.export(
            module, (values,), dynamo=True, custom_translation_table=translations(), verbose=False
        )
    session = onnxruntime.InferenceSession(made.model_proto.SerializeToString())
    outputs = session.run(None, {session.get_inputs()[0].name: values.numpy()})
    for theirs, ours in zip(outputs, module(values), strict=True):
        assert theirs.dtype == ours.numpy().dtype and np.array_equal(theirs, ours.numpy())
