"""Parameters with which the laws of kind architecture are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "mlp": [
        {"model_dim": 32, "num_layers": 2, "embedding_dim": 16, "dropout": 0.1},
    ],
    "transformer": [
        {"model_dim": 16, "num_layers": 2, "patch_size": 4, "conditioning": "cross_attention"},
        {"model_dim": 16, "num_layers": 2, "patch_size": 4, "conditioning": "film"},
        {"model_dim": 16, "num_layers": 2, "patch_size": 4, "conditioning": "concat"},
        {"model_dim": 16, "num_layers": 2, "patch_size": 4, "conditioning": "none"},
        {"model_dim": 16, "num_layers": 1, "channel_tokens": True, "patch_size": 3, "dropout": 0.1},
    ],
    "unet": [
        {"channels": [8, 16], "blocks": 1, "attention_heads": 2, "embedding_dim": 16},
        {"channels": [8, 16, 24], "blocks": 1, "attention_heads": 0, "conditioning": "film", "dropout": 0.1},
        {"channels": [8], "blocks": 2, "conditioning": "none", "kernel_size": 5},
    ],
}
