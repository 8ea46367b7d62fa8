"""Parameters with which the laws of kind baseline are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "block_bootstrap": [
        {},
        {"block_length": 5},
        {"block_length": "optimal"},
    ],
    "gaussian_mixture": [
        {},
        {"components": 3, "max_dims": 4, "max_windows": 150},
    ],
    "var": [
        {},
        {"order": 2, "innovations": "gaussian", "differences": True},
    ],
    "arima": [
        {"max_p": 1, "max_q": 0, "max_rows": 150},
        {"max_p": 0, "max_q": 1, "innovations": "gaussian", "differences": True, "max_rows": 150},
    ],
    "garch": [
        {},
        {"leverage": True, "lags": 1, "differences": True},
    ],
    "timegan": [
        {"steps": 1, "width": 4, "layers": 1, "batch_size": 16},
    ],
    "vae": [
        {"latent_dim": 3, "hidden_dim": 16, "steps": 40, "kl_warmup": 10},
        {"latent_dim": 3, "hidden_dim": 8, "steps": 40, "encoder": "conv", "likelihood": "gaussian"},
    ],
    "timevae": [
        {"latent_dim": 3, "hidden_dim": 8, "steps": 40, "seasons": [5]},
    ],
}
