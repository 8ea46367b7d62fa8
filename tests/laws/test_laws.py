"""Every registered component obeys every law of its kind."""

from __future__ import annotations

from typing import Any

import pytest

from undula.core.registry import KINDS, Registry
from undula.testing import laws_of

PARAMS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("sde", "custom"): [
        {"alpha_of_t": "cos(pi*t/2)**2", "sigma_of_t": "sin(pi*t/2)"},
        {"alpha_of_t": "exp(-5*t**2)", "sigma_of_t": "sqrt(1-exp(-10*t**2))"},
    ],
    ("sde", "vpsde"): [{}, {"beta_min": 0.0, "beta_max": 12.0}],
    ("noise", "standard"): [
        {},
        {"schedule": "cosine"},
        {"schedule": "sigmoid"},
        {"schedule": [0.0, 0.1, 0.5, 1.0]},
    ],
    ("sampler", "euler"): [{}, {"eta": 1.0, "num_steps": 30}],
    ("sampler", "ddim"): [{}, {"eta": 1.0}, {"grid": "karras"}],
    ("sampler", "heun"): [{"num_steps": 7}, {"grid": "log_snr"}],
    ("sampler", "dpm"): [{}, {"grid": "karras", "rho": 5.0}, {"num_steps": 2}],
    ("objective", "score_matching"): [
        {},
        {"loss_weight": "snr", "density": "stratified"},
        {"loss_weight": "min_snr", "min_snr_gamma": 3.0},
        {"loss_weight": "likelihood", "density": "log_snr"},
    ],
    ("objective", "denoising"): [{}, {"loss_weight": "edm"}, {"loss_weight": "uniform_x0"}],
    ("objective", "flow_matching"): [{}, {"density_mean": 0.5, "density_std": 0.7}, {"prediction": "v"}],
    ("objective", "edm"): [{}, {"density_mean": -0.5, "density_std": 2.0}],
    ("architecture", "mlp"): [{"model_dim": 32, "num_layers": 2, "embedding_dim": 16, "dropout": 0.1}],
    ("architecture", "transformer"): [
        {"model_dim": 16, "num_layers": 2, "patch_size": 4, "conditioning": conditioning}
        for conditioning in ("cross_attention", "film", "concat", "none")
    ]
    + [{"model_dim": 16, "num_layers": 1, "channel_tokens": True, "patch_size": 3, "dropout": 0.1}],
    ("architecture", "unet"): [
        {"channels": [8, 16], "blocks": 1, "attention_heads": 2, "embedding_dim": 16},
        {"channels": [8, 16, 24], "blocks": 1, "attention_heads": 0, "conditioning": "film", "dropout": 0.1},
        {"channels": [8], "blocks": 2, "conditioning": "none", "kernel_size": 5},
    ],
    ("preprocessing", "raw"): [
        {"method": method} for method in ("standardise", "minmax", "robust", "quantile")
    ],
    ("dataset", "sines"): [{"num_series": 50}],
    ("dataset", "ar1"): [{"num_steps": 500}],
    ("baseline", "block_bootstrap"): [{}, {"block_length": 5}],
}

CASES = [
    (kind, name, index)
    for kind in KINDS
    for name in Registry.list(kind)
    for index in range(len(PARAMS.get((kind, name), [{}])))
]


@pytest.mark.parametrize(("kind", "name", "index"), CASES)
def test_laws(kind: str, name: str, index: int) -> None:
    params = PARAMS.get((kind, name), [{}])[index]
    failures = []
    for law in laws_of(kind):
        try:
            law(Registry.get(kind, name, **params))
        except AssertionError as error:
            failures.append(f"{law.__name__}: {error}")
    assert not failures, f"{kind} {name} {params}: " + "; ".join(failures)
