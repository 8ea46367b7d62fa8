"""Parameters with which the laws of kind architecture are checked; a name that is not here: the defaults."""

from typing import Any

SMALL: dict[str, Any] = {"model_dim": 16, "num_layers": 2}
TINY: dict[str, Any] = {"model_dim": 8, "num_layers": 1, "num_heads": 2}

PARAMS: dict[str, list[dict[str, Any]]] = {
    "mlp": [
        {"model_dim": 32, "num_layers": 2, "embedding_dim": 16, "dropout": 0.1},
        {"model_dim": 32, "num_layers": 1, "embedding_dim": 16, "activation": "swiglu"},
    ],
    "transformer": [
        {**SMALL, "patch_size": 4, "conditioning": "cross_attention"},
        {**SMALL, "patch_size": 4, "conditioning": "film"},
        {**SMALL, "patch_size": 4, "conditioning": "concat"},
        {**SMALL, "patch_size": 4, "conditioning": "none"},
        {**SMALL, "cross_attention_mix": "learned", "channel_tokens": True, "patch_size": 3, "dropout": 0.1},
        {**SMALL, "cross_attention_mix": "fixed"},
    ],
    "unet": [
        {"channels": [8, 16], "blocks": 1, "attention_heads": 2, "embedding_dim": 16},
        {"channels": [8, 16, 24], "blocks": 1, "attention_heads": 0, "conditioning": "film", "dropout": 0.1},
        {"channels": [8], "blocks": 2, "conditioning": "none", "kernel_size": 5},
        {"channels": [8, 16, 24], "blocks": 1, "conditioning": "concat", "embedding_dim": 16},
        {"channels": [8, 16], "blocks": 1, "attention_heads": 0, "cross_attention_mix": "learned"},
    ],
    "cnn": [
        {**SMALL, "num_layers": 3, "dilation_cycle": 2, "cross_attention_mix": "learned"},
        {**SMALL, "num_layers": 3, "kernel_size": 5, "causal": True, "conditioning": "concat"},
        {**SMALL, "conditioning": "film", "dropout": 0.1},
        {**SMALL, "conditioning": "none"},
    ],
    "rnn": [
        {**SMALL, "cell": "gru"},
        {**SMALL, "cell": "lstm", "bidirectional": False, "conditioning": "concat"},
        {**SMALL, "cell": "lstm", "conditioning": "film", "dropout": 0.1},
        {**SMALL, "cell": "gru", "conditioning": "none", "bidirectional": False},
        {**SMALL, "cell": "gru", "conditioning": "concat"},
    ],
    "gru": [{**SMALL, "cross_attention_mix": "fixed"}],
    "lstm": [SMALL],
    "hybrid": [
        {**SMALL, "num_states": 4},
        {**SMALL, "num_states": 4, "conditioning": "concat", "dropout": 0.1},
        {**SMALL, "num_states": 4, "conditioning": "film", "stem_layers": 2},
        {**SMALL, "num_states": 4, "conditioning": "none"},
    ],
    "ensemble": [
        {"models": [{"type": "transformer", "params": TINY}, {"type": "gru", "params": TINY}]},
        {"models": [{"type": "cnn", "params": TINY}] * 2, "aggregation": "by_noise_level", "together": True},
        {"models": [{"type": "transformer", "params": TINY}] * 2, "aggregation": "mean", "together": True},
        {
            "models": [{"type": "cnn", "params": {**TINY, "causal": True}}] * 2
            + [{"type": "rnn", "params": {**TINY, "bidirectional": False}}]
        },
        {"models": [{"type": "mlp", "params": {"model_dim": 8, "num_layers": 1}}] * 2},
    ],
}
