"""Parameters with which the laws of kind noise are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "standard": [
        {},
        {"schedule": "cosine"},
        {"schedule": "sigmoid"},
        {"schedule": [0.0, 0.1, 0.5, 1.0]},
    ],
    "correlated": [
        {},
        {"ar": 0.9},
        {"ar": -0.5, "floor": 0.3},
        {"ar": "fitted", "schedule": "cosine"},
        {"power_law": 2.0, "floor": 0.01},
        {"power_law": -1.0},
    ],
    "structured": [
        {},
        {"features": [[2.0, 1.0], [1.0, 0.5]], "floor": 0.2},
        {"features": "identity", "pattern": "seasonal", "period": 4},
        {"features": "identity", "pattern": "block", "block": 4, "share": 0.9},
        {"features": "identity", "scale_from": "ivar"},
        {"features": "identity", "scale_from": "uncertainty", "scale_is": "sigma", "floor": 0.01},
        {"pattern": "seasonal", "period": 2, "scale_from": "variance", "schedule": "sigmoid"},
    ],
    "adaptive": [
        {},
        {"floor": 0.0},
        {"scale": "history"},
        {"scale": "history", "schedule": "linear"},
        {"scale": "history", "schedule": "cosine"},
    ],
}
