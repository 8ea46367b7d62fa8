"""The façade: bits per dimension."""

from __future__ import annotations

import numpy as np
import pytest

from undula import DataOptions, DiffusionModel

from .small import frame, model


def test_exact_data_are_scored_in_bits() -> None:
    """The bound of a trained model on AR(1) is near the exact entropy; more steps bring it nearer."""
    options = DataOptions(dataset="ar1", predict_len=16)
    bits = []
    for steps in (5, 500):
        trained = model(
            architecture={"type": "mlp", "params": {"model_dim": 64, "num_layers": 2}},
            objective="variational_bound",
            sde="vpsde",
            data=options,
            training={
                "batch_size": 256,
                "max_steps": steps,
                "learning_rate": 3e-3,
                "warmup_steps": 20,
                "sample_every": None,
            },
        ).fit()
        bits.append(trained.bits_per_dim(num_times=8))
    covariance = 0.9 ** np.abs(np.subtract.outer(np.arange(16), np.arange(16)))
    entropy = 0.5 * (np.log(2 * np.pi * np.e) + np.linalg.slogdet(covariance)[1] / 16) / np.log(2)
    assert bits[1] < bits[0] - 0.3
    assert entropy - 0.1 < bits[1] < entropy + 0.35


def test_units_change_the_bound_by_their_logarithm() -> None:
    """Bits per number in units a factor larger are log₂ of that factor more."""
    table = frame()[["price"]]
    plain = model(objective="variational_bound", sde="vpsde").fit(table)
    scaled = model(objective="variational_bound", sde="vpsde").fit(table * 8)
    assert scaled.bits_per_dim(table * 8) == pytest.approx(plain.bits_per_dim(table) + 3, abs=1e-3)


def test_all_the_windows_that_are_given_count_in_the_bound() -> None:
    model = DiffusionModel(
        architecture={"type": "mlp", "params": {"model_dim": 16, "num_layers": 1}},
        objective="variational_bound",
        data={"dataset": "ar1", "predict_len": 8, "stride": 8},
        training={"max_steps": 2, "sample_every": None},
    ).fit()
    windows = np.random.default_rng(0).normal(size=(40, 8, 1))
    wild = windows.copy()
    wild[:4] *= 50
    assert model.bits_per_dim(wild) > model.bits_per_dim(windows) + 1
