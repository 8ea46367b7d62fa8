"""Parameters with which the laws of kind baseline are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "block_bootstrap": [
        {},
        {"block_length": 5},
    ],
    "vae": [
        {"latent_dim": 3, "hidden_dim": 16, "steps": 40, "kl_warmup": 10},
        {"latent_dim": 3, "hidden_dim": 8, "steps": 40, "encoder": "conv", "likelihood": "gaussian"},
    ],
    "timevae": [
        {"latent_dim": 3, "hidden_dim": 8, "steps": 40, "seasons": [5]},
    ],
}
