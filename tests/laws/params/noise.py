"""Parameters with which the laws of kind noise are checked; a name that is not here: the defaults."""

from typing import Any

PARAMS: dict[str, list[dict[str, Any]]] = {
    "standard": [
        {},
        {"schedule": "cosine"},
        {"schedule": "sigmoid"},
        {"schedule": [0.0, 0.1, 0.5, 1.0]},
    ],
}
