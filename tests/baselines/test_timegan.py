"""TimeGAN: its losses against closed forms, what its phases train, its seeds, its interruption."""

from __future__ import annotations

import math
import os
import signal

import numpy as np
import pytest
import torch

from undula.baselines.timegan import (
    TimeGANBaseline,
    _Networks,
    _Training,
    moments,
    reconstruction,
    supervision,
    taken_for,
)
from undula.core.errors import DataError, Interrupted

SMALL = {"width": 6, "layers": 1, "batch_size": 32}


def waves(n: int = 300) -> list[np.ndarray]:
    return [np.stack([np.sin(np.arange(n) / 3.0), 50 + 10 * np.cos(np.arange(n) / 5.0)], axis=1)]


def test_losses_have_their_closed_forms() -> None:
    x = torch.tensor([[[1.0], [2.0], [4.0]], [[3.0], [2.0], [0.0]]])
    assert float(reconstruction(x, x + 2.0)) == 4.0
    h = torch.arange(4.0)[None, :, None]
    assert float(supervision(h, h + 1.0)) == 0.0, "what is said at t is about t + 1"
    assert float(supervision(h, h)) == 1.0
    assert float(moments(x, x)) == 0.0
    assert float(moments(x, x + 3.0)) == pytest.approx(3.0)
    mean = x.mean(0)
    assert float(moments(x, mean + 2 * (x - mean))) == pytest.approx((1 + 0 + 2) / 3, abs=2e-3)
    zeros = torch.zeros(5, 3, 1)
    assert float(taken_for(zeros, True)) == pytest.approx(math.log(2.0))
    assert float(taken_for(zeros + 2, True)) == pytest.approx(math.log1p(math.exp(-2.0)))
    assert float(taken_for(zeros + 2, False)) == pytest.approx(math.log1p(math.exp(2.0)))


def test_each_phase_trains_its_networks() -> None:
    torch.manual_seed(0)
    networks = _Networks(1, 4, 2)
    training = _Training(networks, torch.rand(50, 6, 1), 16, 1e-2, 0)
    phases = {
        "embedder recovery": training._autoencode,
        "supervisor": training._supervise,
        "embedder recovery generator supervisor discriminator": training._together,
    }
    for trained, phase in phases.items():
        before = {name: p.clone() for name, p in networks.named_parameters()}
        phase()
        moved = {
            name.split(".")[0] for name, p in networks.named_parameters() if not torch.equal(p, before[name])
        }
        assert moved == set(trained.split())


def test_a_discriminator_that_is_good_enough_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    networks = _Networks(1, 4, 1)
    training = _Training(networks, torch.rand(50, 6, 1), 16, 1e-2, 0)
    monkeypatch.setattr("undula.baselines.timegan._ENOUGH", 100.0)
    before = [p.clone() for p in networks.discriminator.parameters()]
    training._together()
    assert all(torch.equal(a, b) for a, b in zip(before, networks.discriminator.parameters(), strict=True))


def test_it_learns_where_the_values_lie() -> None:
    told: list[tuple[float, str]] = []
    fitted = TimeGANBaseline(steps=60, learning_rate=2e-2, **SMALL)
    fitted.fit(waves(), 5, seed=1, on_progress=lambda share, words: told.append((share, words)))
    x = fitted.sample(300, 0)
    real = waves()[0]
    assert x.mean((0, 1)) == pytest.approx(real.mean(0), abs=0.5 * real.std(0).max())
    assert (np.abs(x.mean((0, 1)) - real.mean(0)) < 0.5 * real.std(0)).all()
    assert (x.std((0, 1)) > 0.4 * real.std(0)).all() and (x.std((0, 1)) < 1.6 * real.std(0)).all()
    assert (x >= real.min(0) - 1e-6).all() and (x <= real.max(0) + 1e-6).all()
    shares = [share for share, _ in told]
    assert shares == sorted(shares) and shares[-1] > 0.8 and "moments" in told[-1][1]
    assert "parameters, at the end reconstruction" in fitted.notes()[0]


def test_another_seed_is_another_training() -> None:
    one, two = (TimeGANBaseline(steps=1, **SMALL).fit(waves(), 8, seed=s).sample(3, 0) for s in (0, 1))
    assert not np.allclose(one, two)


def test_a_signal_ends_it_with_a_word() -> None:
    with pytest.raises(Interrupted, match="interrupted after step 21 of 90 of timegan"):
        TimeGANBaseline(steps=30, **SMALL).fit(
            waves(), 8, on_progress=lambda *_: os.kill(os.getpid(), signal.SIGINT)
        )


def test_a_window_of_one_row_is_refused() -> None:
    with pytest.raises(DataError, match="timegan needs windows of at least 2 rows"):
        TimeGANBaseline(**SMALL).fit(waves(), 1)
