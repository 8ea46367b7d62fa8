"""Recurrent layers against torch's own, which is told the lengths; the state space against its recurrence."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from undula.nn.recurrent import Recurrent, mirrored
from undula.nn.state_space import StateSpace

LENGTHS = torch.tensor([7, 4, 1])
EXISTS = (torch.arange(7) < LENGTHS[:, None])[..., None]


@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_padding_is_treated_as_by_packed_sequences(cell: str) -> None:
    """torch's bidirectional layer on packed sequences, with the same weights, is the truth."""
    layer = Recurrent(5, cell, bidirectional=True)  # type: ignore[arg-type]
    truth = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](5, 5, batch_first=True, bidirectional=True)
    assert layer.backwards is not None
    truth.load_state_dict(
        layer.forwards.state_dict()
        | {f"{name}_reverse": weight for name, weight in layer.backwards.state_dict().items()}
    )
    x = torch.randn(3, 7, 5)
    packed = pack_padded_sequence(x, LENGTHS, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(truth(packed)[0], batch_first=True)
    found = layer(x, mirrored(EXISTS)) * EXISTS
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(layer(x[:1]), expected[:1], atol=1e-6)  # without padding: no mirror needed


def test_the_mirror_reverses_what_exists_and_twice_is_nothing() -> None:
    mirror = mirrored(EXISTS)
    assert mirror is not None
    assert mirror[1].tolist() == [3, 2, 1, 0, 6, 5, 4]
    assert torch.equal(mirror.gather(1, mirror), torch.arange(7).expand(3, 7))
    assert mirrored(None) is None


def test_the_state_space_is_a_linear_recurrence() -> None:
    """The kernel's matrix does what damped rotating states, stepped forwards and backwards, do."""
    layer = StateSpace(6, num_heads=2, num_states=3).double()
    u = torch.randn(2, 9, 4, dtype=torch.float64)  # (heads, steps, features)
    pole = torch.exp(-torch.exp(layer.log_rate) + 1j * layer.frequency)[:, :, None]  # (H, N, 1)
    past, future = (w[0] - 1j * w[1] for w in layer.weight)  # Re[(a − i b) e^{iωd}] = a cos + b sin

    def stepped(u: torch.Tensor, weight: torch.Tensor, with_present: bool) -> torch.Tensor:
        state = torch.zeros(2, 3, 4, dtype=torch.complex128)
        out = []
        for step in range(u.shape[1]):
            before, state = pole * state, pole * state + u[:, step, None]
            out.append((weight[..., None] * (state if with_present else before)).sum(1).real)
        return torch.stack(out, 1)

    expected = stepped(u, past, True) + stepped(u.flip(1), future, False).flip(1)
    assert torch.allclose(layer.matrix(9) @ u, expected, atol=1e-12)


def test_the_state_space_starts_with_memories_of_many_lengths() -> None:
    """From one step to a few hundred, and with outputs of the size of white inputs."""
    layer = StateSpace(64, num_heads=8, num_states=16)
    memory = torch.exp(-layer.log_rate.detach())
    assert 1.0 <= float(memory.min()) < 2.0
    assert 100.0 < float(memory.max()) <= 256.0
    out = layer.matrix(1000) @ torch.randn(8, 1000, 50)
    assert 0.5 < float(out.detach()[:, 300:700].std()) < 2.0
